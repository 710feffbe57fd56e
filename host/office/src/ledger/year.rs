//! Closing a year, and what the next one opens with.

use std::collections::BTreeMap;

use backroom_domain::ledger::year::{CLOSE_KIND, Results, closing_lines};
use backroom_domain::ledger::{
    Account, AccountType, Adding, BaseBalance, ClosedYear, Dimension, EntryDetails, FiscalYear, Floor, Line, LockKind,
    NewClosing, NewEntry, Opening, Scope, YearClosing,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Currency, Effect, Error, Id};

use super::books::{in_book, known};
use super::making::{self, How};
use super::periods::{Changed, control, lock_to};
use super::scan::every_entry;
use crate::error::Result;
use crate::ledger::journal;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Accounts read at once.
const CHUNK: usize = 500;
/// The longest id of a closing: ids of further entries are made of it.
pub(super) const MAX_ID: usize = 56;

/// A posting account of the book and what was posted to it.
struct Row {
    account: Account,
    opening: Opening,
}

/// Closes a fiscal year: one or more entries of its last day bring every income and expense account to zero, for each currency and set
/// of dimensions by itself, and retained earnings take the rest; the year is locked hard; what was posted to each account up to its end is
/// kept ([`list_openings`]). Years before it that were not closed are closed with it. Needs `ledger.periods` for the book; the entries
/// are the host's, so that no right to post and no ceiling counts.
///
/// Visits the whole journal, once in a year.
///
/// # Errors
/// In order: `periods-denied`; `id-too-long`, `no-accounts`; `book-not-found`; `year-invalid`; `already-closed` (a repeat is replayed);
/// `account-not-found`, `book-mismatch`, `not-equity`, `account-is-header`, `currency-mismatch` (two in one currency);
/// `periods-open` (the year is not locked up to its end); `retained-earnings-missing` (there is a result in a currency without an
/// account); `exists-with-different` (the id of an entry is taken); as of posting, how far ahead it is aside: `account-closed`; `limit-exceeded`; `overflow`.
pub fn close_year(work: &mut Work, book: &Id, new: NewClosing) -> Result<Changed<YearClosing>> {
    work.rights().check_periods(Operation::CloseYear, Some(book))?;
    check_form(&new)?;
    let record = known(work, book)?;
    let base = record.as_ref().map(|book| book.new.base);
    let year = FiscalYear::named(new.year, record.map_or(1, |book| book.new.year_start))?;
    if let Some(value) = work.tx().get::<YearClosing>(&(book.clone(), new.year))?
        && value.new == new
    {
        return Ok(Changed { value, replayed: true });
    }
    let control = control(work, book)?;
    if let Some(closed) = control.closed.as_ref().filter(|closed| closed.year >= new.year) {
        let message = format!("the books are closed through the fiscal year {}", closed.year);
        return Err(Error::at(Class::Refused, "already-closed", "year", message).into());
    }
    let retained = retained(work, book, &new)?;
    let all = control.lock(Scope::All);
    if all.soft.max(all.hard) < Some(year.last) {
        let message = format!("lock the scope all until {} before the year is closed", year.last);
        return Err(Error::at(Class::Refused, "periods-open", "year", message).into());
    }
    let (mut rows, results) = sums(work, book, base, control.closed.as_ref(), year.last)?;
    let entries = closing_lines(&results, &retained, base)?;
    let parts = (1..).zip(&entries);
    let ids = work.attempt(|work| {
        parts.map(|(part, lines)| post(work, &new, part, year, lines.clone())).collect::<Result<_>>()
    })?;
    // What was posted to an account up to the end of the year is part of what was posted at all, which did not overflow.
    for line in entries.iter().flatten() {
        if let Some(row) = rows.get_mut(&line.account) {
            row.opening.add(line)?;
        }
    }
    for row in rows.into_values() {
        work.put(&Opening { year: new.year, ..row.opening })?;
    }
    lock_to(work, book, Scope::All, LockKind::Hard, year.last)?;
    let mut control = super::periods::control(work, book)?;
    control.closed = Some(ClosedYear { year: new.year, last: year.last });
    work.put(&control)?;
    let actor = work.caller.actor.clone();
    let value = YearClosing { book: book.clone(), new, last: year.last, entries: ids, actor, recorded_at: work.now };
    work.put(&value)?;
    work.effect(Effect::YearClosed(value.clone()));
    Ok(Changed { value, replayed: false })
}

/// What the year behind a closed one opens with, an account each in order of their codes, those left out that may not be read.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_openings(work: &Work, book: &Id, year: u16, request: &PageRequest) -> Result<Page<Opening>> {
    list::<Opening, _>(work, &(book, year), None, request, |opening| {
        let kind = super::accounts::kind_of(work, &opening.account)?;
        let visible = work.rights().read_account(Operation::ListOpenings, &opening.account, kind);
        Ok(if visible { Step::Take(opening) } else { Step::Skip })
    })
}

fn check_form(new: &NewClosing) -> Result<()> {
    check_id(&new.id)?;
    if new.retained_earnings.is_empty() {
        let message = "name the accounts that take the result";
        return Err(Error::invalid("no-accounts", "retained-earnings", message).into());
    }
    Ok(())
}

