//! Open items, their matching and ageing, and bank statements.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod bank;
#[path = "../books/mod.rs"]
mod books;
mod matching;
mod model;

use backroom_domain::ledger::{
    AccountRules, AccountType, ItemRef, LineDetails, NewAccount, NewBook, NewEntry, NewMatch, Pair,
};
use backroom_domain::rights::Rights;
use backroom_domain::{Currency, Money, Side};
use backroom_office::ledger::{self, ItemFilter, balance};
use backroom_office::{PageRequest, Work};
use books::{Books, account, day, id, line, money};

/// Receivables in EUR and USD, a bank in both, and what takes differences, in a book kept in USD.
pub(crate) fn company() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        let new = |code: &str, currency: &str, kind, reconcilable| NewAccount {
            kind,
            rules: AccountRules { reconcilable, ..AccountRules::default() },
            ..account(code, currency)
        };
        let book = NewBook {
            id: id("main"),
            name: "Main".into(),
            base: Currency::parse("USD", "base").unwrap(),
            year_start: 1,
            retained_earnings: None,
            exchange_gain: Some(id("7100")),
            exchange_loss: Some(id("7200")),
        };
        for (code, currency, kind, reconcilable) in [
            ("7100", "USD", AccountType::Income, false),
            ("7200", "USD", AccountType::Expense, false),
            ("6900", "USD", AccountType::Expense, false),
            ("6950", "EUR", AccountType::Expense, false),
            ("4000", "EUR", AccountType::Income, false),
            ("4100", "USD", AccountType::Income, false),
            ("1200", "EUR", AccountType::Asset, true),
            ("1210", "USD", AccountType::Asset, true),
            ("1000", "USD", AccountType::Asset, true),
            ("1010", "EUR", AccountType::Asset, false),
        ] {
            ledger::create_account(work, new(code, currency, kind, reconcilable)).unwrap();
        }
        ledger::create_book(work, book).unwrap();
    });
    books
}

/// An entry of one debit and one credit in EUR at a rate of so many cents, with a party and a due date on the first line.
pub(crate) fn euros(name: &str, date: &str, debit: &str, credit: &str, minor: u64, cents: u64) -> NewEntry {
    let base = Money { minor: minor * cents / 100, ..money(1, "USD") };
    let with = |account: &str, side| {
        let details = LineDetails { base: Some(base), ..LineDetails::default() };
        backroom_domain::ledger::Line { details: Some(Box::new(details)), ..line(account, side, minor, "EUR") }
    };
    books::entry(name, date, vec![with(debit, Side::Debit), with(credit, Side::Credit)])
}

pub(crate) fn dollars(name: &str, date: &str, debit: &str, credit: &str, minor: u64) -> NewEntry {
    books::entry(name, date, books::pair(debit, credit, minor, "USD"))
}

/// With whom a line is, and when it is due.
pub(crate) fn with_party(mut entry: NewEntry, index: usize, party: &str, due: Option<&str>) -> NewEntry {
    let details = entry.lines[index].details.get_or_insert_default();
    (details.party, details.due) = (Some(id(party)), due.map(day));
    entry
}

pub(crate) fn at(entry: &str, line: u32) -> ItemRef {
    ItemRef { entry: id(entry), line }
}

pub(crate) fn matching(name: &str, date: &str, pairs: &[(ItemRef, ItemRef, u64)]) -> NewMatch {
    let pair = |(debit, credit, minor): &(ItemRef, ItemRef, u64)| Pair {
        debit: debit.clone(),
        credit: credit.clone(),
        minor: *minor,
    };
    NewMatch {
        id: id(name),
        date: day(date),
        pairs: pairs.iter().map(pair).collect(),
        write_off: None,
        tolerance: 0,
        entry: None,
    }
}

/// What is open, as (entry, line, open).
pub(crate) fn open(work: &Work, account: &str, as_of: Option<&str>) -> Vec<(String, u32, u64)> {
    let filter = ItemFilter { account: Some(id(account)), party: None, as_of: as_of.map(day) };
    let rows = books::all(2, |request: &PageRequest| ledger::list_open_items(work, &filter, request));
    rows.into_iter().map(|row| (row.item.of.entry.to_string(), row.item.of.line, row.open)).collect()
}

/// Debits less credits, in the account's currency and in the base currency.
pub(crate) fn balances(work: &Work, account: &str) -> (i128, i128) {
    let balance = balance(work, &id(account), None).unwrap();
    let base = balance.base.unwrap();
    let less = |a: u64, b: u64| i128::from(a) - i128::from(b);
    (less(balance.debits, balance.credits), less(base.debits, base.credits))
}

pub(crate) fn everything() -> Rights {
    Rights::all()
}
