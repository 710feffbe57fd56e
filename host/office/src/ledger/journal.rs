//! The journal: posting and reading entries. There is no function that changes or deletes one.

use backroom_domain::ledger::{self, AccountType, Adding, Entry, Line, NewEntry};
use backroom_domain::rights::{Operation, Posting};
use backroom_domain::{BusinessDate, Error, Id, Problem};
use backroom_store::StoreError;
use backroom_store::records::{EntryLines, EntryNumber, NameKind, StoredEntry};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::ledger::making::{self, How};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::used::{Measure, Spans, use_up, used};
use crate::work::Work;

/// A page of entries ends early before it is larger than this: half of what one host call may carry, as lines take more room
/// there than in storage.
const PAGE_BYTES: usize = 512 << 10;

/// What became of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Posted {
    /// The entry on record.
    pub entry: Entry,
    /// It had been posted before, and nothing was done now.
    pub replayed: bool,
    /// What did not stop it: budgets of the action `warn` that it passes; and of an entry that had been posted before, that it was taken
    /// back since (`already-reversed`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Problem>,
}

impl Posted {
    /// What was posted now, with what there is to say of it.
    pub(crate) fn now(work: &mut Work, entry: Entry) -> Self {
        Self { entry, replayed: false, warnings: work.take_warnings() }
    }

    /// What had been posted before. Its id is used up even if it was taken back, which whoever wants it posted again has to know.
    pub(crate) fn before(entry: Entry) -> Self {
        let id = &entry.new.id;
        let taken_back = |by: &Id| {
            let message = format!("the entry {id} was taken back by {by}; it is posted again under another id alone");
            Error::problem("already-reversed", "id", message)
        };
        let warnings = entry.reversed_by.iter().map(taken_back).collect();
        Self { entry, replayed: true, warnings }
    }
}

/// Posts an entry; needs a grant for the whole of it: accounts, sides, day, currencies, and debits below the ceilings, and the
/// right to read the accounts of its guards. Stages nothing unless it succeeds, but that its id is failed if it was refused for
/// what is so now, and the end of holds whose time is over.
///
/// What run and installation have debited before counts only for an entry that is not on record yet, so that doing the same work
/// again does no harm: that part of the denials comes behind `id-already-failed`.
///
/// # Errors
/// In order: `ledger-post-denied`; `ledger-date-denied`; `ledger-currency-denied`; `ledger-amount-denied`; `ledger-read-denied`; the
/// form of the entry (see [`ledger::check_entry`]); `exists-with-different`; `id-already-failed`; `ledger-run-amount-denied`;
/// `ledger-day-amount-denied`; `account-not-found`, `book-mismatch`, `rate-missing`, `missing-dimension`, `party-required`;
/// `duplicate-reference`; `unbalanced`; `account-is-header`, `account-closed`, `manual-not-permitted`, `currency-mismatch`;
/// `period-locked`, `future-date`; `insufficient`, `limit-exceeded`, `guard-failed`, `budget-exceeded`; `overflow`.
pub fn post(work: &mut Work, new: NewEntry) -> Result<Posted> {
    post_as(work, Operation::JournalPost, new)
}

/// As [`post`], by another name.
///
/// # Errors
/// As [`post`].
pub fn post_as(work: &mut Work, operation: Operation, new: NewEntry) -> Result<Posted> {
    check_post(work, operation, &new.lines, Some(new.date), true)?;
    check_guards(work, operation, &new)?;
    ledger::check_entry(&new)?;
    if let Some(entry) = find(work, &new.id)? {
        ledger::same_entry(&entry, &new)?;
        return Ok(Posted::before(entry));
    }
    let entry = post_new(work, new, How::of(operation))?;
    Ok(Posted::now(work, entry))
}

/// Posts an entry of valid form and a new id, to whose accounts there is a right.
///
/// # Errors
/// As [`post`], from `id-already-failed` on.
pub(crate) fn post_new(work: &mut Work, new: NewEntry, how: How) -> Result<Entry> {
    making::check_failed(work, making::SERIES, NameKind::FailedEntry, &new.id)?;
    let spans = spans(work);
    check_sums(work, how.operation, &new, spans)?;
    let id = new.id.clone();
    let made = match making::decide(work, new, Adding::Posted, &how) {
        Ok(made) => made,
        Err(failure) => return Err(making::burn(work, making::SERIES, NameKind::FailedEntry, &id, failure)),
    };
    count_sums(work, &made.new, spans)?;
    making::stage(work, made, how)
}

/// `exists-with-different` if there is an entry of this id.
pub(crate) fn check_new_id(work: &Work, id: &Id) -> Result<()> {
    match find(work, id)? {
        None => Ok(()),
        Some(_) => Err(Error::exists_with_different("entry", id, "lines").into()),
    }
}

/// Over what ceilings on debits count.
pub(crate) fn spans(work: &Work) -> Spans {
    Spans { run: work.rights().has_run_amounts(), day: work.rights().has_day_amounts() }
}

/// Counts what an entry or a hold debits.
pub(crate) fn count_sums(work: &mut Work, new: &NewEntry, spans: Spans) -> Result<()> {
    if spans.any() {
        for debits in ledger::debit_totals(&new.lines) {
            use_up(work, Measure::Debits(debits.currency), spans, debits.minor.into())?;
        }
    }
    Ok(())
}

