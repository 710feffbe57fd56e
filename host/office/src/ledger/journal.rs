//! The journal: posting and reading entries. There is no function that changes or deletes one.

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    self, Account, AccountDay, AccountTotal, AccountType, Entry, Found, Line, NewEntry, Turnover,
};
use backroom_domain::rights::{Operation, Posting};
use backroom_domain::{BusinessDate, Effect, Error, Id};
use backroom_store::StoreError;
use backroom_store::records::{EntryLines, EntryNumber, StoredEntry};
use serde::Serialize;

use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::used::{Measure, Spans, use_up, used};
use crate::work::Work;

/// A page of entries ends early before it is larger than this: half of what one host call may carry, as lines take more room
/// there than in storage.
const PAGE_BYTES: usize = 512 << 10;

/// What became of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// The entry on record.
    pub entry: Entry,
    /// It had been posted before, and nothing was done now.
    pub replayed: bool,
}

/// Posts an entry; needs a grant for the whole of it: accounts, sides, day, currencies, and debits below the ceilings. Stages
/// nothing unless it succeeds.
///
/// What run and installation have debited before counts only for an entry that is not on record yet, so that doing the same work
/// again does no harm: that part of the denials comes behind `exists-with-different`.
///
/// # Errors
/// In order: `ledger-post-denied`; `ledger-date-denied`; `ledger-currency-denied`; `ledger-amount-denied`; the form of the entry
/// (see [`ledger::check_entry`]); `exists-with-different`; `ledger-run-amount-denied`; `ledger-day-amount-denied`; then as
/// [`ledger::post`]: `account-not-found`, `unbalanced`, `account-is-header`, `currency-mismatch`, `overflow`.
pub fn post(work: &mut Work, new: NewEntry) -> Result<Posted> {
    check_post(work, &new.lines, Some(new.date), true)?;
    ledger::check_entry(&new)?;
    if let Some(entry) = find(work, &new.id)? {
        ledger::same_entry(&entry, &new)?;
        return Ok(Posted { entry, replayed: true });
    }
    let spans = Spans { run: work.rights().has_run_amounts(), day: work.rights().has_day_amounts() };
    if spans.any() {
        check_sums(work, &new, spans)?;
    }
    let turnovers = ledger::post(&new, load(work, &new)?)?;

    let number = work.next_number("entry")?;
    let entry = Entry { new, number, recorded_at: work.now, run: work.caller.run.clone() };
    for Turnover { total, day } in &turnovers {
        work.put(total)?;
        work.put(day)?;
        if total.stock_control {
            for line in entry.new.lines.iter().filter(|line| line.account == total.balance.account) {
                work.note_ledger(&line.account, line.side, line.amount.minor);
            }
        }
    }
    work.put(&EntryNumber { number, id: entry.new.id.clone() })?;
    if spans.any() {
        for debits in ledger::debit_totals(&entry.new.lines) {
            use_up(work, Measure::Debits(debits.currency), spans, debits.minor.into())?;
        }
    }
    let entry = stage(work, entry)?;
    work.effect(Effect::EntryPosted(entry.clone()));
    Ok(Posted { entry, replayed: false })
}

