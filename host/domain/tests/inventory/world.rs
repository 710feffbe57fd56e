//! A small world in order, to be spoiled.

use backroom_domain::inventory::{
    Item, Location, Lot, MoveFacts, NewItem, NewLocation, NewLot, NewMove, OnHand, Tracking, Usage, Valuation,
};
use backroom_domain::ledger::{Account, AccountType, NewAccount};
use backroom_domain::{BusinessDate, Class, Currency, Decimal, Id, Instant, Money, Result};

pub(crate) const NOW: Instant = Instant(1_780_000_000_000_000);

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

pub(crate) fn quantity(text: &str) -> Decimal {
    Decimal::parse(text, "quantity").unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn new_item() -> NewItem {
    NewItem {
        id: id("WIDGET"),
        name: "Widget".into(),
        unit: "each".into(),
        decimals: 2,
        tracking: Tracking::Lot,
        stock_account: id("1400"),
    }
}

pub(crate) fn item() -> Item {
    Item { new: new_item(), currency: Currency::parse("USD", "c").unwrap(), recorded_at: NOW }
}

pub(crate) fn location(code: &str, usage: Usage) -> Location {
    Location { new: NewLocation { id: id(code), name: code.into(), usage }, recorded_at: NOW }
}

pub(crate) fn lot(item: &str) -> Lot {
    Lot { new: NewLot { id: id("L1"), item: id(item), expiry: Some(day("2026-06-30")) }, recorded_at: NOW }
}

pub(crate) fn account() -> Account {
    let new = NewAccount {
        code: id("1400"),
        name: "Inventory".into(),
        kind: AccountType::Asset,
        parent: None,
        currency: Currency::parse("USD", "c").unwrap(),
        posting: true,
        stock_control: true,
        rules: Default::default(),
    };
    Account::created(new, NOW)
}

/// One way to change something.
pub(crate) type Change<T> = fn(&mut T);

/// A move and what is on record about it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) new: NewMove,
    pub(crate) facts: MoveFacts,
}

/// A receipt of one widget of lot L1 that is in order.
pub(crate) fn receipt() -> Case {
    let new = NewMove {
        id: id("m1"),
        date: day("2026-06-30"),
        item: id("WIDGET"),
        quantity: quantity("1"),
        from: id("A"),
        to: id("B"),
        lot: Some(id("L1")),
        cost: Some(money("10.00 USD")),
        worker: Some(id("W1")),
        reason: "test".into(),
        entry: None,
    };
    let facts = MoveFacts {
        item: Some(item()),
        from: Some(location("A", Usage::Supplier)),
        to: Some(location("B", Usage::Internal)),
        lot: Some(lot("WIDGET")),
        worker_exists: true,
        source: Some(on_hand("A", 1_000, 0)),
        destination: Some(on_hand("B", 0, 0)),
        valuation: Some(Valuation {
            quantity: quantity("10.00"),
            value: money("100.00 USD"),
            ..Valuation::empty(&item())
        }),
        serial_place: None,
    };
    Case { new, facts }
}

pub(crate) fn on_hand(location: &str, entered: u64, left: u64) -> OnHand {
    OnHand { item: id("WIDGET"), location: id(location), lot: Some(id("L1")), decimals: 2, entered, left }
}

impl Case {
    pub(crate) fn usages(mut self, from: Usage, to: Usage) -> Self {
        for (location, usage) in [(&mut self.facts.from, from), (&mut self.facts.to, to)] {
            if let Some(location) = location {
                location.new.usage = usage;
            }
        }
        self
    }

    pub(crate) fn tracking(mut self, tracking: Tracking) -> Self {
        if let Some(item) = &mut self.facts.item {
            item.new.tracking = tracking;
        }
        self
    }

    /// The same out of stock, of which there is enough.
    pub(crate) fn issue(self, to: Usage) -> Self {
        let mut case = self.usages(Usage::Internal, to);
        case.new.cost = None;
        case
    }
}

pub(crate) fn name_a_lot(case: &mut Case) {
    if case.new.lot.is_none() {
        case.new.lot = Some(id("L1"));
        case.facts.lot = Some(lot("WIDGET"));
    }
}

pub(crate) fn outcome(result: Result<impl Sized>) -> (String, Class, Option<String>) {
    let error = result.err().expect("a refusal");
    let problem = &error.problems[0];
    (problem.code.to_string(), error.class, problem.field.clone())
}
