//! Values that get past the first look: ids that there are, days of the year of the books, amounts that are easily the same.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::bindings::backroom::host::http;
use crate::bindings::backroom::hr::{benefits, workers};
use crate::bindings::backroom::inventory::stock;
use crate::bindings::backroom::ledger::{
    accounts, bank, budgets, chart, holds, journal, open_items, periods, rates, reports,
};
use crate::bindings::backroom::types::types::{BusinessDate, Decimal, Instant, Money, Side};

/// What there is in the books of the fuzzer, and ids for what is made.
const KNOWN: [&str; 20] = [
    "w1", "laptop", "desk", "stock", "vendor", "staff", "e0", "e1", "e2", "h0", "h1", "m1", "s1", "L1", "b0", "x1",
    "main", "eu", "spot", "a",
];
/// Accounts, those that take part in most things first.
pub(super) const ACCOUNTS: [&str; 13] = [
    "1000", "6100", "1400", "2000", "3200", "4000", "eu/1000", "eu/1100", "eu/3200", "eu/4000", "eu/7000", "eu/7100",
    "9",
];
/// Mostly the first, so that sums are the same by accident.
const AMOUNTS: [u64; 8] = [100, 100, 100, 50, 1, 2_500, 0, (1 << 53) - 1];
/// One in so many values is any that the type can have.
const WILD: u32 = 24;

/// A value out of bytes that means something.
pub(super) trait Near: Sized {
    /// The next one.
    fn near(u: &mut Unstructured<'_>) -> Result<Self>;
}

/// One that means something, or any.
pub(super) fn near<T: Near + for<'a> Arbitrary<'a>>(u: &mut Unstructured<'_>) -> Result<T> {
    if wild(u)? { u.arbitrary() } else { T::near(u) }
}

fn wild(u: &mut Unstructured<'_>) -> Result<bool> {
    u.ratio(1, WILD)
}

fn of(u: &mut Unstructured<'_>, known: &[&str]) -> Result<String> {
    if wild(u)? { u.arbitrary() } else { Ok((*u.choose(known)?).to_owned()) }
}

/// An id of anything.
pub(super) fn id(u: &mut Unstructured<'_>) -> Result<String> {
    of(u, &KNOWN)
}

pub(super) fn account(u: &mut Unstructured<'_>) -> Result<String> {
    of(u, &ACCOUNTS)
}

pub(super) fn book(u: &mut Unstructured<'_>) -> Result<String> {
    of(u, &["main", "eu"])
}

pub(super) fn currency(u: &mut Unstructured<'_>) -> Result<String> {
    of(u, &["USD", "USD", "EUR", "JPY"])
}

/// Text for people.
pub(super) fn text(u: &mut Unstructured<'_>) -> Result<String> {
    of(u, &["rent", "e0", "a \u{e4}", ""])
}

pub(super) fn minor(u: &mut Unstructured<'_>) -> Result<u64> {
    if wild(u)? { u.arbitrary() } else { Ok(*u.choose(&AMOUNTS)?) }
}

/// Perhaps a value.
pub(super) fn maybe<T>(
    u: &mut Unstructured<'_>,
    value: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { value(u).map(Some) } else { Ok(None) }
}

/// Up to `most` values.
pub(super) fn many<T>(
    u: &mut Unstructured<'_>,
    most: usize,
    mut value: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=most)?).map(|_| value(u)).collect()
}

/// Where a list goes on; mostly at its beginning.
pub(super) fn cursor(u: &mut Unstructured<'_>) -> Result<Option<String>> {
    if u.ratio(3, 4)? { Ok(None) } else { maybe(u, id) }
}

pub(super) fn limit(u: &mut Unstructured<'_>) -> Result<u32> {
    if u.ratio(7, 8)? { u.int_in_range(1..=500) } else { u.arbitrary() }
}

