"""Days of one month, as numbers: 1 to its last day, and 0 for the day before it."""

from dataclasses import dataclass
from typing import Optional, Tuple

from backroom import BusinessDate, Err, date, days_in_month, invalid, last_of_month


def _order(day: BusinessDate) -> Tuple[int, int, int]:
    return (day.year, day.month, day.day)


@dataclass(frozen=True)
class Month:
    first: BusinessDate

    @staticmethod
    def parse(text: str) -> "Month":
        """Reads ``2026-06``. Raises ``month-invalid``."""
        try:
            return Month(date(f"{text}-01"))
        except Err:
            raise invalid("month-invalid", "month", f"{text!r} is no month such as 2026-06") from None

    def __str__(self) -> str:
        return f"{self.first.year:04}-{self.first.month:02}"

    def length(self) -> int:
        """The number of days."""
        return days_in_month(self.first)

    def day(self, day: int) -> BusinessDate:
        """Day ``day`` of the month, 1 to its length."""
        return BusinessDate(self.first.year, self.first.month, day)

    def last(self) -> BusinessDate:
        return last_of_month(self.first)

    def eve(self) -> BusinessDate:
        """The day before the first."""
        year, month = (self.first.year, self.first.month - 1) if self.first.month > 1 else (self.first.year - 1, 12)
        return last_of_month(BusinessDate(year, month, 1))

    def reach(self, first: BusinessDate, last: Optional[BusinessDate]) -> Optional[Tuple[int, int]]:
        """From which day to which day of the month (its eve counted as day 0) a stretch reaches; none if it does not."""
        end = self.last() if last is None else min(last, self.last(), key=_order)
        begin = max(first, self.eve(), key=_order)
        if _order(begin) > _order(end):
            return None
        number = lambda day: 0 if _order(day) < _order(self.first) else day.day
        return number(begin), number(end)
