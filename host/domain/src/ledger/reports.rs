//! Rows and sums of reports. Everything is added up in 128 bits and shown with a side instead of a sign.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Account, AccountType, Sums};
use crate::{BusinessDate, Class, Currency, Error, Id, Money, Result, Side};

/// The most columns of a report: twelve months, or a year beside others.
pub const MAX_SPANS: usize = 12;

/// A balance or a change: how much, and on which side. Nothing is a debit of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Net {
    /// The larger side.
    pub side: Side,
    /// Minor units.
    pub minor: u128,
}

/// A stretch of days, both counted; open where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BusinessDate>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BusinessDate>,
}

/// What a report shows of an account in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The balance before the first day.
    pub opening: Net,
    /// Debits within.
    pub debits: u128,
    /// Credits within.
    pub credits: u128,
    /// The balance at the end of the last day.
    pub closing: Net,
}

/// An account of a report, or in one currency a header account with the sums of all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRow {
    /// The account.
    pub account: Id,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AccountType,
    /// The headers above it, from the top.
    pub path: Vec<Id>,
    /// `false`: a header, with sub-totals.
    pub posting: bool,
    /// The currency.
    pub currency: Currency,
    /// One for each span.
    pub columns: Vec<Column>,
}

/// What is added up in a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Total {
    /// All assets.
    Asset,
    /// All liabilities.
    Liability,
    /// All equity accounts.
    Equity,
    /// All income.
    Income,
    /// All expenses.
    Expense,
    /// Income and expenses together: profit is a credit, loss a debit. Until a year is closed it is what a balance sheet lacks in equity.
    Earnings,
    /// Everything that the report shows, earnings included: debits equal credits.
    All,
}

/// What income and expenses come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Income is more, or both are the same.
    Profit,
    /// Expenses are more.
    Loss,
}

/// How much was earned or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Earned {
    /// Which of the two.
    pub outcome: Outcome,
    /// How much, in minor units.
    pub minor: u128,
}

/// A total of a report in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportTotal {
    /// Of what.
    pub total: Total,
    /// The currency.
    pub currency: Currency,
    /// One for each span.
    pub columns: Vec<Column>,
    /// Of the total `earnings`, one for each span: what was earned within it in an income statement, and up to its last day in the
    /// other reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earned: Vec<Earned>,
}

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// Every account: opening balance, turnover, closing balance.
    TrialBalance,
    /// Assets, liabilities, equity: their closing balances, and the earnings that no year's closing has moved to equity yet.
    BalanceSheet,
    /// Income and expenses: their turnover.
    IncomeStatement,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Which.
    pub report: ReportKind,
    /// Its columns.
    pub spans: Vec<Span>,
    /// By type, then as the tree of accounts has them: headers before what is below them, and else by code. Accounts that were never
    /// posted to in any span are left out.
    pub rows: Vec<ReportRow>,
    /// Totals by type, then earnings, then all.
    pub totals: Vec<ReportTotal>,
}

/// What was posted to an account before a span, and up to its end.
pub type Figures = (Sums, Sums);

impl Net {
    /// The difference of two sums.
    pub fn of(sums: Sums) -> Self {
        match sums.credits.checked_sub(sums.debits) {
            Some(minor) if minor > 0 => Self { side: Side::Credit, minor },
            _ => Self { side: Side::Debit, minor: sums.debits.saturating_sub(sums.credits) },
        }
    }
}

impl Earned {
    /// What a column of the total `earnings` of a report says.
    pub fn of(report: ReportKind, column: &Column) -> Self {
        let net = match report {
            ReportKind::IncomeStatement => Net::of(Sums { debits: column.debits, credits: column.credits }),
            ReportKind::TrialBalance | ReportKind::BalanceSheet => column.closing,
        };
        let outcome = if net.side == Side::Debit && net.minor > 0 { Outcome::Loss } else { Outcome::Profit };
        Self { outcome, minor: net.minor }
    }
}

