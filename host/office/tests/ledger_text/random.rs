//! Random books: charts with names that are hard to write, entries in several currencies, with and without a base currency,
//! reversals, exchange differences, revaluations, years that are closed.

use backroom_domain::ledger::{
    AccountType, Dimension, EntryDetails, Line, LineDetails, LockKind, Metadata, NewAccount, NewBook, NewClosing,
    NewRate, NewRevaluation, Reversal, ReversalDate, Scope,
};
use backroom_domain::{Currency, Decimal, Id, MAX_MINOR, Side};
use backroom_office::ledger::{
    close_year, create_account, create_book, lock_period, post, revalue, reverse, set_rates,
};
use backroom_office::{Failure, Work};

use crate::books::{self, Books, day, id, money};

/// Test choices that can be played again: xorshift64*.
pub(crate) struct Choices(u64);

impl Choices {
    /// From `BACKROOM_SEED`, or from the clock; printed.
    pub(crate) fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed: u64 = match std::env::var("BACKROOM_SEED") {
            Ok(text) => text.parse().expect("BACKROOM_SEED is a number"),
            Err(_) => now.subsec_nanos().into(),
        };
        eprintln!("choices: repeat with BACKROOM_SEED={seed}");
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const KINDS: [AccountType; 5] =
    [AccountType::Asset, AccountType::Liability, AccountType::Equity, AccountType::Income, AccountType::Expense];
/// Two, two, no and three decimals.
const CURRENCIES: [&str; 4] = ["USD", "EUR", "JPY", "KWD"];
const TEXTS: [&str; 12] = [
    "Rent; for June",
    "50% off, paid  twice",
    "(7) in parentheses",
    "* starred | piped",
    "! \"quoted\" \\ and 'more'",
    "[2024-02-30] no date",
    "[1] = 5 @ 3 {2}",
    "2024-01-01 = 7",
    "Überweisung für Mai – 10 €",
    "שכר מאי",
    "a:b, c: d, e:",
    "plain",
];
pub(crate) const DAYS: [&str; 6] = ["1900-01-01", "2023-12-31", "2024-01-01", "2024-02-29", "2024-07-01", "2999-12-31"];

/// An account of random books.
pub(crate) struct Known {
    pub(crate) code: String,
    pub(crate) currency: &'static str,
}

/// The book `main` with USD as its base currency; exchange differences go to two accounts of the case.
fn base_book(case: usize) -> NewBook {
    NewBook {
        id: id("main"),
        name: "The books".to_owned(),
        base: Currency::parse("USD", "c").unwrap(),
        year_start: 1,
        retained_earnings: None,
        exchange_gain: Some(id(&format!("{case}gain"))),
        exchange_loss: Some(id(&format!("{case}loss"))),
    }
}

/// The posting accounts, at least two of each currency that has any. The number of the case begins every code.
pub(crate) fn chart(books: &Books, case: usize, base: bool, choices: &mut Choices) -> Vec<Known> {
    let mut known = Vec::new();
    if base {
        books.set_up(|work| drop(create_book(work, base_book(case)).unwrap()));
    }
    let mut headers: Vec<(String, AccountType)> = Vec::new();
    let add = |code: &str, kind, parent: Option<&str>, currency: &str, posting| NewAccount {
        kind,
        parent: parent.map(id),
        currency: Currency::parse(currency, "c").unwrap(),
        posting,
        name: format!("Account, \"{code}\"; x"),
        ..books::account(code, currency)
    };
    books.set_up(|work| {
        for n in 0..choices.below(4) {
            let code =
                format!("{}{case}h{n}{}", choices.one(&["", "h"]), choices.one(&["", ":x", "/x", ".x", "_x", "-x"]));
            let below =
                headers.len().checked_sub(1).filter(|_| choices.below(2) == 0).map(|last| headers[last].clone());
            let kind = below.as_ref().map_or_else(|| *choices.one(&KINDS), |(_, kind)| *kind);
            create_account(work, add(&code, kind, below.as_ref().map(|(code, _)| code.as_str()), "USD", false))
                .unwrap();
            headers.push((code, kind));
        }
        for (name, kind) in [("gain", AccountType::Income), ("loss", AccountType::Expense)] {
            let code = format!("{case}{name}");
            create_account(work, add(&code, kind, None, "USD", true)).unwrap();
            known.push(Known { code, currency: "USD" });
        }
        for n in 0..4 + choices.below(6) {
            let currency = CURRENCIES[if n < 2 { 0 } else { n / 2 % 4 }];
            let code = format!(
                "{}{case}{}{n}",
                choices.one(&["", "a", "A"]),
                choices.one(&["-", ".", "_", ":", "/", "--", ":-"])
            );
            let below =
                if headers.is_empty() || choices.below(2) == 0 { None } else { Some(choices.one(&headers).clone()) };
            let kind = below.as_ref().map_or_else(|| *choices.one(&KINDS), |(_, kind)| *kind);
            create_account(work, add(&code, kind, below.as_ref().map(|(code, _)| code.as_str()), currency, true))
                .unwrap();
            known.push(Known { code, currency });
        }
        let used: std::collections::BTreeSet<&str> = known.iter().map(|known| known.currency).collect();
        for currency in used {
            let code = format!("{case}kept{currency}");
            create_account(work, add(&code, AccountType::Equity, None, currency, true)).unwrap();
            known.push(Known { code, currency });
        }
    });
    known
}

/// What random books have.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    /// Entries in all.
    pub(crate) entries: usize,
    /// Those that take another back.
    pub(crate) reversed: usize,
    /// Those that close a year.
    pub(crate) closing: usize,
    /// Those of a revaluation.
    pub(crate) revalued: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.reversed += other.reversed;
        self.closing += other.closing;
        self.revalued += other.revalued;
    }
}