/// The entry with this id; needs the right to read every account in it. One with another account is as if it were not there.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `not-found`.
pub fn get_entry(work: &Work, id: &Id) -> Result<Entry> {
    work.rights().check_read_ledger(Operation::JournalGet)?;
    let entry = find(work, id)?.ok_or_else(|| Error::not_found("entry", id))?;
    match is_readable(work, Operation::JournalGet, &entry)? {
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
        if !is_readable(work, Operation::JournalList, &entry)? {
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
pub fn check_post(work: &Work, lines: &[Line], date: Option<BusinessDate>, amounts: bool) -> Result<()> {
    let kinds = kinds_of(work, lines)?;
    let posting = Posting { lines, kinds: &kinds, date, today: work.today, amounts, used: &[] };
    Ok(work.rights().check_post(Operation::JournalPost, &posting)?)
}

/// `denied` if the entry would come, with what was before it, above a ceiling of the run or of the day.
fn check_sums(work: &Work, new: &NewEntry, spans: Spans) -> Result<()> {
    let currencies = ledger::debit_totals(&new.lines).map(|debits| debits.currency);
    let used = currencies.map(|currency| Ok((currency, used(work, Measure::Debits(currency), spans)?)));
    let used = used.collect::<Result<Vec<_>>>()?;
    let kinds = kinds_of(work, &new.lines)?;
    let (lines, date) = (new.lines.as_slice(), Some(new.date));
    let posting = Posting { lines, kinds: &kinds, date, today: work.today, amounts: true, used: &used };
    Ok(work.rights().check_post(Operation::JournalPost, &posting)?)
}

/// The types of the accounts of the lines; nothing if no right depends on them.
fn kinds_of(work: &Work, lines: &[Line]) -> Result<Vec<Option<AccountType>>> {
    if !work.rights().by_account_type() {
        return Ok(Vec::new());
    }
    lines.iter().map(|line| kind_of(work, &line.account)).collect()
}

/// May every account of the entry be read?
pub(crate) fn is_readable(work: &Work, operation: Operation, entry: &Entry) -> Result<bool> {
    for line in &entry.new.lines {
        if !work.rights().read_account(operation, &line.account, kind_of(work, &line.account)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What there is under each account code of the entry.
fn load<'a>(work: &Work, new: &'a NewEntry) -> Result<BTreeMap<&'a Id, Found>> {
    let mut found = BTreeMap::new();
    for Line { account, .. } in &new.lines {
        if found.contains_key(account) {
            continue;
        }
        if let Some(total) = work.tx().get::<AccountTotal>(account)? {
            let day = work.tx().get::<AccountDay>(&(account.clone(), new.date))?;
            let day = day.unwrap_or_else(|| AccountDay::zero(account.clone(), new.date));
            found.insert(account, Found::Posting(Turnover { total, day }));
        } else if work.tx().get::<Account>(account)?.is_some() {
            // Every posting account has a total, from its creation on.
            found.insert(account, Found::Header);
        }
    }
    Ok(found)
}

/// Stages the entry, a long one in parts.
fn stage(work: &mut Work, entry: Entry) -> Result<Entry> {
    if entry.new.lines.len() <= StoredEntry::LINES {
        let stored = StoredEntry { entry, parts: 0 };
        work.put(&stored)?;
        return Ok(stored.entry);
    }
    let mut chunks = entry.new.lines.chunks(StoredEntry::LINES);
    let lines = chunks.next().unwrap_or_default().to_vec();
    let mut parts = 0;
    for (part, chunk) in (1..).zip(chunks) {
        work.put(&EntryLines { entry: entry.new.id.clone(), part, lines: chunk.to_vec() })?;
        parts = part;
    }
    let new = NewEntry { lines, id: entry.new.id.clone(), description: entry.new.description.clone(), ..entry.new };
    work.put(&StoredEntry { entry: Entry { new, run: entry.run.clone(), ..entry }, parts })?;
    Ok(entry)
}

/// The entry with this id and all its lines.
pub(crate) fn find(work: &Work, id: &Id) -> Result<Option<Entry>> {
    let Some(StoredEntry { mut entry, parts }) = work.tx().get::<StoredEntry>(id)? else { return Ok(None) };
    for part in 1..=parts {
        let more = work.tx().get::<EntryLines>(&(id.clone(), part))?;
        entry.new.lines.extend(more.ok_or_else(|| damaged(id, format!("part {part} of {parts} is missing")))?.lines);
    }
    Ok(Some(entry))
}

/// Roughly the bytes that an entry takes in an answer.
fn size(entry: &Entry) -> usize {
    let line = |line: &Line| {
        let dimensions = line.dimensions.iter().map(|d| d.name.as_str().len() + d.value.as_str().len() + 16);
        64 + line.account.as_str().len() + line.memo.as_ref().map_or(0, String::len) + dimensions.sum::<usize>()
    };
    256 + entry.new.description.len() + entry.new.lines.iter().map(line).sum::<usize>()
}

pub(crate) fn damaged(id: &Id, what: String) -> Failure {
    StoreError::Corrupt { place: format!("journal entry {id}"), what }.into()
}
