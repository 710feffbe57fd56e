"""Exact decimals of the contract, for quantities and rates: written ``1.0842``, never a float."""

from typing import Optional, Tuple

from wit_world.imports.types import Decimal

from .errors import invalid

_MOST = 2**53 - 1


def read_digits(text: str) -> Optional[Tuple[int, int]]:
    """The digits of ``12.50`` as a number, and how many of them are decimals: no sign, no exponent, no grouping."""
    whole, point, decimals = text.partition(".")
    digits = (whole + decimals).lstrip("0") or "0"
    if not whole or (point and not decimals) or not all("0" <= one <= "9" for one in whole + decimals) or len(digits) > 16:
        return None
    return int(digits), len(decimals)


def write_digits(number: int, scale: int) -> str:
    """A number with its last ``scale`` digits behind a point."""
    if scale == 0:
        return str(number)
    digits = str(number).rjust(scale + 1, "0")
    return f"{digits[:-scale]}.{digits[-scale:]}"


def parse_decimal(text: str, field: str = "decimal") -> Decimal:
    """Reads ``12``, ``12.5`` or ``0.125``, with at most nine decimals. Raises ``decimal-invalid``."""
    found = read_digits(text)
    if found is None or found[0] > _MOST or found[1] > 9:
        raise invalid("decimal-invalid", field, f"{text!r} is no decimal such as 12.5")
    return Decimal(*found)


def show_decimal(decimal: Decimal) -> str:
    """As ``12.50``."""
    return write_digits(decimal.mantissa, decimal.scale)
