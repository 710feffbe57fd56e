"""Benefit lines, and one journal entry per cost centre that carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from amounts import digits
from backroom import BusinessDate, Money, Month, Side, plus
from config import Config
from months import day_of
from people import Person
from wit_world.imports import accounts, balances, benefits, items, journal
from wit_world.imports.benefits import NewBenefit
from wit_world.imports.journal import Dimension, Line, NewEntry

if TYPE_CHECKING:
    from laptops import Laptop


def entry_id(month: Month, cost_center: str) -> str:
    """The journal entry of a cost centre for the month."""
    return f"allowance:{month}:{cost_center}"


@dataclass
class Recorded:
    """A benefit line that was recorded."""

    id: str
    worker: str
    cost_center: str
    first_day: BusinessDate
    last_day: BusinessDate
    days: int
    money: Money
    replayed: bool


def amount(money: Money) -> Dict[str, Any]:
    """The amount as the output has it."""
    return {"text": digits(money), "minor": money.minor, "currency": money.currency}


def keep(config: Config, month: Month, people: List[Person], laptops: List[Laptop]) -> Tuple[List[Recorded], List[dict]]:
    """Records the lines, in order of the workers, and posts the entries, in order of the cost centres."""
    lines = [line for person in people for line in _record(config, month, person)]
    entries = []
    for cost_center in sorted({line.cost_center for line in lines} | {laptop.cost_center for laptop in laptops}):
        of_lines = [line for line in lines if line.cost_center == cost_center]
        of_laptops = [laptop for laptop in laptops if laptop.cost_center == cost_center]
        entry = _post(config, month, cost_center, of_lines, of_laptops)
        if entry:
            entries.append(entry)
    return lines, entries


def _record(config: Config, month: Month, person: Person) -> List[Recorded]:
    recorded = []
    for line, minor in zip(person.lines, person.amounts(config.monthly_amount.minor, month)):
        if minor == 0:
            # A day of a very small amount; a benefit line is more than zero.
            continue
        new = NewBenefit(
            id=f"benefit:{config.plan}:{month}:{person.worker}:{line.first:02}",
            worker=person.worker,
            plan=config.plan,
            first_day=day_of(month, line.first),
            last_day=day_of(month, line.last),
            amount=Money(minor, config.monthly_amount.currency),
            cost_center=line.cost_center,
            entry=entry_id(month, line.cost_center),
        )
        replayed = benefits.record(new).replayed
        days = line.last - line.first + 1
        recorded.append(
            Recorded(new.id, new.worker, new.cost_center, new.first_day, new.last_day, days, new.amount, replayed)
        )
    return recorded


def _post(
    config: Config, month: Month, cost_center: str, of_lines: List[Recorded], of_laptops: List[Laptop]
) -> Optional[dict]:
    """Posts the entry of a cost centre; none if nothing in it is worth anything."""
    allowance = Money(0, config.monthly_amount.currency)
    for line in of_lines:
        allowance = plus(allowance, line.money)
    equipment: Optional[Money] = None
    for laptop in of_laptops:
        equipment = laptop.value if equipment is None else plus(equipment, laptop.value)
    stock = of_laptops[0].stock_account if of_laptops else None
    pairs = [
        (allowance, config.allowance_account, config.payable_account, "Housing allowance", len(of_lines)),
        (equipment, config.equipment_account, stock, "Laptops issued", len(of_laptops)),
    ]
    lines = []
    for money, debit, credit, what, count in pairs:
        if money and money.minor > 0 and credit:
            memo = f"{what}: {count}"
            lines.append(Line(debit, Side.DEBIT, money, [Dimension("cost-center", cost_center)], memo))
            lines.append(Line(credit, Side.CREDIT, money, [], memo))
    if not lines:
        return None
    id = entry_id(month, cost_center)
    posted = journal.post(NewEntry(id, month.last(), f"Remote housing allowance {month}, {cost_center}", lines))
    entry = {"id": id, "number": posted.number, "cost-center": cost_center, "allowance": amount(allowance)}
    if equipment:
        entry["equipment"] = amount(equipment)
    return {**entry, "replayed": posted.replayed}


def told_balances(config: Config) -> List[dict]:
    """The accounts that were posted to, as they stand now, with this run's own entries."""
    stock = items.get(config.laptop_item).stock_account
    return [_told(code) for code in (config.allowance_account, config.payable_account, config.equipment_account, stock)]


def _told(code: str) -> dict:
    name = accounts.get(code).name
    balance = balances.get(code, None)
    in_currency = lambda minor: amount(Money(minor, balance.currency))
    return {
        "account": balance.account,
        "name": name,
        "debits": in_currency(balance.debits),
        "credits": in_currency(balance.credits),
        "balance": in_currency(abs(balance.debits - balance.credits)),
        "side": "debit" if balance.debits >= balance.credits else "credit",
    }
