"""Days of one month, as numbers: 1 to its last day, and 0 for the day before it."""

from typing import Optional, Tuple

from backroom import BusinessDate, Month


def _order(day: BusinessDate) -> Tuple[int, int, int]:
    return (day.year, day.month, day.day)


def day_of(month: Month, day: int) -> BusinessDate:
    """Day ``day`` of the month, 1 to its length."""
    return BusinessDate(month.year, month.month, day)


def eve(month: Month) -> BusinessDate:
    """The day before the first. Raises ``month-invalid`` (of the first month that there is)."""
    return month.previous().last()


def reach(month: Month, first: BusinessDate, last: Optional[BusinessDate]) -> Optional[Tuple[int, int]]:
    """From which day to which day of the month (its eve counted as day 0) a stretch reaches; none if it does not. Raises as ``eve``."""
    end = month.last() if last is None else min(last, month.last(), key=_order)
    begin = max(first, eve(month), key=_order)
    if _order(begin) > _order(end):
        return None
    number = lambda day: 0 if _order(day) < _order(month.first()) else day.day
    return number(begin), number(end)
