//! Statements: the lines of an account with its balance behind each.

use std::collections::BTreeMap;

use backroom_domain::ledger::reports::{Net, Span};
use backroom_domain::ledger::{Account, Entry, Line, Sums};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Currency, Error, Id, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::each_entry;
use super::{MAX_ROWS, Narrower, figures, posting_account, readable, too_many};
use crate::error::Result;
use crate::ledger::journal::is_readable;
use crate::page::PageRequest;
use crate::work::Work;

/// The most lines that a statement over all its pages has.
const MAX_LINES: usize = 1_000_000;

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatedLine {
    /// The entry; none if it has an account that may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
    /// Its number in the journal.
    pub number: u64,
    /// Which of its lines, from 0.
    pub line: u32,
    /// Its day.
    pub date: BusinessDate,
    /// Its description; none as with `entry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The memo of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Debit or credit.
    pub side: Side,
    /// Minor units.
    pub minor: u64,
    /// The balance behind it.
    pub balance: Net,
}

/// A page of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// The account.
    pub account: Id,
    /// Its currency.
    pub currency: Currency,
    /// The balance before the first line of this page.
    pub opening: Net,
    /// By day, and within a day in the order of the journal.
    pub lines: Vec<StatedLine>,
    /// The balance behind the last line of this page.
    pub closing: Net,
    /// Where the next page begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An account of a general ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLines {
    /// The account.
    pub account: Id,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// The balance before the first day.
    pub opening: Net,
    /// By day, and within a day in the order of the journal.
    pub lines: Vec<StatedLine>,
    /// The balance at the end of the last day.
    pub closing: Net,
}

/// A page of the statement of an account: its lines in the span with the balance behind each. The pages of one statement fit
/// together as long as nothing is posted to the account within the span.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`; `account-is-header`; `period-invalid`; `limit-invalid` and `cursor-invalid` together;
/// `history-not-kept`; `too-many-entries`; `too-many-rows`.
pub fn statement(work: &Work, account: &Id, span: &Span, request: &PageRequest) -> Result<Statement> {
    let currency = posting_account(work, Operation::Statement, account)?;
    span.check("span")?;
    let (cursor, limit) = request.check()?;
    let after = cursor.map(|bytes| place(&bytes)).transpose()?;
    let (before, _) = figures(work, account, span)?;
    let mut lines = Vec::new();
    each_entry(work, span, |entry| {
        collect(
            work,
            entry,
            |line| line.account == *account,
            |_, line| {
                if lines.len() == MAX_LINES {
                    return Err(too_many(MAX_LINES, "lines", Narrower::Days));
                }
                lines.push(line);
                Ok(())
            },
        )
    })?;
    let mut balance = run(before, &mut lines);
    let begin = after.map_or(0, |after| lines.partition_point(|line| key(line) <= after));
    let opening = match begin.checked_sub(1).and_then(|last| lines.get(last)) {
        Some(line) => line.balance,
        None => Net::of(before),
    };
    let mut page = lines.split_off(begin);
    let more = page.len() > limit;
    page.truncate(limit);
    if let Some(line) = page.last() {
        balance = line.balance;
    }
    let next = page.last().filter(|_| more).map(|line| cursor_of(key(line)));
    Ok(Statement { account: account.clone(), currency, opening, lines: page, closing: balance, next })
}

/// Every account that may be read with its lines in the span; accounts without lines and without a balance are left out.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `period-invalid`; `history-not-kept` of one of them;
/// `too-many-entries`; `too-many-rows` above [`MAX_ROWS`] accounts or lines.
pub fn general_ledger(work: &Work, span: &Span) -> Result<Vec<AccountLines>> {
    work.rights().check_read_ledger(Operation::GeneralLedger)?;
    span.check("span")?;
    let accounts = readable(work, Operation::GeneralLedger)?;
    let (mut lines, mut before) = (BTreeMap::<Id, Vec<StatedLine>>::new(), BTreeMap::new());
    for Account { new, .. } in accounts.iter().filter(|account| account.new.posting) {
        before.insert(new.code.clone(), figures(work, &new.code, span)?.0);
        lines.insert(new.code.clone(), Vec::new());
    }
    let known: std::collections::BTreeSet<Id> = lines.keys().cloned().collect();
    let mut count = 0;
    each_entry(work, span, |entry| {
        collect(
            work,
            entry,
            |line| known.contains(&line.account),
            |account, line| {
                count += 1;
                if count > MAX_ROWS {
                    return Err(too_many(MAX_ROWS, "lines", Narrower::Account));
                }
                lines.entry(account.clone()).or_default().push(line);
                Ok(())
            },
        )
    })?;
    let mut ledger = Vec::new();
    for Account { new, .. } in accounts {
        let (Some(mut lines), Some(before)) = (lines.remove(&new.code), before.remove(&new.code)) else { continue };
        let closing = run(before, &mut lines);
        let opening = Net::of(before);
        if !lines.is_empty() || opening.minor > 0 {
            ledger.push(AccountLines {
                account: new.code,
                name: new.name,
                currency: new.currency,
                opening,
                lines,
                closing,
            });
        }
    }
    Ok(ledger)
}

/// Gives the lines of an entry that `wanted` wants to `take`, with their accounts.
fn collect(
    work: &Work,
    entry: &Entry,
    wanted: impl Fn(&Line) -> bool,
    mut take: impl FnMut(&Id, StatedLine) -> Result<()>,
) -> Result<()> {
    let mut readable = None;
    for (number, line) in (0_u32..).zip(&entry.new.lines) {
        if !wanted(line) {
            continue;
        }
        let shown = match readable {
            Some(shown) => shown,
            None => *readable.insert(is_readable(work, Operation::Statement, &entry.new.lines)?),
        };
        let stated = StatedLine {
            entry: shown.then(|| entry.new.id.clone()),
            number: entry.number,
            line: number,
            date: entry.new.date,
            description: shown.then(|| entry.new.description.clone()),
            memo: line.memo.clone(),
            side: line.side,
            minor: line.amount.minor,
            balance: Net::of(Sums::default()),
        };
        take(&line.account, stated)?;
    }
    Ok(())
}

/// Puts the lines in order and the balance behind each; gives the last.
fn run(before: Sums, lines: &mut [StatedLine]) -> Net {
    lines.sort_by_key(key);
    let mut sums = before;
    for line in lines {
        let side = if line.side == Side::Debit { &mut sums.debits } else { &mut sums.credits };
        *side = side.saturating_add(line.minor.into());
        line.balance = Net::of(sums);
    }
    Net::of(sums)
}

type Key = (u32, u64, u32);

fn key(line: &StatedLine) -> Key {
    (line.date.number(), line.number, line.line)
}

fn cursor_of((date, number, line): Key) -> String {
    let mut bytes = date.to_be_bytes().to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend(line.to_be_bytes());
    hex::encode(bytes)
}

fn place(bytes: &[u8]) -> std::result::Result<Key, Error> {
    let wrong = || Error::invalid("cursor-invalid", "cursor", "this cursor was not given by the service");
    let (date, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
    let (number, rest) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
    let line = <[u8; 4]>::try_from(rest).map_err(|_| wrong())?;
    Ok((u32::from_be_bytes(*date), u64::from_be_bytes(*number), u32::from_be_bytes(line)))
}