/// `denied` unless the accounts of the guards may be read: what a guard says of them is nobody else's business.
pub(crate) fn check_guards(work: &Work, operation: Operation, new: &NewEntry) -> Result<()> {
    let guards = new.details.as_ref().map(|details| details.guards.as_slice()).unwrap_or_default();
    for guard in guards {
        let kind = kind_of(work, &guard.account)?;
        work.rights().check_read_account(operation, &guard.account, kind)?;
    }
    Ok(())
}

/// The entry with this id; needs the right to read every account in it. One with another account is as if it were not there.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `not-found`.
pub fn get_entry(work: &Work, id: &Id) -> Result<Entry> {
    get_entry_as(work, Operation::JournalGet, id)
}

/// As [`get_entry`], by another name.
///
/// # Errors
/// As [`get_entry`].
pub fn get_entry_as(work: &Work, operation: Operation, id: &Id) -> Result<Entry> {
    work.rights().check_read_ledger(operation)?;
    let entry = find(work, id)?.ok_or_else(|| Error::not_found("entry", id))?;
    match is_readable(work, operation, &entry.new.lines)? {
        true => Ok(entry),
        false => Err(Error::not_found("entry", id).into()),
    }
}

/// Entries in order of their numbers, those left out with an account that may not be read. A page may be short and still
/// have a next.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_entries(work: &Work, request: &PageRequest) -> Result<Page<Entry>> {
    let mut bytes: usize = 0;
    list::<EntryNumber, _>(work, &(), None, request, |EntryNumber { number, id }| {
        let entry = find(work, &id)?.ok_or_else(|| damaged(&id, format!("number {number} has no entry")))?;
        if !is_readable(work, Operation::JournalList, &entry.new.lines)? {
            return Ok(Step::Skip);
        }
        let begun = bytes > 0;
        bytes += size(&entry);
        Ok(if begun && bytes > PAGE_BYTES { Step::Later } else { Step::Take(entry) })
    })
}

/// `denied` unless the entry may be posted, sums of run and day aside. Of a malformed one: its lines, its day and its amounts as
/// far as they are well-formed.
///
/// # Errors
/// As [`post`].
pub fn check_post(
    work: &Work,
    operation: Operation,
    lines: &[Line],
    date: Option<BusinessDate>,
    amounts: bool,
) -> Result<()> {
    let kinds = kinds_of(work, lines)?;
    let posting = Posting { lines, kinds: &kinds, date, today: work.today, amounts, used: &[] };
    Ok(work.rights().check_post(operation, &posting)?)
}

/// `denied` if the entry would come, with what was before it, above a ceiling of the run or of the day.
pub(crate) fn check_sums(work: &Work, operation: Operation, new: &NewEntry, spans: Spans) -> Result<()> {
    if !spans.any() {
        return Ok(());
    }
    let currencies = ledger::debit_totals(&new.lines).map(|debits| debits.currency);
    let used = currencies.map(|currency| Ok((currency, used(work, Measure::Debits(currency), spans)?)));
    let used = used.collect::<Result<Vec<_>>>()?;
    let kinds = kinds_of(work, &new.lines)?;
    let (lines, date) = (new.lines.as_slice(), Some(new.date));
    let posting = Posting { lines, kinds: &kinds, date, today: work.today, amounts: true, used: &used };
    Ok(work.rights().check_post(operation, &posting)?)
}

/// The types of the accounts of the lines; nothing if no right depends on them.
fn kinds_of(work: &Work, lines: &[Line]) -> Result<Vec<Option<AccountType>>> {
    if !work.rights().by_account_type() {
        return Ok(Vec::new());
    }
    lines.iter().map(|line| kind_of(work, &line.account)).collect()
}

/// May every account of the entry be read?
pub(crate) fn is_readable(work: &Work, operation: Operation, lines: &[Line]) -> Result<bool> {
    for line in lines {
        if !work.rights().read_account(operation, &line.account, kind_of(work, &line.account)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The entry with this id and all its lines.
pub(crate) fn find(work: &Work, id: &Id) -> Result<Option<Entry>> {
    work.tx().get::<StoredEntry>(id)?.map(|stored| whole(work, stored)).transpose()
}

/// The entry with this head and all its lines.
pub(crate) fn whole(work: &Work, stored: StoredEntry) -> Result<Entry> {
    let StoredEntry { mut entry, parts, .. } = stored;
    let id = entry.new.id.clone();
    for part in 1..=parts {
        let more = work.tx().get::<EntryLines>(&(id.clone(), part))?;
        entry.new.lines.extend(more.ok_or_else(|| damaged(&id, format!("part {part} of {parts} is missing")))?.lines);
    }
    Ok(entry)
}

/// Roughly the bytes that an entry takes in an answer.
fn size(entry: &Entry) -> usize {
    let line = |line: &Line| {
        let dimensions = line.dimensions.iter().map(|d| d.name.as_str().len() + d.value.as_str().len() + 16);
        let details = if line.details.is_some() { 160 } else { 0 };
        64 + details
            + line.account.as_str().len()
            + line.memo.as_ref().map_or(0, String::len)
            + dimensions.sum::<usize>()
    };
    let details =
        entry.new.details.as_ref().map_or(0, |details| details.metadata.len() * 128 + details.guards.len() * 96);
    256 + details + entry.new.description.len() + entry.new.lines.iter().map(line).sum::<usize>()
}

pub(crate) fn damaged(id: &Id, what: String) -> Failure {
    StoreError::Corrupt { place: format!("journal entry {id}"), what }.into()
}
