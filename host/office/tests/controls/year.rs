//! Closing years beside a list of entries (L13, L14).

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    AccountType, Dimension, Entry, Line, LockKind, NewAccount, NewBook, NewClosing, NewEntry, NewRate, Scope,
};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Currency, Decimal, Side};
use backroom_office::Work;
use backroom_office::ledger::{
    AsOf, balance_at, close_year, create_account, create_book, list_entries, list_openings, list_periods, lock_period,
    post, reopen_period, set_rates,
};
use proptest::prelude::*;

use crate::books::{Books, account, all, code, commit, day, entry, header, id, line, pair, told};

const ACCOUNTS: [(&str, &str, AccountType); 9] = [
    ("1000", "USD", AccountType::Asset),
    ("1100", "EUR", AccountType::Asset),
    ("2000", "USD", AccountType::Liability),
    ("3000", "USD", AccountType::Equity),
    ("3100", "EUR", AccountType::Equity),
    ("4000", "USD", AccountType::Income),
    ("4100", "EUR", AccountType::Income),
    ("6000", "USD", AccountType::Expense),
    ("6100", "EUR", AccountType::Expense),
];

fn kind(code: &str) -> AccountType {
    ACCOUNTS.iter().find(|(one, ..)| *one == code).unwrap().2
}

fn is_result(code: &str) -> bool {
    matches!(kind(code), AccountType::Income | AccountType::Expense)
}

/// With or without a base currency, and a year that begins in this month.
fn set_up(base: bool, month: u8) -> Books {
    let books = Books::new();
    books.set_up(|work| {
        let usd = Currency::parse("USD", "c").unwrap();
        if base {
            let book = NewBook {
                id: id("main"),
                name: "Main".to_owned(),
                base: usd,
                year_start: month,
                retained_earnings: None,
                exchange_gain: None,
                exchange_loss: None,
            };
            create_book(work, book).unwrap();
            let rate = |date: &str, rate: &str| NewRate {
                date: day(date),
                from: Currency::parse("EUR", "c").unwrap(),
                to: usd,
                kind: id("spot"),
                rate: Decimal::parse(rate, "r").unwrap(),
            };
            set_rates(
                work,
                &id("main"),
                vec![rate("2020-01-01", "1.1"), rate("2024-07-01", "1.2345"), rate("2025-03-01", "0.9")],
            )
            .unwrap();
        }
        for (code, currency, kind) in ACCOUNTS {
            create_account(work, NewAccount { kind, ..account(code, currency) }).unwrap();
        }
        create_account(work, header("9")).unwrap();
    });
    books
}

#[derive(Debug, Clone)]
struct Move {
    /// Days behind the first of January 2024.
    day: u16,
    euro: bool,
    debit: usize,
    credit: usize,
    minor: u64,
    tags: [Option<u8>; 2],
}

fn moves(n: usize) -> impl Strategy<Value = Vec<Move>> {
    let tag = prop::option::of(0_u8..2);
    let one = (0_u16..1_090, any::<bool>(), 0_usize..5, 0_usize..5, 1_u64..10_000, [tag.clone(), tag]);
    let one = one.prop_map(|(day, euro, debit, credit, minor, tags)| Move { day, euro, debit, credit, minor, tags });
    prop::collection::vec(one, 0..n)
}

fn date(days: u16) -> BusinessDate {
    let mut date = day("2024-01-01");
    for _ in 0..days {
        date = date.next_day().unwrap();
    }
    date
}

fn new_entry(name: &str, of: &Move) -> NewEntry {
    let codes: Vec<&str> = match of.euro {
        true => vec!["1100", "3100", "4100", "6100", "1100"],
        false => vec!["1000", "2000", "4000", "6000", "3000"],
    };
    let currency = if of.euro { "EUR" } else { "USD" };
    let dimension =
        |n: usize| of.tags[n].map(|value| Dimension { name: id(["cc", "fb"][n]), value: id(&format!("v{value}")) });
    // The same set in another order is the same set.
    let forth: Vec<_> = [dimension(0), dimension(1)].into_iter().flatten().collect();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let debit = Line { dimensions: forth, ..line(codes[of.debit], Side::Debit, of.minor, currency) };
    let credit = Line { dimensions: back, ..line(codes[of.credit], Side::Credit, of.minor, currency) };
    NewEntry { date: date(of.day), ..entry(name, "2024-01-01", vec![debit, credit]) }
}

/// Amount and base amount, debits positive, by account and set of dimensions, of entries up to a day.
type Sums = BTreeMap<(String, Vec<Dimension>), (i128, i128)>;