impl Near for BusinessDate {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        if u.arbitrary()? {
            return Ok(Self { year: 2026, month: 6, day: 30 });
        }
        let year = *u.choose(&[2026, 2025, 2027])?;
        Ok(Self { year, month: u.int_in_range(1..=12)?, day: *u.choose(&[1, 15, 28, 30, 31])? })
    }
}

impl Near for Instant {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let now = super::NOW.0;
        Ok(Self { microseconds: *u.choose(&[now + 3_600_000_000, now, now - 1, 0])? })
    }
}

impl Near for Money {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { minor: minor(u)?, currency: currency(u)? })
    }
}

impl Near for Decimal {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { mantissa: u64::from(u8::arbitrary(u)?), scale: *u.choose(&[0, 0, 2, 6, 12])? })
    }
}

impl Near for journal::Dimension {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { name: of(u, &["cost-center", "project"])?, value: id(u)? })
    }
}

/// Entries that balance, mostly: each debit has a credit of the same amount.
impl Near for journal::NewEntry {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (id, date) = (of(u, &["e1", "e2", "e3", "e0"])?, near(u)?);
        let european: bool = u.ratio(1, 4)?;
        let accounts = if european { &ACCOUNTS[6..12] } else { &ACCOUNTS[..6] };
        let mut lines = Vec::new();
        for _ in 0..u.int_in_range(1..=2)? {
            let amount = Money { minor: minor(u)?, currency: if european { currency(u)? } else { "USD".to_owned() } };
            for side in [Side::Debit, Side::Credit] {
                let dimensions = if u.ratio(1, 4)? { many(u, 2, near)? } else { Vec::new() };
                let memo = if u.ratio(1, 8)? { Some(text(u)?) } else { None };
                lines.push(journal::Line { account: of(u, accounts)?, side, amount: amount.clone(), dimensions, memo });
            }
        }
        if u.ratio(1, 16)? {
            lines.pop();
        }
        Ok(Self { id, date, description: "x".to_owned(), lines })
    }
}

impl Near for journal::Signed {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { negative: u.ratio(1, 8)?, minor: minor(u)? })
    }
}

impl Near for journal::Guard {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { account: account(u)?, figure: u.arbitrary()?, comparison: u.arbitrary()?, value: near(u)? })
    }
}

impl Near for journal::LineDetails {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (base, rate) = (maybe(u, near)?, maybe(u, near)?);
        Ok(Self { line: u.int_in_range(0..=3)?, base, rate, party: maybe(u, id)?, due: maybe(u, near)? })
    }
}

impl Near for journal::EntryDetails {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let kind = maybe(u, |u| of(u, &["manual", "sales", "payroll", "host:sweep"]))?;
        let metadata = |u: &mut Unstructured<'_>| Ok(journal::Metadata { name: id(u)?, value: text(u)? });
        Ok(Self {
            reference: maybe(u, text)?,
            kind,
            guards: many(u, 2, near)?,
            source_document: maybe(u, id)?,
            metadata: many(u, 2, metadata)?,
            lines: many(u, 2, near)?,
        })
    }
}

impl Near for journal::BatchItem {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let group = maybe(u, |u| u.int_in_range(0..=2))?;
        Ok(Self { group, entry: near(u)?, details: maybe(u, near)? })
    }
}

impl Near for journal::Reversal {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (of, entry) = (of(u, &["e0", "e1", "e2"])?, of(u, &["r1", "r2", "e1"])?);
        Ok(Self { of, entry, original_day: u.arbitrary()?, reason: text(u)?, force: u.arbitrary()? })
    }
}

impl Near for holds::Settlement {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (hold, entry) = (of(u, &["h0", "e1", "e2", "e3"])?, of(u, &["p1", "p2", "e2"])?);
        Ok(Self { hold, entry, amount: maybe(u, near)?, last: u.arbitrary()?, date: maybe(u, near)? })
    }
}

impl Near for open_items::ItemRef {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { entry: of(u, &["e0", "e1", "e2", "e3", "f0"])?, line: u.int_in_range(0..=3)? })
    }
}

