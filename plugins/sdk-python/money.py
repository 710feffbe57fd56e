"""Sums of money that refuse instead of growing too large or mixing currencies."""

from typing import Optional

from wit_world.imports.types import Money

from .decimals import read_digits, write_digits
from .errors import invalid, refused

MAX_MINOR = 2**53 - 1
"""The largest amount of the contract: exact in every guest language."""

_DIGITS = {code: 0 for code in "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()}
_DIGITS.update({code: 3 for code in "BHD IQD JOD KWD LYD OMR TND".split()}, CLF=4, UYW=4)


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of a currency (ISO 4217 "minor unit"): 2 unless listed."""
    return _DIGITS.get(currency, 2)


def money(minor: int, currency: str) -> Money:
    """An amount in minor units: cents for ``USD``. Raises ``overflow``."""
    # A float is none, even if it looks whole.
    if not isinstance(minor, int) or not 0 <= minor <= MAX_MINOR:
        raise refused("overflow", f"{minor} is no amount from 0 to {MAX_MINOR}")
    return Money(minor, currency)


def parse_money(text: str, field: str = "amount") -> Money:
    """Reads ``1234.50 USD``. Raises ``amount-invalid``."""
    number, _, currency = text.partition(" ")
    found = _amount(number, currency)
    if found is None:
        raise invalid("amount-invalid", field, f"{text!r} is no amount such as 500.00 USD")
    return found


def parse_amount(text: str, currency: str, field: str = "amount") -> Money:
    """Reads ``1234.50`` of a currency: no sign, no grouping, no more decimals than the currency has. Raises ``amount-invalid``."""
    found = _amount(text, currency)
    if found is None:
        raise invalid("amount-invalid", field, f"{text!r} is no amount such as 500.00 in {currency!r}")
    return found


def _amount(text: str, currency: str) -> Optional[Money]:
    if len(currency) != 3 or not all("A" <= letter <= "Z" for letter in currency):
        return None
    found, places = read_digits(text), minor_digits(currency)
    if found is None or found[1] > places:
        return None
    minor = found[0] * 10 ** (places - found[1])
    return Money(minor, currency) if minor <= MAX_MINOR else None


def show_amount(amount: Money) -> str:
    """As ``1234.50``, with all decimals of the currency."""
    return write_digits(amount.minor, minor_digits(amount.currency))


def show_money(amount: Money) -> str:
    """As ``1234.50 USD``."""
    return f"{show_amount(amount)} {amount.currency}"


def plus(one: Money, other: Money) -> Money:
    """The sum of two amounts in one currency. Raises ``currency-mismatch``, ``overflow``."""
    if one.currency != other.currency:
        raise refused("currency-mismatch", f"{one.currency} and {other.currency} cannot be added")
    return money(one.minor + other.minor, one.currency)


def times(one: Money, count: int) -> Money:
    """So many times the amount. Raises ``overflow``."""
    return money(one.minor * count, one.currency)


def share(one: Money, part: int, whole: int) -> Money:
    """The amount times ``part / whole``, rounded once to whole minor units; a tie goes to the even neighbour. Raises ``overflow`` (for a
    ``whole`` of zero, too)."""
    if whole == 0:
        raise refused("overflow", "a share of nothing has no end")
    quotient, rest = divmod(one.minor * part, whole)
    return money(quotient + (rest * 2 > whole or (rest * 2 == whole and quotient % 2 == 1)), one.currency)
