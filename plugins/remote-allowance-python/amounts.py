"""Amounts as text, and shares of them."""

from typing import Optional

from backroom import MAX_MINOR, Money

NO_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = set("BHD IQD JOD KWD LYD OMR TND".split())
FOUR_DECIMALS = {"CLF", "UYW"}


def exponent(currency: str) -> int:
    """Digits after the decimal point (ISO 4217 "minor unit"): 2 unless listed."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 4 if currency in FOUR_DECIMALS else 2


def _digits(text: str) -> bool:
    return all("0" <= digit <= "9" for digit in text)


def parse(text: str) -> Optional[Money]:
    """Reads ``500.00 USD``: no sign, no grouping, no more decimals than the currency has."""
    number, space, currency = text.partition(" ")
    if not space or len(currency) != 3 or not all("A" <= letter <= "Z" for letter in currency) or number.endswith("."):
        return None
    whole, _, decimals = number.partition(".")
    places = exponent(currency)
    if not whole or len(decimals) > places or not _digits(whole) or not _digits(decimals):
        return None
    minor = int(whole + decimals.ljust(places, "0"))
    return Money(minor, currency) if minor <= MAX_MINOR else None


def digits(amount: Money) -> str:
    """``500.00``, with all decimals of the currency."""
    places = exponent(amount.currency)
    if places == 0:
        return str(amount.minor)
    text = str(amount.minor).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}"


def text(amount: Money) -> str:
    """``500.00 USD``."""
    return f"{digits(amount)} {amount.currency}"


def share(amount: int, part: int, whole: int) -> int:
    """``amount * part / whole``, rounded once to whole minor units; a tie goes to the even neighbour. ``whole`` is not zero."""
    quotient, rest = divmod(amount * part, whole)
    return quotient + (rest * 2 > whole or (rest * 2 == whole and quotient % 2 == 1))
