"""Adds an order up, and reads five balances: the work that is measured. As `tests/guests/order` in its mode `read`."""

from dataclasses import dataclass
from typing import List, Optional

from backroom import BusinessDate, money, plus, times, workflow
from wit_world.imports import balances


@dataclass
class Accounts:
    cash: str
    receivable: str
    tax: str
    revenue: str
    cost: str


@dataclass
class Line:
    item: str
    quantity: int
    price_minor: int
    note: Optional[str] = None


@dataclass
class Order:
    reference: str
    customer: str
    date: BusinessDate
    currency: str
    source: str
    destination: str
    accounts: Accounts
    lines: List[Line]


@dataclass
class Input:
    mode: str
    order: Order


@dataclass
class Balance:
    account: str
    debits: int
    credits: int


@dataclass
class Output:
    reference: str
    lines: int
    total_minor: int
    balances: List[Balance]


def run(input: Input) -> Output:
    order, accounts = input.order, input.order.accounts
    found = []
    for account in (accounts.cash, accounts.receivable, accounts.tax, accounts.revenue, accounts.cost):
        balance = balances.get(account, None)
        found.append(Balance(balance.account, balance.debits, balance.credits))
    total = money(0, order.currency)
    for line in order.lines:
        total = plus(total, times(money(line.price_minor, order.currency), line.quantity))
    return Output(order.reference, len(order.lines), total.minor, found)


WitWorld = workflow(run, Input)
