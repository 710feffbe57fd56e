"""What the operator sets. Everything that is missing or wrong is reported at once."""

from dataclasses import dataclass
from typing import List

import amounts
from backroom import Err, Money, Problem
from wit_world.imports import config as host
from wit_world.imports.types import Error_Invalid


@dataclass
class Config:
    plan: str
    """``plan``: the benefit plan that the lines are recorded under."""
    position: str
    """``position``: who gets it, such as ``CPA``."""
    monthly_amount: Money
    """``monthly-amount``: for a whole month, such as ``500.00 USD``."""
    seat_cost: Money
    """``seat-cost``: what an office seat costs a month; not less than the monthly amount."""
    allowance_account: str
    """``allowance-account``: debited with the allowances."""
    payable_account: str
    """``payable-account``: credited with them."""
    equipment_account: str
    """``equipment-account``: debited with the value of the laptops."""
    laptop_item: str
    """``laptop-item``: what is issued; tracked by serial number."""
    laptop_location: str
    """``laptop-location``: where it is taken from."""
    staff_location: str
    """``staff-location``: where it goes to."""


class _Reader:
    """Reads values and notes what is wrong with them."""

    def __init__(self) -> None:
        self.problems: List[Problem] = []

    def wrong(self, key: str, code: str, message: str) -> None:
        self.problems.append(Problem(code, f"config.{key}", message))

    def text(self, key: str, meaning: str) -> str:
        value = host.get(key) or ""
        if not value:
            self.wrong(key, "config-missing", f"set {key} to {meaning}")
        return value

    def money(self, key: str, meaning: str) -> Money:
        value = self.text(key, meaning)
        amount = amounts.parse(value)
        if amount is None or amount.minor == 0:
            if value:
                self.wrong(key, "config-invalid", f"{value!r} is no amount above zero such as 500.00 USD")
            return Money(0, "")
        return amount


def read() -> Config:
    """Reads it from the host. Raises ``config-missing``, ``config-invalid``."""
    reader = _Reader()
    config = Config(
        plan=reader.text("plan", "the benefit plan"),
        position=reader.text("position", "the position code that is eligible"),
        monthly_amount=reader.money("monthly-amount", "the allowance for a whole month"),
        seat_cost=reader.money("seat-cost", "the monthly cost of an office seat"),
        allowance_account=reader.text("allowance-account", "the expense account of the allowances"),
        payable_account=reader.text("payable-account", "the account of what is owed to staff"),
        equipment_account=reader.text("equipment-account", "the expense account of issued equipment"),
        laptop_item=reader.text("laptop-item", "the item that is issued"),
        laptop_location=reader.text("laptop-location", "the location that laptops are taken from"),
        staff_location=reader.text("staff-location", "the location of what staff has"),
    )
    amount, seat = config.monthly_amount, config.seat_cost
    if not reader.problems and (amount.currency != seat.currency or amount.minor > seat.minor):
        costs = f"a seat for {amounts.text(seat)} does not cost more than the allowance of {amounts.text(amount)}"
        reader.wrong("seat-cost", "config-invalid", f"{costs}, in the same currency")
    if reader.problems:
        raise Err(Error_Invalid(reader.problems))
    return config
