"""A laptop for each newly remote worker."""

from dataclasses import dataclass
from typing import List, Optional

from backroom import Decimal, Err, Money, Month, refused, show_date
from books import entry_id
from config import Config
from months import day_of
from people import PAGE, Person
from wit_world.imports import items, state, stock
from wit_world.imports.items import Tracking
from wit_world.imports.stock import NewMove


@dataclass
class Laptop:
    """A laptop that was issued."""

    move_id: str
    worker: str
    serial: str
    cost_center: str
    value: Money
    """What left the stock."""
    stock_account: str
    """Where that must be credited."""
    replayed: bool


def issue(config: Config, month: Month, people: List[Person]) -> List[Laptop]:
    """Issues the lowest serial numbers on hand, in order of the worker numbers, on the last day of the month (the day of the entry that
    carries the value). Which one a worker got is kept, so that a second run names the same."""
    new = [(person.worker, *person.newly_remote) for person in people if person.newly_remote]
    taken = [_issued(month, worker) for worker, _, _ in new]
    wanted = taken.count(None)
    free = iter(_on_hand(config, wanted))
    laptops = []
    for (worker, day, cost_center), known in zip(new, taken):
        serial = known or next(free, None)
        if serial is None:
            raise _out_of_stock(config, wanted)
        move_id = f"laptop:{month}:{worker}"
        moved = stock.post_move(NewMove(
            id=move_id,
            date=month.last(),
            item=config.laptop_item,
            quantity=Decimal(1, 0),
            source=config.laptop_location,
            destination=config.staff_location,
            lot=serial,
            cost=None,
            worker=worker,
            reason=f"Remote work from {show_date(day_of(month, day))}",
            entry=entry_id(month, cost_center),
        ))
        if not known:
            state.set(_key(month, worker), serial.encode())
        laptops.append(Laptop(move_id, worker, serial, cost_center, moved.value, moved.stock_account, moved.replayed))
    return laptops


def _key(month: Month, worker: str) -> str:
    return f"laptop:{month}:{worker}"


def _issued(month: Month, worker: str) -> Optional[str]:
    """The serial number that the worker got in an earlier run of the month."""
    value = state.get(_key(month, worker))
    return None if value is None else bytes(value).decode()


def _on_hand(config: Config, wanted: int) -> List[str]:
    """The lowest ``wanted`` serial numbers on hand; fewer if there are no more."""
    serials: List[str] = []
    if wanted == 0:
        return serials
    if items.get(config.laptop_item).tracking != Tracking.SERIAL:
        message = f"item {config.laptop_item} is not tracked by serial number; configure one that is"
        raise refused("laptop-not-serial", message)
    cursor: Optional[str] = None
    # Pages come in order of the lots.
    while len(serials) < wanted:
        page = stock.list_on_hand(config.laptop_item, config.laptop_location, cursor, PAGE)
        serials.extend(on_hand.lot for on_hand in page.items if on_hand.lot is not None)
        if page.next is None:
            break
        cursor = page.next
    return sorted(serials)


def _out_of_stock(config: Config, wanted: int) -> Err:
    needed = f"{wanted} of {config.laptop_item} are needed, {config.laptop_location} has fewer"
    return refused("laptops-out-of-stock", f"{needed}; receive or transfer some, then run again")
