"""The plugin ``remote-allowance`` in Python: the same effects and the same answers, byte for byte (see there for what it does).

Input: ``{"month": "2026-06"}``."""

from dataclasses import dataclass

import config as configuration
import laptops as equipment
import people as staff
from amounts import text
from backroom import Money, info, parse_month, plus, times, workflow
from books import Recorded, amount, keep, told_balances
from laptops import Laptop

DEFINITION = (
    "seats are workers who were eligible on every day of the month; each saves the cost of a seat less the "
    "allowance, a month; a year is twelve such months; laptops are not counted"
)


@dataclass
class Input:
    month: str
    """``YYYY-MM``."""


def saving(seat_cost: Money, allowance: Money, seats: int) -> dict:
    """For ``seats`` workers who were eligible on every day; a seat costs at least as much as the allowance. Raises ``overflow``."""
    per_seat = Money(seat_cost.minor - allowance.minor, seat_cost.currency)
    monthly = times(per_seat, seats)
    return {
        "definition": DEFINITION,
        "seats": seats,
        "seat-cost": amount(seat_cost),
        "monthly-allowance": amount(allowance),
        "monthly": amount(monthly),
        "yearly-per-seat": amount(times(per_seat, 12)),
        "yearly": amount(times(monthly, 12)),
    }


def told_line(line: Recorded) -> dict:
    return {
        "id": line.id,
        "worker": line.worker,
        "cost-center": line.cost_center,
        "first-day": line.first_day,
        "last-day": line.last_day,
        "days": line.days,
        "amount": amount(line.money),
        "replayed": line.replayed,
    }


def told_laptop(laptop: Laptop) -> dict:
    return {
        "id": laptop.move_id,
        "worker": laptop.worker,
        "serial": laptop.serial,
        "cost-center": laptop.cost_center,
        "value": amount(laptop.value),
        "replayed": laptop.replayed,
    }


def run(input: Input) -> dict:
    month = parse_month(input.month)
    config = configuration.read()
    people = staff.of(month, config.position)
    laptops = equipment.issue(config, month, people)
    lines, entries = keep(config, month, people, laptops)
    full = sum(person.full_month(month) for person in people)
    saved = saving(config.seat_cost, config.monthly_amount, full)
    total = Money(0, config.monthly_amount.currency)
    for line in lines:
        total = plus(total, line.money)
    said = f"{month}: {text(total)} in {len(lines)} lines for {len(people)} workers"
    info(f"{said}; {len(laptops)} laptops")
    return {
        "month": str(month),
        "plan": config.plan,
        "workers": len(people),
        "total-allowance": amount(total),
        "entries": entries,
        "lines": [told_line(line) for line in lines],
        "laptops": [told_laptop(laptop) for laptop in laptops],
        "saving": saved,
        "balances": told_balances(config),
    }


WitWorld = workflow(run, Input)