impl Near for open_items::ItemFilter {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { account: maybe(u, account)?, party: maybe(u, id)?, as_of: maybe(u, near)? })
    }
}

impl Near for open_items::NewMatch {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let pair =
            |u: &mut Unstructured<'_>| Ok(open_items::Pair { debit: near(u)?, credit: near(u)?, minor: minor(u)? });
        let off = |u: &mut Unstructured<'_>| {
            Ok(open_items::WriteOff { item: near(u)?, account: account(u)?, minor: minor(u)? })
        };
        let (id, date) = (of(u, &["m1", "m2"])?, near(u)?);
        let mut pairs = vec![pair(u)?];
        pairs.extend(many(u, 1, pair)?);
        let entry = maybe(u, |u| of(u, &["me1", "me2", "e2"]))?;
        Ok(Self { id, date, pairs, write_off: maybe(u, off)?, tolerance: minor(u)?, entry })
    }
}

impl Near for bank::BankLine {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (counterparty, reference) = (maybe(u, text)?, maybe(u, text)?);
        Ok(Self {
            id: of(u, &["L1", "L2", "L3"])?,
            date: near(u)?,
            side: u.arbitrary()?,
            minor: minor(u)?,
            counterparty,
            reference,
        })
    }
}

/// A statement that begins at zero and adds up, mostly.
impl Near for bank::Statement {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut lines: Vec<bank::BankLine> = vec![near(u)?];
        lines.extend(many(u, 2, near)?);
        let sum: i128 =
            lines.iter().map(|line| i128::from(line.minor) * if line.side == Side::Debit { 1 } else { -1 }).sum();
        let minor = u64::try_from(sum.unsigned_abs()).unwrap_or(0);
        let closing = bank::Balance { negative: sum < 0, minor: minor.saturating_add(u.ratio(1, 16)?.into()) };
        let opening = bank::Balance { negative: false, minor: 0 };
        Ok(Self { id: of(u, &["s1", "s2"])?, account: of(u, &["6100", "eu/1000", "1000"])?, opening, closing, lines })
    }
}

impl Near for periods::NewException {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let holder = match u.int_in_range(0..=2)? {
            0 => periods::Holder::Actor(of(u, &["fuzz"])?),
            1 => periods::Holder::Installation(of(u, &["fuzz"])?),
            _ => periods::Holder::Everyone,
        };
        Ok(Self { id: of(u, &["x1", "x2"])?, scope: u.arbitrary()?, holder, until: near(u)?, reason: text(u)? })
    }
}

impl Near for rates::NewRate {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let (source, target) = (currency(u)?, of(u, &["EUR", "EUR", "USD"])?);
        Ok(Self { date: near(u)?, source, target, kind: of(u, &["spot", "closing"])?, rate: near(u)? })
    }
}

impl Near for rates::NewRevaluation {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let accounts = many(u, 2, |u| of(u, &["eu/1100", "eu/1000", "1000"]))?;
        let kind = maybe(u, |u| of(u, &["spot", "closing"]))?;
        Ok(Self { id: of(u, &["v1", "v2", "e1"])?, as_of: near(u)?, accounts, kind, reverse: u.arbitrary()? })
    }
}

impl Near for budgets::NewBudget {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let whole = |year| budgets::BudgetPeriod {
            first_day: BusinessDate { year, month: 1, day: 1 },
            last_day: BusinessDate { year, month: 12, day: 31 },
            amount: Money { minor: 100, currency: "USD".to_owned() },
        };
        let mut periods = vec![whole(2026)];
        if u.ratio(1, 4)? {
            let (first_day, last_day, amount) = (near(u)?, near(u)?, near(u)?);
            periods.push(budgets::BudgetPeriod { first_day, last_day, amount });
        }
        Ok(Self {
            id: of(u, &["b0", "b1"])?,
            account: account(u)?,
            dimension: maybe(u, near)?,
            periods,
            action: u.arbitrary()?,
        })
    }
}

