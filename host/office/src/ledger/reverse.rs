//! Taking an entry back: by another one with the sides changed over.

use backroom_domain::ledger::{Entry, EntryDetails, Floor, NewEntry, Reversal, ReversalDate, Scope};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Error, Id, Side};
use backroom_store::records::{NameKind, StoredEntry};

use crate::error::{Failure, Result};
use crate::ledger::journal::{self, Posted};
use crate::ledger::making::{self, How, scope_of};
use crate::work::Work;

/// The kind of the entries that take others back.
const KIND: &str = "host:reversal";

/// Takes an entry back, once; needs the right to post the entry that does it, and to read the accounts of the one that is taken
/// back, or it is as if that were not there. It swaps the sides in both columns; either entry names the other.
///
/// # Errors
/// In order: `ledger-post-denied` without the right to post anything; `text-invalid`; `ledger-read-denied`; `not-found`;
/// `ledger-post-denied` and the like, as [`post`](super::post); `exists-with-different`; `id-already-failed`; `already-reversed`;
/// `account-closed`; `period-locked`, `future-date`; `would-overdraw` (which `force` does without): it may bring no account below its
/// limit, or below zero if it has none; `overflow`.
pub fn reverse(work: &mut Work, asked: &Reversal) -> Result<Posted> {
    reverse_as(work, Operation::JournalReverse, asked)
}

/// As [`reverse`], by another name.
pub(crate) fn reverse_as(work: &mut Work, operation: Operation, asked: &Reversal) -> Result<Posted> {
    work.rights().check_post_ledger(operation)?;
    check_reason(&asked.reason, "reason")?;
    let old = journal::get_entry_as(work, operation, &asked.of)?;
    let new = opposite(work, &old, asked)?;
    journal::check_post(work, operation, &new.lines, Some(new.date), true)?;
    if let Some(entry) = journal::find(work, &asked.entry)? {
        return match entry.reverses.as_ref() == Some(&asked.of) && entry.new.description == asked.reason {
            true => Ok(Posted::before(entry)),
            false => Err(Error::exists_with_different("entry", &asked.entry, "reverses").into()),
        };
    }
    making::check_failed(work, making::SERIES, NameKind::FailedEntry, &asked.entry)?;
    if let Some(by) = &old.reversed_by {
        let message = format!("the entry {} was taken back by {by}", asked.of);
        let refused = Error::at(Class::Refused, "already-reversed", "of", message);
        return Err(making::burn(work, making::SERIES, NameKind::FailedEntry, &asked.entry, refused.into()));
    }
    let damaged = || journal::damaged(&asked.of, "it was found and is missing".to_owned());
    let mut stored = work.tx().get::<StoredEntry>(&asked.of)?.ok_or_else(damaged)?;
    let floor = if asked.force { Floor::None } else { Floor::Zero };
    // What is locked for the entry is locked for taking it back, and for taking that back in its turn.
    let scope = Some(match stored.scope {
        Some(scope) => scope,
        None => scope_of_first(work, &old)?,
    });
    let how = How { reverses: Some(asked.of.clone()), floor, scope, ..How::of(operation) };
    let entry = journal::post_new(work, new, how).map_err(overdraws)?;
    stored.entry.reversed_by = Some(asked.entry.clone());
    work.put(&stored)?;
    Ok(Posted::now(work, entry))
}

/// Where an entry belongs that does not say it itself. Reversals from before they did are gone back through, to one that says it or
/// to the entry that was taken back first.
fn scope_of_first(work: &Work, entry: &Entry) -> Result<Scope> {
    let mut first = entry.clone();
    while let Some(of) = first.reverses.take() {
        let missing = || journal::damaged(&of, "what was taken back is missing".to_owned());
        let stored = work.tx().get::<StoredEntry>(&of)?.ok_or_else(missing)?;
        if let Some(scope) = stored.scope {
            return Ok(scope);
        }
        first = stored.entry;
    }
    Ok(scope_of(&first.new))
}

/// The entry that takes another one back.
fn opposite(work: &Work, old: &Entry, asked: &Reversal) -> Result<NewEntry> {
    let mut lines = old.new.lines.clone();
    for line in &mut lines {
        line.side = match line.side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
    }
    let date = match asked.date {
        ReversalDate::Now => work.today,
        ReversalDate::Original => old.new.date,
    };
    let details = EntryDetails { kind: Some(Id::parse(KIND, "kind")?), ..EntryDetails::default() };
    let new = NewEntry::new(asked.entry.clone(), date, asked.reason.clone(), lines);
    Ok(NewEntry { details: Some(Box::new(details)), ..new })
}

fn overdraws(failure: Failure) -> Failure {
    match failure {
        Failure::Business(mut error) if error.code() == "insufficient" => {
            for problem in &mut error.problems {
                problem.code = "would-overdraw".into();
            }
            error.into()
        }
        other => other,
    }
}

/// `text-invalid` unless a reason is 1 to 200 characters in one line.
pub(crate) fn check_reason(reason: &str, field: &str) -> Result<()> {
    let fits = (1..=200).contains(&reason.chars().count()) && !reason.contains(backroom_domain::plays_tricks);
    match fits {
        true => Ok(()),
        false => Err(Error::invalid("text-invalid", field, "1 to 200 characters in one line are needed").into()),
    }
}
