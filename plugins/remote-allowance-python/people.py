"""Who worked remotely on which days of the month, and what that comes to."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from amounts import share
from backroom import Month
from months import eve, reach
from wit_world.imports import workers
from wit_world.imports.workers import EmploymentFilter, Place

PAGE = 500
"""Rows asked for at once: as many as a page can have."""


@dataclass
class Stretch:
    """A stretch of remote work, cut to the month and its eve (day 0)."""

    first: int
    last: int
    eligible: bool
    """In the position that gets the allowance."""
    cost_center: str


@dataclass
class Line:
    """An unbroken stretch of eligible days that one cost centre bears."""

    first: int
    """First day of the month, from 1."""
    last: int
    """Last day, counted."""
    cost_center: str


@dataclass
class Person:
    """A worker who is eligible on at least one day."""

    worker: str
    lines: List[Line]
    """In order of their days."""
    newly_remote: Optional[Tuple[int, str]]
    """The first day on which the worker became remote, and the cost centre of that day; none if the worker was before."""

    def full_month(self, month: Month) -> bool:
        """Was the worker eligible on every day?"""
        return sum(line.last - line.first + 1 for line in self.lines) == month.length()

    def amounts(self, monthly: int, month: Month) -> List[int]:
        """What each line comes to: the days so far, less the days before, each rounded. So the lines of a whole month come to
        exactly one monthly amount, however it is divided."""
        days, paid, due = 0, 0, []
        for line in self.lines:
            days += line.last - line.first + 1
            so_far = share(monthly, days, month.length())
            due.append(so_far - paid)
            paid = so_far
        return due


def of(month: Month, position: str) -> List[Person]:
    """Everybody who worked remotely in ``position`` in ``month``, in order of the worker numbers.

    All remote employments are read, in whatever position, and from the eve of the month on: whoever was remote as something else has
    been equipped before."""
    wanted = EmploymentFilter(eve(month), month.last(), None, Place.REMOTE)
    stretches: Dict[str, List[Stretch]] = {}
    cursor: Optional[str] = None
    while True:
        page = workers.list_employments(wanted, cursor, PAGE)
        for employment in page.items:
            reached = reach(month, employment.first_day, employment.last_day)
            if reached:
                eligible = employment.position == position
                stretches.setdefault(employment.worker, []).append(Stretch(*reached, eligible, employment.cost_center))
        if page.next is None:
            break
        cursor = page.next
    people = (person(worker, stretches[worker]) for worker in sorted(stretches))
    return [person for person in people if person.lines]


def person(worker: str, stretches: List[Stretch]) -> Person:
    lines: List[Line] = []
    newly_remote: Optional[Tuple[int, str]] = None
    last_remote: Optional[int] = None
    for stretch in sorted(stretches, key=lambda stretch: stretch.first):
        # Days are numbered from the eve, so that a stretch from day 0 on is never new.
        is_new = stretch.first > 0 and (last_remote is None or last_remote + 1 < stretch.first)
        last_remote = stretch.last
        if not stretch.eligible or stretch.last == 0:
            continue
        if is_new and newly_remote is None:
            newly_remote = (stretch.first, stretch.cost_center)
        first = max(stretch.first, 1)
        if lines and lines[-1].last + 1 == first and lines[-1].cost_center == stretch.cost_center:
            lines[-1].last = stretch.last
        else:
            lines.append(Line(first, stretch.last, stretch.cost_center))
    return Person(worker, lines, newly_remote)