impl Near for reports::Span {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { first_day: maybe(u, near)?, last_day: maybe(u, near)? })
    }
}

impl Near for reports::Portion {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        if u.ratio(1, 4)? {
            return Ok(Self::Remainder);
        }
        let (numerator, denominator) = (u.int_in_range(0..=7)?, u.int_in_range(0..=12)?);
        Ok(Self::Fraction(reports::Fraction { numerator, denominator }))
    }
}

impl Near for workers::EmploymentFilter {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        let position = maybe(u, |u| of(u, &["CPA"]))?;
        Ok(Self { first_day: maybe(u, near)?, last_day: maybe(u, near)?, position, place: u.arbitrary()? })
    }
}

impl Near for benefits::NewBenefit {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self {
            id: of(u, &["g1", "g2"])?,
            worker: of(u, &["w1"])?,
            plan: id(u)?,
            first_day: near(u)?,
            last_day: near(u)?,
            amount: near(u)?,
            cost_center: of(u, &["CC-1"])?,
            entry: if u.ratio(1, 4)? { Some(id(u)?) } else { None },
        })
    }
}

impl Near for stock::NewMove {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        const PLACES: [&str; 3] = ["stock", "vendor", "staff"];
        let cost = |u: &mut Unstructured<'_>| Ok(Money { minor: minor(u)?, currency: "USD".to_owned() });
        Ok(Self {
            id: of(u, &["m1", "m2", "m3"])?,
            date: near(u)?,
            item: of(u, &["laptop", "desk"])?,
            quantity: near(u)?,
            source: of(u, &PLACES)?,
            destination: of(u, &PLACES)?,
            lot: maybe(u, |u| of(u, &["SN-1", "SN-2"]))?,
            cost: maybe(u, cost)?,
            worker: maybe(u, |u| of(u, &["w1"]))?,
            reason: "r".to_owned(),
            entry: maybe(u, |u| of(u, &["e1", "e2"]))?,
        })
    }
}

/// Requests whose form is good; nothing is sent from here.
impl Near for http::Request {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        const URLS: [&str; 4] =
            ["https://bank.example/v1", "http://10.0.0.1:8080/", "https://bank.example/a/../b", "https://[::1]/%2e%2e"];
        let value = |u: &mut Unstructured<'_>| of(u, &["1", "Bearer {{secret:bank}}", "{{secret:"]);
        let header = |u: &mut Unstructured<'_>| {
            Ok(http::Header { name: of(u, &["x-a", "authorization", "host"])?, value: value(u)? })
        };
        let (method, url): (http::Method, _) = (u.arbitrary()?, of(u, &URLS)?);
        let bodiless = matches!(method, http::Method::Get | http::Method::Head | http::Method::Delete);
        let body = if bodiless { Vec::new() } else { u.arbitrary()? };
        Ok(Self { method, url, headers: many(u, 3, header)?, body, timeout_ms: *u.choose(&[1, 30_000, 0])? })
    }
}

impl Near for chart::NewBook {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self {
            id: id(u)?,
            name: text(u)?,
            base: currency(u)?,
            year_start: u.int_in_range(0..=13)?,
            retained_earnings: maybe(u, account)?,
            exchange_gain: maybe(u, account)?,
            exchange_loss: maybe(u, account)?,
        })
    }
}

impl Near for chart::NewAccount {
    fn near(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self {
            code: if u.arbitrary()? { account(u)? } else { format!("{}", u.int_in_range(1_000..=1_100)?) },
            name: text(u)?,
            kind: *u.choose(&[accounts::AccountType::Asset, accounts::AccountType::Expense])?,
            parent: maybe(u, account)?,
            currency: currency(u)?,
            posting: u.arbitrary()?,
            stock_control: u.arbitrary()?,
            rules: u.arbitrary()?,
        })
    }
}
