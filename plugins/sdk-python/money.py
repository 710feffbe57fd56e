"""Sums of money that refuse instead of growing too large or mixing currencies."""

from wit_world.imports.types import Money

from .errors import refused

MAX_MINOR = 2**53 - 1
"""The largest amount of the contract: exact in every guest language."""


def money(minor: int, currency: str) -> Money:
    """An amount in minor units: cents for ``USD``. Raises ``overflow``."""
    # A float is none, even if it looks whole.
    if not isinstance(minor, int) or not 0 <= minor <= MAX_MINOR:
        raise refused("overflow", f"{minor} is no amount from 0 to {MAX_MINOR}")
    return Money(minor, currency)


def plus(one: Money, other: Money) -> Money:
    """The sum of two amounts in one currency. Raises ``currency-mismatch``, ``overflow``."""
    if one.currency != other.currency:
        raise refused("currency-mismatch", f"{one.currency} and {other.currency} cannot be added")
    return money(one.minor + other.minor, one.currency)


def times(one: Money, count: int) -> Money:
    """So many times the amount. Raises ``overflow``."""
    return money(one.minor * count, one.currency)