/// `id-too-long`: other ids are made of it.
pub(super) fn check_id(id: &Id) -> Result<()> {
    if id.as_str().len() > MAX_ID {
        return Err(Error::invalid("id-too-long", "id", format!("this id has at most {MAX_ID} characters")).into());
    }
    Ok(())
}

/// The accounts that take the result, by currency.
fn retained(work: &Work, book: &Id, new: &NewClosing) -> Result<BTreeMap<Currency, Id>> {
    let mut by_currency = BTreeMap::new();
    for (i, code) in new.retained_earnings.iter().enumerate() {
        let field = format!("retained-earnings[{i}]");
        let refused = |word, message: String| Error::at(Class::Refused, word, field.clone(), message);
        let Some(Account { new: account, .. }) = work.tx().get::<Account>(code)? else {
            let message = format!("there is no account {code}");
            return Err(Error::at(Class::NotFound, "account-not-found", field, message).into());
        };
        if !in_book(work, code, book)? {
            return Err(refused("book-mismatch", format!("account {code} is in another book than {book}")).into());
        }
        if account.kind != AccountType::Equity {
            return Err(refused("not-equity", format!("account {code} is not of type equity")).into());
        }
        if !account.posting {
            return Err(refused("account-is-header", format!("account {code} is a header account")).into());
        }
        if by_currency.insert(account.currency, code.clone()).is_some() {
            let message = format!("there are two accounts in {}", account.currency);
            return Err(refused("currency-mismatch", message).into());
        }
    }
    Ok(by_currency)
}

/// Every posting account of the book with what was posted to it up to the end of the year, and what is on income and expense accounts by
/// currency and dimensions. What was up to the last closing is known.
fn sums(
    work: &Work,
    book: &Id,
    base: Option<Currency>,
    closed: Option<&ClosedYear>,
    last: BusinessDate,
) -> Result<(BTreeMap<Id, Row>, Results)> {
    let mut rows = rows(work, book, base, closed)?;
    let mut results = Results::new();
    let wanted = |date: BusinessDate| date <= last && closed.is_none_or(|closed| date > closed.last);
    every_entry(
        work,
        |entry| wanted(entry.new.date),
        |entry| {
            for line in &entry.new.lines {
                let Some(row) = rows.get_mut(&line.account) else { continue };
                row.opening.add(line)?;
                if matches!(row.account.new.kind, AccountType::Income | AccountType::Expense) {
                    let key = (line.amount.currency, ordered(line));
                    let net = results.entry(key).or_default().entry(line.account.clone()).or_default();
                    net.add(line);
                }
            }
            Ok(())
        },
    )?;
    Ok((rows, results))
}

/// The dimensions of a line in the order of their names: what is the same set is the same list.
fn ordered(line: &Line) -> Vec<Dimension> {
    let mut dimensions = line.dimensions.clone();
    dimensions.sort();
    dimensions
}

fn rows(work: &Work, book: &Id, base: Option<Currency>, closed: Option<&ClosedYear>) -> Result<BTreeMap<Id, Row>> {
    let mut rows = BTreeMap::new();
    let mut after = None;
    loop {
        let accounts = work.tx().scan::<Account>(&(), after.as_deref(), CHUNK)?;
        let more = accounts.len() == CHUNK;
        after = accounts.last().map(|(key, _)| key.clone());
        for (_, account) in accounts {
            let code = account.new.code.clone();
            if !account.new.posting || !in_book(work, &code, book)? {
                continue;
            }
            let before = match closed {
                Some(closed) => work.tx().get::<Opening>(&(book.clone(), closed.year, code.clone()))?,
                None => None,
            };
            let zero = || Opening {
                book: book.clone(),
                year: 0,
                account: code.clone(),
                currency: account.new.currency,
                debits: 0,
                credits: 0,
                base: base.map(|currency| BaseBalance { currency, debits: 0, credits: 0 }),
            };
            let opening = before.unwrap_or_else(zero);
            rows.insert(code, Row { account, opening });
        }
        if !more {
            return Ok(rows);
        }
    }
}

/// Posts a closing entry, past the locks of the year.
fn post(work: &mut Work, new: &NewClosing, part: u32, year: FiscalYear, lines: Vec<Line>) -> Result<Id> {
    let id = match part {
        1 => new.id.clone(),
        part => Id::parse(&format!("{}:{part}", new.id), "id")?,
    };
    let description = format!("Closing of the fiscal year {}", year.year);
    let entry = host_entry(id, year.last, description, CLOSE_KIND, lines)?;
    post_own(work, entry, true)
}

/// An entry of the host.
pub(super) fn host_entry(
    id: Id,
    date: BusinessDate,
    description: String,
    kind: &str,
    lines: Vec<Line>,
) -> Result<NewEntry> {
    let details = EntryDetails { kind: Some(Id::parse(kind, "kind")?), ..EntryDetails::default() };
    Ok(NewEntry { details: Some(Box::new(details)), ..NewEntry::new(id, date, description, lines) })
}

/// Posts an entry of the host: no right to post, no ceiling and no limit of an account counts.
pub(super) fn post_own(work: &mut Work, entry: NewEntry, closing: bool) -> Result<Id> {
    journal::check_new_id(work, &entry.id)?;
    let how = || How { floor: Floor::None, own: true, closing, ..How::of(Operation::CloseYear) };
    let made = making::decide(work, entry, Adding::Posted, &how())?;
    Ok(making::stage(work, made, how())?.new.id)
}