fn sums(entries: &[Entry], until: BusinessDate) -> Sums {
    let mut sums = Sums::new();
    for line in entries.iter().filter(|entry| entry.new.date <= until).flat_map(|entry| &entry.new.lines) {
        let mut dimensions = line.dimensions.clone();
        dimensions.sort_by(|a, b| b.cmp(a));
        let sum = sums.entry((line.account.to_string(), dimensions)).or_default();
        let sign = if line.side == Side::Debit { 1 } else { -1 };
        sum.0 += sign * i128::from(line.amount.minor);
        sum.1 += sign * i128::from(line.base().map_or(line.amount.minor, |base| base.minor));
    }
    sums
}

fn closing(year: u16) -> NewClosing {
    NewClosing { id: id(&format!("close:{year}")), year, retained_earnings: vec![id("3000"), id("3100")] }
}

fn last(year: u16, month: u8) -> BusinessDate {
    match month {
        1 => BusinessDate::new(year, 12, 31, "d").unwrap(),
        month => BusinessDate::new(year + 1, month, 1, "d").unwrap().day_before().unwrap(),
    }
}

fn close(work: &mut Work, year: u16, month: u8) -> Vec<backroom_domain::Id> {
    let main = id("main");
    lock_period(work, &main, Scope::All, LockKind::Soft, last(year, month)).unwrap();
    close_year(work, &main, closing(year)).unwrap().value.entries
}

/// What the closing of a year did, from the list of all entries before and after.
fn check(before: &[Entry], work: &Work, year: u16, month: u8) -> Result<(), TestCaseError> {
    let end = last(year, month);
    let after = all(100, |page| list_entries(work, page));
    prop_assert_eq!(&after[..before.len()], before);
    let (was, is) = (sums(before, end), sums(&after, end));
    let mut results: BTreeMap<(String, Vec<Dimension>), (i128, i128)> = BTreeMap::new();
    for ((account, dimensions), sum) in &was {
        if is_result(account) {
            let now = is.get(&(account.clone(), dimensions.clone())).copied();
            prop_assert_eq!(now, Some((0, 0)), "{} {:?}", account, dimensions);
            let to = if account.ends_with("100") { "3100" } else { "3000" };
            let result = results.entry((to.to_owned(), dimensions.clone())).or_default();
            *result = (result.0 + sum.0, result.1 + sum.1);
        }
    }
    // L13: nothing else changes, for no set of dimensions, in neither column.
    let keys = was.keys().chain(is.keys()).filter(|(account, _)| !is_result(account));
    for key in keys {
        let (before, now) = (was.get(key).copied().unwrap_or_default(), is.get(key).copied().unwrap_or_default());
        let result = results.get(key).copied().unwrap_or_default();
        prop_assert_eq!(now, (before.0 + result.0, before.1 + result.1), "{:?}", key);
    }
    for entry in &after[before.len()..] {
        let net = |of: &dyn Fn(&Line) -> i128| entry.new.lines.iter().map(of).sum::<i128>();
        let sign = |line: &Line| if line.side == Side::Debit { 1 } else { -1 };
        prop_assert_eq!(net(&|line| sign(line) * i128::from(line.amount.minor)), 0);
        prop_assert!(entry.new.lines.len() <= 1_000);
    }
    // L14: what is kept for the next year is what a scan of the whole journal gives, and what the totals of days give.
    let openings = all(4, |page| list_openings(work, &id("main"), year, page));
    prop_assert_eq!(openings.len(), ACCOUNTS.len());
    for opening in openings {
        let lines = after.iter().filter(|entry| entry.new.date <= end).flat_map(|entry| &entry.new.lines);
        let lines: Vec<_> = lines.filter(|line| line.account == opening.account).collect();
        let sum = |side: Side, of: &dyn Fn(&Line) -> u64| -> u64 {
            lines.iter().filter(|line| line.side == side).map(|line| of(line)).sum()
        };
        let amount = |line: &Line| line.amount.minor;
        prop_assert_eq!((opening.debits, opening.credits), (sum(Side::Debit, &amount), sum(Side::Credit, &amount)));
        if let Some(base) = opening.base {
            let of = |line: &Line| line.base().map_or(line.amount.minor, |base| base.minor);
            prop_assert_eq!((base.debits, base.credits), (sum(Side::Debit, &of), sum(Side::Credit, &of)));
        }
        let as_of = AsOf { date: Some(end), ..AsOf::default() };
        let balance = balance_at(work, &opening.account, as_of).unwrap();
        prop_assert_eq!(
            (balance.debits, balance.credits, balance.base),
            (opening.debits, opening.credits, opening.base)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::books::sequences())]

    #[test]
    fn a_closing_changes_nothing_but_where_the_result_stands(
        base in any::<bool>(),
        month in prop_oneof![Just(1_u8), Just(7)],
        first in moves(25),
        second in moves(12),
    ) {
        let month = if base { month } else { 1 };
        let books = set_up(base, month);
        books.set_up(|work| {
            for (n, one) in first.iter().enumerate() {
                post(work, new_entry(&format!("a{n}"), one)).unwrap();
            }
        });
        let mut work = books.work(Rights::all());
        let before = all(100, |page| list_entries(&work, page));
        close(&mut work, 2024, month);
        check(&before, &work, 2024, month)?;
        commit(work);

        // Nothing is posted to the closed year any more, and the next one is closed upon it.
        let mut work = books.work(Rights::all());
        for (n, one) in second.iter().enumerate() {
            let new = new_entry(&format!("b{n}"), one);
            match (new.date <= last(2024, month), post(&mut work, new)) {
                (true, refused) => prop_assert_eq!(code(refused), "period-locked"),
                (false, posted) => prop_assert!(posted.is_ok()),
            }
        }
        let before = all(100, |page| list_entries(&work, page));
        close(&mut work, 2025, month);
        check(&before, &work, 2025, month)?;
        let again = close_year(&mut work, &id("main"), closing(2025)).unwrap();
        prop_assert!(again.replayed);
    }
}