/// Posts random entries, takes some of them back, revalues what is foreign, and closes up to two years, each of which is followed by more
/// entries.
pub(crate) fn journal(books: &Books, case: usize, accounts: &[Known], base: bool, choices: &mut Choices) -> Counts {
    let mut counts = Counts::default();
    books.set_up(|work| {
        let mut open: Vec<Id> = Vec::new();
        entries(work, case, (0, 0), accounts, base, &mut open, &mut counts, choices);
        for (n, (year, days)) in [(2023, 2), (2024, 5)].into_iter().enumerate() {
            if base && choices.below(2) == 0 {
                counts.revalued += revalue_all(work, case, n, accounts, choices);
            }
            if choices.below(2) == 0 {
                counts.closing += close(work, case, year, accounts);
                entries(work, case, (n + 1, days), accounts, base, &mut open, &mut counts, choices);
            }
        }
        counts.entries += counts.closing + counts.revalued;
    });
    counts
}

/// Posts entries on the days that are open, and takes back some of those that there are.
#[expect(clippy::too_many_arguments, reason = "a helper of one caller")]
fn entries(
    work: &mut Work,
    case: usize,
    (part, days): (usize, usize),
    accounts: &[Known],
    base: bool,
    open: &mut Vec<Id>,
    counts: &mut Counts,
    choices: &mut Choices,
) {
    for n in 0..1 + choices.below(if part == 0 { 10 } else { 4 }) {
        let name = format!("{case}:e{part}-{n}");
        if !open.is_empty() && choices.below(5) == 0 {
            let of = open.swap_remove(choices.below(open.len()));
            let date = if choices.below(2) == 0 { ReversalDate::Now } else { ReversalDate::Original };
            let reason = (*choices.one(&TEXTS)).to_owned();
            let asked = Reversal { of, entry: id(&name), date, reason, force: true };
            if done(reverse(work, &asked), &["overflow", "period-locked"]).is_some() {
                (counts.entries, counts.reversed) = (counts.entries + 1, counts.reversed + 1);
            }
            continue;
        }
        let mut lines = lines(accounts, choices);
        if base {
            lines.iter_mut().for_each(|line| rate(line, choices));
        }
        let date = *choices.one::<&str>(&DAYS[days..]);
        if post_one(work, &name, date, lines, choices) {
            counts.entries += 1;
            open.push(id(&name));
        }
    }
}

/// What was done; none if it was refused for what can happen to random books.
fn done<T>(result: backroom_office::Result<T>, refusals: &[&str]) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(Failure::Business(error)) if refusals.contains(&error.code()) => None,
        Err(failure) => panic!("{failure}"),
    }
}

