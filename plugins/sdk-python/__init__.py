"""Workflows for Backroom in Python.

A plugin is a module ``app`` with a function that takes a dataclass and returns one, and the line ``WitWorld = workflow(run, Input)``.
Everything that a run changed is kept if the function returns, and nothing of it if it raises. Calls of the service raise ``Err`` whose
``value`` is an error of the contract; not catching it is all it takes to give up.

The contract is in ``wit_world.imports``, an interface a module: ``from wit_world.imports import balances``. The ones are there of which
``plugin.toml`` wants something, and ``clock``, ``config`` and ``log``. Everything that a run needs must be imported at the top of a module:
there are no files at run time to import it from.

In input and output ``Money`` is a text such as ``1234.50 USD``, ``Decimal`` one such as ``1.5``, ``BusinessDate`` one such as ``2026-06-30`` and
``Month`` one such as ``2026-06``. Nothing is ever a float.
"""

from componentize_py_types import Err
from wit_world.imports import log
from wit_world.imports.log import Level
from wit_world.imports.types import BusinessDate, Decimal, Instant, Money, Problem, Side

from .dates import date, days_in_month, first_of_month, last_of_month, show_date
from .decimals import parse_decimal, show_decimal
from .errors import code_of, invalid, refused
from .money import MAX_MINOR, minor_digits, money, parse_amount, parse_money, plus, share, show_amount, show_money, times
from .months import Month, parse_month
from .workflow import workflow

__all__ = [
    "MAX_MINOR", "BusinessDate", "Decimal", "Err", "Instant", "Level", "Money", "Month", "Problem", "Side", "code_of", "date", "days_in_month",
    "first_of_month", "info", "invalid", "last_of_month", "minor_digits", "money", "parse_amount", "parse_decimal", "parse_money", "parse_month",
    "plus", "refused", "share", "show_amount", "show_date", "show_decimal", "show_money", "times", "warn", "workflow",
]


def info(message: str) -> None:
    """Writes a line into the run's log."""
    log.write(Level.INFO, message)


def warn(message: str) -> None:
    """Writes a line into the run's log that somebody should look at."""
    log.write(Level.WARN, message)
