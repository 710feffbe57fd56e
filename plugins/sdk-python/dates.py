"""Days of the books: written ``2026-06-30``, counted without a clock."""

from calendar import monthrange

from wit_world.imports.types import BusinessDate

from .errors import invalid


def date(text: str, field: str = "date") -> BusinessDate:
    """A date that exists, between 1900 and 2999. Raises ``date-invalid``."""
    wrong = invalid("date-invalid", field, f"{text!r} is no date such as 2026-06-30")
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isascii() and part.isdigit() for part in parts):
        raise wrong
    year, month, day = (int(part) for part in parts)
    if not (1900 <= year <= 2999 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        raise wrong
    return BusinessDate(year, month, day)


def show_date(day: BusinessDate) -> str:
    """As ``2026-06-30``."""
    return f"{day.year:04}-{day.month:02}-{day.day:02}"


def days_in_month(day: BusinessDate) -> int:
    """The number of days of the month."""
    return monthrange(day.year, day.month)[1]


def first_of_month(day: BusinessDate) -> BusinessDate:
    """The first day of the same month."""
    return BusinessDate(day.year, day.month, 1)


def last_of_month(day: BusinessDate) -> BusinessDate:
    """The last day of the same month."""
    return BusinessDate(day.year, day.month, days_in_month(day))