impl Column {
    /// What happened between two sums.
    pub fn of((before, through): Figures) -> Self {
        Self {
            opening: Net::of(before),
            debits: through.debits.saturating_sub(before.debits),
            credits: through.credits.saturating_sub(before.credits),
            closing: Net::of(through),
        }
    }
}

impl Span {
    /// `period-invalid` if the last day is before the first.
    pub fn check(&self, field: &str) -> Result<()> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if to < from => {
                Err(Error::invalid("period-invalid", field, format!("{to} is before {from}")))
            }
            _ => Ok(()),
        }
    }

    /// Is the day within?
    pub fn has(&self, date: BusinessDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

/// `period-invalid` unless there is at least one span, at most [`MAX_SPANS`], and none ends before it begins.
pub fn check_spans(spans: &[Span]) -> Result<()> {
    if spans.is_empty() || spans.len() > MAX_SPANS {
        let message = format!("a report has 1 to {MAX_SPANS} columns, not {}", spans.len());
        return Err(Error::invalid("period-invalid", "spans", message));
    }
    spans.iter().enumerate().try_for_each(|(i, span)| span.check(&format!("spans[{i}]")))
}

impl ReportKind {
    fn kinds(self) -> &'static [AccountType] {
        use AccountType::{Asset, Equity, Expense, Income, Liability};
        match self {
            Self::TrialBalance => &[Asset, Liability, Equity, Income, Expense],
            Self::BalanceSheet => &[Asset, Liability, Equity],
            Self::IncomeStatement => &[Income, Expense],
        }
    }
}

/// Lays a report out. `figures` has one pair for each span of every posting account; `accounts` has those and the headers.
pub fn report(
    report: ReportKind,
    spans: &[Span],
    accounts: &[Account],
    figures: &BTreeMap<Id, Vec<Figures>>,
) -> Report {
    let by_code: BTreeMap<&Id, &Account> = accounts.iter().map(|account| (&account.new.code, account)).collect();
    let moved = |figures: &Vec<Figures>| figures.iter().any(|(_, through)| *through != Sums::default());
    let mut subtotals = BTreeMap::<(&Id, Currency), Vec<Figures>>::new();
    let mut totals = BTreeMap::<(Total, Currency), Vec<Figures>>::new();
    for (code, own) in figures.iter().filter(|(_, own)| moved(own)) {
        let Some(account) = by_code.get(code) else { continue };
        let currency = account.new.currency;
        for above in above(account, &by_code) {
            add(subtotals.entry((&above.new.code, currency)).or_default(), own);
        }
        for total in totals_of(report, account.new.kind) {
            add(totals.entry((total, currency)).or_default(), own);
        }
    }
    let mut rows = Vec::new();
    for kind in report.kinds() {
        for account in tree(*kind, accounts, &by_code) {
            let code = &account.new.code;
            let row = |currency, own: &Vec<Figures>| ReportRow {
                account: code.clone(),
                name: account.new.name.clone(),
                kind: account.new.kind,
                path: above(account, &by_code).iter().rev().map(|above| above.new.code.clone()).collect(),
                posting: account.new.posting,
                currency,
                columns: own.iter().map(|own| Column::of(*own)).collect(),
            };
            match figures.get(code).filter(|own| moved(own)) {
                Some(own) => rows.push(row(account.new.currency, own)),
                None => rows.extend(
                    subtotals.iter().filter(|((above, _), _)| *above == code).map(|((_, c), own)| row(*c, own)),
                ),
            }
        }
    }
    let total = |((total, currency), own): ((Total, Currency), Vec<Figures>)| {
        let columns: Vec<Column> = own.into_iter().map(Column::of).collect();
        let earnings = columns.iter().filter(|_| total == Total::Earnings);
        let earned = earnings.map(|column| Earned::of(report, column)).collect();
        ReportTotal { total, currency, columns, earned }
    };
    Report { report, spans: spans.to_vec(), rows, totals: totals.into_iter().map(total).collect() }
}

