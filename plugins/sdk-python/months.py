"""Months of the books: written ``2026-06``, from 1900-01 to 2999-12."""

from dataclasses import dataclass

from componentize_py_types import Err
from wit_world.imports.types import BusinessDate

from .dates import date, days_in_month
from .errors import invalid


@dataclass(frozen=True, order=True)
class Month:
    """A month. In JSON it is a text such as ``2026-06``."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @staticmethod
    def of(day: BusinessDate) -> "Month":
        """The month of a day."""
        return Month(day.year, day.month)

    def first(self) -> BusinessDate:
        """The first day."""
        return BusinessDate(self.year, self.month, 1)

    def last(self) -> BusinessDate:
        """The last day."""
        return BusinessDate(self.year, self.month, self.length())

    def length(self) -> int:
        """The number of days."""
        return days_in_month(self.first())

    def next(self) -> "Month":
        """The month behind it. Raises ``month-invalid`` (of the last month that there is)."""
        return self._moved(1)

    def previous(self) -> "Month":
        """The month before it. Raises ``month-invalid`` (of the first month that there is)."""
        return self._moved(-1)

    def _moved(self, by: int) -> "Month":
        year, month = divmod(self.year * 12 + self.month - 1 + by, 12)
        return parse_month(f"{year:04}-{month + 1:02}")


def parse_month(text: str, field: str = "month") -> Month:
    """Reads ``2026-06``. Raises ``month-invalid``."""
    try:
        return Month.of(date(f"{text}-01"))
    except Err:
        raise invalid("month-invalid", field, f"{text!r} is no month such as 2026-06") from None