#[test]
fn closings_are_refused_in_the_order_of_the_contract() {
    let books = set_up(true, 1);
    let main = id("main");
    books.set_up(|work| {
        post(work, entry("e", "2024-05-05", pair("6000", "1000", 5, "USD"))).unwrap();
        post(work, entry("f", "2024-05-05", pair("6100", "1100", 5, "EUR"))).unwrap();
    });
    let mut work = books.work(Grant::read_only().into());
    let with = |accounts: &[&str]| NewClosing {
        retained_earnings: accounts.iter().map(|account| id(account)).collect(),
        ..closing(2024)
    };
    assert_eq!(code(close_year(&mut work, &id("none"), with(&[]))), "periods-denied");
    drop(work);
    let mut work = books.work(Rights::all());
    let long = NewClosing { id: id(&"c".repeat(57)), ..with(&[]) };
    assert_eq!(code(close_year(&mut work, &id("none"), long)), "id-too-long");
    assert_eq!(code(close_year(&mut work, &id("none"), with(&[]))), "no-accounts");
    assert_eq!(code(close_year(&mut work, &id("none"), NewClosing { year: 1, ..with(&["7"]) })), "book-not-found");
    assert_eq!(code(close_year(&mut work, &main, NewClosing { year: 1, ..with(&["7"]) })), "year-invalid");
    let rows = [
        (vec!["7"], "account-not-found"),
        (vec!["1000"], "not-equity"),
        (vec!["3000", "3000"], "currency-mismatch"),
        (vec!["3000"], "periods-open"),
    ];
    for (accounts, want) in rows {
        assert_eq!(code(close_year(&mut work, &main, with(&accounts))), want);
    }
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, day("2024-12-30")).unwrap();
    assert_eq!(code(close_year(&mut work, &main, with(&["3000"]))), "periods-open");
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, day("2024-12-31")).unwrap();
    assert_eq!(told(close_year(&mut work, &main, with(&["3000"]))).1, "retained-earnings-missing");
    let taken = NewClosing { id: id("e"), ..closing(2024) };
    let effects = work.effects().len();
    assert_eq!(code(close_year(&mut work, &main, taken)), "exists-with-different");
    assert_eq!(work.effects().len(), effects, "nothing of it is left");
    assert_eq!(close_year(&mut work, &main, closing(2024)).unwrap().value.entries.len(), 1);
    assert!(close_year(&mut work, &main, closing(2024)).unwrap().replayed);
    assert_eq!(code(close_year(&mut work, &main, with(&["3100"]))), "already-closed");
    assert_eq!(code(close_year(&mut work, &main, closing(2023))), "already-closed");
    // A closed year stays closed.
    assert_eq!(code(reopen_period(&mut work, &main, Scope::All, day("2024-12-31"), "r".to_owned())), "hard-lock");
    assert_eq!(list_periods(&work, &main, Some(2024)).unwrap().closed.unwrap().year, 2024);
}

/// More lines than an entry has: several entries, each of which balances.
#[test]
fn a_large_closing_is_several_entries() {
    let books = set_up(false, 1);
    books.set_up(|work| {
        for n in 0..600 {
            let tag = Dimension { name: id("cc"), value: id(&format!("v{n}")) };
            let mut lines = pair("6000", "1000", n + 1, "USD");
            lines[0].dimensions.push(tag);
            post(work, entry(&format!("e{n}"), "2024-05-05", lines)).unwrap();
        }
    });
    let mut work = books.work(Rights::all());
    let before = all(100, |page| list_entries(&work, page));
    let entries = close(&mut work, 2024, 1);
    assert_eq!(entries, [id("close:2024"), id("close:2024:2")]);
    check(&before, &work, 2024, 1).unwrap();
}