/// The totals that an account counts for.
fn totals_of(report: ReportKind, kind: AccountType) -> Vec<Total> {
    let (own, earned) = match kind {
        AccountType::Asset => (Total::Asset, false),
        AccountType::Liability => (Total::Liability, false),
        AccountType::Equity => (Total::Equity, false),
        AccountType::Income => (Total::Income, true),
        AccountType::Expense => (Total::Expense, true),
    };
    let shown = report.kinds().contains(&kind);
    let mut totals = Vec::new();
    if shown {
        totals.push(own);
    }
    if earned {
        totals.push(Total::Earnings);
    }
    if shown || report == ReportKind::BalanceSheet {
        totals.push(Total::All);
    }
    totals
}

fn add(sum: &mut Vec<Figures>, more: &[Figures]) {
    sum.resize(more.len(), Figures::default());
    let plus = |a: &mut Sums, b: &Sums| {
        a.debits = a.debits.saturating_add(b.debits);
        a.credits = a.credits.saturating_add(b.credits);
    };
    for (sum, more) in sum.iter_mut().zip(more) {
        plus(&mut sum.0, &more.0);
        plus(&mut sum.1, &more.1);
    }
}

/// The headers above an account, from below; those that are not among the accounts are left out.
fn above<'a>(account: &Account, accounts: &BTreeMap<&Id, &'a Account>) -> Vec<&'a Account> {
    let mut found = Vec::new();
    let mut parent = account.new.parent.as_ref();
    while let Some(above) = parent.and_then(|code| accounts.get(code)).filter(|_| found.len() < accounts.len()) {
        found.push(*above);
        parent = above.new.parent.as_ref();
    }
    found
}

/// The accounts of a type as a tree is read: each before those below it.
fn tree<'a>(kind: AccountType, accounts: &'a [Account], by_code: &BTreeMap<&Id, &'a Account>) -> Vec<&'a Account> {
    let mut below = BTreeMap::<Option<&Id>, Vec<&Account>>::new();
    for account in accounts.iter().filter(|account| account.new.kind == kind) {
        let parent = account.new.parent.as_ref().filter(|parent| by_code.contains_key(parent));
        below.entry(parent).or_default().push(account);
    }
    below.values_mut().for_each(|accounts| accounts.sort_by(|a, b| b.new.code.cmp(&a.new.code)));
    let mut next = below.remove(&None).unwrap_or_default();
    let mut order = Vec::new();
    while let Some(account) = next.pop() {
        order.push(account);
        next.extend(below.remove(&Some(&account.new.code)).unwrap_or_default());
    }
    order
}

/// What comes of a stated balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assertion {
    /// Whether it is within the tolerance.
    pub holds: bool,
    /// The balance in the books.
    pub balance: Net,
    /// What the books have more than was stated.
    pub difference: Net,
}

/// Compares the books with a stated balance: `holds` if the two differ by at most `tolerance` minor units.
pub fn assert_balance(books: Sums, stated: (Side, u64), tolerance: u64) -> Assertion {
    let mut over = books;
    // The statement is taken off by adding it to the other side.
    match stated.0 {
        Side::Debit => over.credits = over.credits.saturating_add(stated.1.into()),
        Side::Credit => over.debits = over.debits.saturating_add(stated.1.into()),
    }
    let difference = Net::of(over);
    Assertion { holds: difference.minor <= tolerance.into(), balance: Net::of(books), difference }
}

/// `currency-mismatch` unless the stated amount is in the currency of the account; `amount-too-large`.
pub fn check_stated(account: &Id, currency: Currency, stated: Money) -> Result<()> {
    Money::new(stated.minor, stated.currency, "balance")?;
    if currency == stated.currency {
        return Ok(());
    }
    let message = format!("account {account} is kept in {currency}, not in {}", stated.currency);
    Err(Error::at(Class::Refused, "currency-mismatch", "balance", message))
}
