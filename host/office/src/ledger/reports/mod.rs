//! Reports: what the books say, in columns and in detail.
//!
//! Trial balance, balance sheet and income statement come from the totals of accounts and days; what names single entries
//! ([`statement`], [`general_ledger`], [`cash_flow`], [`by_dimension`], and the largest entries of [`explain`]) looks through the journal,
//! and takes as long as the journal is.

mod dimension;
mod explain;
mod flow;
mod lines;
mod scan;

use std::collections::BTreeMap;
use std::fmt;

use backroom_domain::ledger::reports::{self, Assertion, Figures, ReportKind, Span};
use backroom_domain::ledger::{self as domain, Account, Balance, Portion, Sums};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Currency, Error, Id, Money, Side};

pub use backroom_domain::ledger::reports::Report;
pub use dimension::{DimensionRow, by_dimension};
pub use explain::{Explanation, Largest, MAX_LARGEST, Month, explain};
pub use flow::{CashFlow, CashRow, CashTotal, cash_flow};
pub use lines::{AccountLines, StatedLine, Statement, general_ledger, statement};
pub use scan::MAX_SCANNED;

use super::accounts::kind_of;
use super::balances::posted;
use super::export::all_accounts;
use crate::error::Result;
use crate::work::Work;

/// The most accounts, lines or rows of a report.
pub const MAX_ROWS: usize = 10_000;

/// A report over the accounts that may be read, with a column for each span.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `period-invalid`; `too-many-rows` above [`MAX_ROWS`]
/// accounts; `history-not-kept` of one of them.
pub fn report(work: &Work, kind: ReportKind, spans: &[Span]) -> Result<Report> {
    work.rights().check_read_ledger(Operation::Report)?;
    reports::check_spans(spans)?;
    let accounts = readable(work, Operation::Report)?;
    let mut all = BTreeMap::new();
    for account in accounts.iter().filter(|account| account.new.posting) {
        let own = spans.iter().map(|span| figures(work, &account.new.code, span)).collect::<Result<Vec<_>>>()?;
        all.insert(account.new.code.clone(), own);
    }
    Ok(reports::report(kind, spans, &accounts, &all))
}

/// Compares the balance of an account at the end of a day with a stated one; see [`reports::assert_balance`].
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`; `account-is-header`; `amount-too-large`; `currency-mismatch`; `history-not-kept`.
pub fn assert_balance(
    work: &Work,
    account: &Id,
    date: BusinessDate,
    stated: (Side, Money),
    tolerance: u64,
) -> Result<Assertion> {
    let currency = posting_account(work, Operation::AssertBalance, account)?;
    reports::check_stated(account, currency, stated.1)?;
    let balance = posted(work, account, Some(date))?;
    Ok(reports::assert_balance(sums(&balance), (stated.0, stated.1.minor), tolerance))
}

/// Splits an amount; see [`domain::allocate`]. Needs the right to read any account, as all that plugins call needs one.
///
/// # Errors
/// `ledger-read-denied`, then as [`domain::allocate`].
pub fn allocate(work: &Work, amount: Money, portions: &[Portion]) -> Result<Vec<Money>> {
    work.rights().check_read_ledger(Operation::Allocate)?;
    Ok(domain::allocate(amount, portions)?)
}

/// The currency of a posting account that may be read, or `ledger-read-denied`, `not-found`, `account-is-header`, in this order.
fn posting_account(work: &Work, operation: Operation, account: &Id) -> Result<Currency> {
    work.rights().check_read_account(operation, account, kind_of(work, account)?)?;
    let found = work.tx().get::<Account>(account)?.ok_or_else(|| Error::not_found("account", account))?;
    if found.new.posting {
        return Ok(found.new.currency);
    }
    let message = format!("account {account} is a header account, which has no balance of its own");
    Err(Error::at(Class::Refused, "account-is-header", "account", message).into())
}

/// Every account that may be read, at most [`MAX_ROWS`].
fn readable(work: &Work, operation: Operation) -> Result<Vec<Account>> {
    let accounts = all_accounts(work, operation)?;
    match accounts.len() {
        n if n > MAX_ROWS => Err(too_many(MAX_ROWS, "accounts", Narrower::Account)),
        _ => Ok(accounts),
    }
}

/// What was posted to an account before a span, and up to its end. Both are asked for before the journal is looked through: if they are
/// not known, that would be for nothing.
///
/// # Errors
/// `history-not-kept`.
fn figures(work: &Work, account: &Id, span: &Span) -> Result<Figures> {
    let before = match span.from {
        None => Sums::default(),
        Some(from) => match from.day_before() {
            None => Sums::default(),
            Some(day) => sums(&posted(work, account, Some(day))?),
        },
    };
    Ok((before, sums(&posted(work, account, span.to)?)))
}

fn sums(balance: &Balance) -> Sums {
    Sums { debits: balance.debits.into(), credits: balance.credits.into() }
}

/// What makes a report smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrower {
    /// Fewer of its columns.
    Columns,
    /// Fewer of the days that it is about.
    Days,
    /// Fewer days, or the statement of one account.
    Account,
}

/// `too-many-rows`: `limit` says what stands in the way, as in "at most 10,000 lines".
pub fn too_many_rows(limit: impl fmt::Display, narrower: Narrower) -> Error {
    let (field, advice) = match narrower {
        Narrower::Columns => ("spans", "ask for fewer columns, or for the balances of some accounts at a time"),
        Narrower::Days => ("span", "ask for fewer days at a time"),
        Narrower::Account => {
            ("span", "ask for fewer days at a time, or for the statement of one account, page by page")
        }
    };
    Error::at(Class::Refused, "too-many-rows", field, format!("the report is too large ({limit}): {advice}"))
}

fn too_many(most: usize, what: &str, narrower: Narrower) -> crate::error::Failure {
    too_many_rows(format_args!("at most {most} {what}"), narrower).into()
}
