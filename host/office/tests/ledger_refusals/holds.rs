//! Settling and releasing.

use backroom_domain::Money;
use backroom_domain::ledger::{HoldRelease, Settlement};
use backroom_domain::rights::Rights;
use backroom_office::Work;
use backroom_office::ledger::{get_hold, release, settle};

use crate::books::{Books, day, id, money};
use crate::chart::chart;
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![Box::new(SETTLE), Box::new(RELEASE), Box::new(GET)]
}

/// What is asked, by whom, and how many seconds after the holds were placed.
struct Asked<T> {
    rights: fn() -> Rights,
    seconds: u64,
    new: T,
}

impl<T> Asked<T> {
    fn work(&self, books: &Books) -> Work {
        let mut work = books.work((self.rights)());
        work.now.0 += self.seconds * 1_000_000;
        work
    }
}

fn good<T>(new: T) -> Asked<T> {
    Asked { rights: Rights::all, seconds: 0, new }
}

fn part(minor: u64, currency: &str) -> Option<Money> {
    Some(money(minor, currency))
}

const SETTLE: Table<Asked<Settlement>> = Table {
    operation: "settle",
    books: chart,
    good: || good(Settlement { hold: id("open"), entry: id("new"), amount: part(3, "USD"), last: false, date: None }),
    ask: |books, asked| said(settle(&mut asked.work(books), &asked.new)),
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        of("amount", "amount-zero", |a| a.new.amount = part(0, "USD")),
        of("hold", "hold-not-found", |a| a.new.hold = id("nowhere")),
        of("entry", "exists-with-different", |a| a.new.entry = id("taken")),
        of("entry", "id-already-failed", |a| a.new.entry = id("burnt")),
        of("hold", "already-settled", |a| a.new.hold = id("settled")),
        of("hold", "already-released", |a| a.new.hold = id("released")),
        of("hold", "expired", |a| (a.new.hold, a.seconds) = (id("short"), 10)),
        of("amount", "currency-mismatch", |a| a.new.amount = part(3, "EUR")),
        of("amount", "exceeds-hold", |a| a.new.amount = part(9, "USD")),
        of("amount", "rate-missing", |a| (a.new.hold, a.new.amount) = (id("euros"), None)),
        of("date", "period-locked", |a| a.new.date = Some(day("2026-01-31"))),
        of("date", "future-date", |a| a.new.date = Some(day("2026-07-04"))),
    ],
};

const RELEASE: Table<Asked<HoldRelease>> = Table {
    operation: "release",
    books: chart,
    good: || good(HoldRelease { hold: id("open"), amount: part(8, "USD") }),
    ask: |books, asked| said(release(&mut asked.work(books), &asked.new)),
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        of("hold", "hold-not-found", |a| a.new.hold = id("nowhere")),
        of("hold", "already-settled", |a| a.new.hold = id("settled")),
        of("hold", "already-released", |a| a.new.hold = id("released")),
        of("hold", "expired", |a| (a.new.hold, a.seconds) = (id("short"), 10)),
        defect("different-amount", |a| a.new.amount = part(7, "USD")),
    ],
};

const GET: Table<Asked<&str>> = Table {
    operation: "get_hold",
    books: chart,
    good: || good("open"),
    ask: |books, asked| said(get_hold(&asked.work(books), &id(asked.new))),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("hold-not-found", |a| a.new = "nowhere"),
    ],
};

/// A hold ends at its moment and not a microsecond earlier; what settled it is the answer to whoever asks again.
#[test]
fn a_hold_lasts_to_its_last_microsecond() {
    let books = chart();
    let asked = |hold: &str, entry: &str| Settlement {
        hold: id(hold),
        entry: id(entry),
        amount: None,
        last: false,
        date: None,
    };
    for (hold, entry, micros, wanted) in [
        ("short", "new", 9_999_999, Ok(())),
        ("short", "new", 10_000_000, Err("expired".to_owned())),
        ("settled", "whole", 0, Ok(())),
    ] {
        let mut work = books.work(Rights::all());
        work.now.0 += micros;
        assert_eq!(said(settle(&mut work, &asked(hold, entry))), wanted, "{hold} after {micros} us");
    }
}

/// What a settlement was refused for is refused for good.
#[test]
fn a_settlement_that_was_refused_burns_its_id() {
    let books = chart();
    let mut work = books.work(Rights::all());
    let asked =
        |minor| Settlement { hold: id("open"), entry: id("e"), amount: part(minor, "USD"), last: false, date: None };
    assert_eq!(said(settle(&mut work, &asked(9))), Err("exceeds-hold".to_owned()));
    assert_eq!(said(settle(&mut work, &asked(8))), Err("id-already-failed".to_owned()));
}