/// Revalues every foreign account at a rate of the day; gives how many entries that took.
fn revalue_all(work: &mut Work, case: usize, n: usize, accounts: &[Known], choices: &mut Choices) -> usize {
    let main = id("main");
    let as_of = day(["2024-01-01", "2024-07-01"][n]);
    let usd = Currency::parse("USD", "c").unwrap();
    let rates = CURRENCIES.iter().zip(["1.0875", "0.00671", "3.25"].iter().cycle()).filter(|(from, _)| **from != "USD");
    let rate = |(from, rate): (&&str, &&str)| NewRate {
        date: as_of,
        from: Currency::parse(from, "c").unwrap(),
        to: usd,
        kind: id("closing"),
        rate: Decimal::parse(rate, "r").unwrap(),
    };
    set_rates(work, &main, rates.map(rate).collect()).unwrap();
    let foreign: Vec<Id> = accounts.iter().filter(|account| account.currency != "USD").map(|a| id(&a.code)).collect();
    if foreign.is_empty() {
        return 0;
    }
    let new = NewRevaluation {
        id: id(&format!("{case}:value-{n}")),
        as_of,
        accounts: foreign,
        kind: None,
        reverse: choices.below(2) == 0,
    };
    done(revalue(work, &main, new), &["overflow", "period-locked"]).map_or(0, |done| done.value.entries.len())
}

/// Closes a year; gives how many entries that took.
fn close(work: &mut Work, case: usize, year: u16, accounts: &[Known]) -> usize {
    let main = id("main");
    let kept = accounts.iter().filter(|account| account.code.contains("kept")).map(|account| id(&account.code));
    let new = NewClosing { id: id(&format!("{case}:close-{year}")), year, retained_earnings: kept.collect() };
    lock_period(work, &main, Scope::All, LockKind::Soft, day(&format!("{year}-12-31"))).unwrap();
    done(close_year(work, &main, new), &["overflow"]).map_or(0, |done| done.value.entries.len())
}

fn post_one(work: &mut Work, name: &str, date: &str, lines: Vec<Line>, choices: &mut Choices) -> bool {
    let mut entry = books::entry(name, date, lines);
    entry.description = (*choices.one(&TEXTS)).to_owned();
    if choices.below(3) == 0 {
        let metadata = vec![Metadata { name: id("a:b.c"), value: (*choices.one(&TEXTS)).to_owned() }];
        entry.details = Some(Box::new(EntryDetails { metadata, ..EntryDetails::default() }));
    }
    // The sums of an account may be full.
    done(post(work, entry), &["overflow"]).is_some()
}

/// Gives a foreign line one of two rates, so that most entries leave an exchange difference.
fn rate(line: &mut Line, choices: &mut Choices) {
    let rates = match line.amount.currency.as_str() {
        "USD" => return,
        "EUR" => ["1.0875", "1.1"],
        "JPY" => ["0.00671", "0.0069"],
        _ => ["3.251234567", "3.25"],
    };
    let rate = Decimal::parse(rates[usize::from(choices.below(4) == 0)], "r").ok();
    line.details = Some(Box::new(LineDetails { rate, party: Some(id("p:1")), ..LineDetails::default() }));
}

/// Lines of one to three currencies, balanced in each.
fn lines(accounts: &[Known], choices: &mut Choices) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..1 + choices.below(3) {
        let currency = choices.one(accounts).currency;
        let own: Vec<&Known> = accounts.iter().filter(|account| account.currency == currency).collect();
        let minor = match choices.below(20) {
            0 => MAX_MINOR - u64::try_from(choices.below(1_000)).unwrap(),
            1 => 1,
            _ => u64::try_from(1 + choices.below(10_000_000)).unwrap(),
        };
        let line = |account: &Known, side, minor, choices: &mut Choices| Line {
            account: id(&account.code),
            amount: money(minor, currency),
            dimensions: dimensions(choices),
            memo: (choices.below(3) == 0).then(|| (*choices.one(&TEXTS)).to_owned()),
            ..books::line(&account.code, side, minor, currency)
        };
        let (first, second) = (Side::Debit, Side::Credit);
        let account = choices.one(&own);
        lines.push(line(account, first, minor, choices));
        let part = if minor > 2 && choices.below(2) == 0 { minor / 3 } else { 0 };
        let account = choices.one(&own);
        lines.push(line(account, second, minor - part, choices));
        if part > 0 {
            let account = choices.one(&own);
            lines.push(line(account, second, part, choices));
        }
    }
    lines
}

fn dimensions(choices: &mut Choices) -> Vec<Dimension> {
    let names = ["cost-center", "a.b:c/d_e", "Project"];
    let take = choices.below(3);
    let dimension = |name: &&str| Dimension { name: id(name), value: id("CC-410:x/y.z_1") };
    names.iter().take(take).map(dimension).collect()
}
