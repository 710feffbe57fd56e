//! `backroom:ledger/journal`: posting and reading entries.

use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Id, ledger as domain};
use backroom_office::runs::LogLevel;
use backroom_office::{Failure, ledger};

use super::FIXED;
use crate::bindings::backroom::ledger::journal::{
    BatchItem, BatchMode, Dimension, Entry, EntryDetails, EntryPage, Host, Line, LineDetails, NewEntry, Posted,
    PostedDetails, Reversal,
};
use crate::bindings::backroom::types::types::Error as WitError;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn post(&mut self, entry: NewEntry) -> Result<Posted, HostError> {
        self.post_one(Operation::JournalPost, &entry, None)
    }

    fn post_with(&mut self, entry: NewEntry, details: EntryDetails) -> Result<Posted, HostError> {
        self.post_one(Operation::JournalPostWith, &entry, Some(&details))
    }

    fn post_batch(
        &mut self,
        items: Vec<BatchItem>,
        mode: BatchMode,
    ) -> Result<Vec<Result<Posted, WitError>>, HostError> {
        let size = |item: &BatchItem| entry_size(&item.entry) + item.details.as_ref().map_or(0, details_size);
        let bytes = items.iter().map(size).sum();
        let _host = self.guest.enter(bytes)?;
        let mode = match mode {
            BatchMode::Independent => domain::BatchMode::Independent,
            BatchMode::AllOrNothing => domain::BatchMode::AllOrNothing,
        };
        // A malformed entry is the answer for the whole batch: what it would have been nobody knows.
        let mut new = Vec::with_capacity(items.len());
        for item in &items {
            let mut form = Form::default();
            let entry = convert::new_entry(&mut form, &item.entry)?;
            let entry = convert::with_details(&mut form, entry, item.details.as_ref())?;
            form.finish::<HostError>(|| Ok(()), || domain::check_entry(&entry))?;
            new.push(domain::BatchItem { group: item.group, entry });
        }
        let outcomes = ledger::post_batch(&mut self.work, new, mode)?;
        self.staged(bytes)?;
        self.guest.leave(outcomes.len() * FIXED)?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map(|done| self.posted(done)).map_err(convert::error)).collect())
    }

    fn reverse(&mut self, reversal: Reversal) -> Result<Posted, HostError> {
        let _host = self.guest.enter(FIXED + reversal.of.len() + reversal.entry.len() + reversal.reason.len())?;
        self.work.rights().check_post_ledger(Operation::JournalReverse)?;
        let date = match reversal.original_day {
            true => domain::ReversalDate::Original,
            false => domain::ReversalDate::Now,
        };
        let mut form = Form::default();
        let asked = domain::Reversal {
            of: form.id(&reversal.of, || "of".to_owned())?,
            entry: form.id(&reversal.entry, || "entry".to_owned())?,
            date,
            reason: reversal.reason,
            force: reversal.force,
        };
        form.finish::<HostError>(|| Ok(()), || Ok(()))?;
        let done = ledger::reverse(&mut self.work, &asked)?;
        self.staged(FIXED * done.entry.new.lines.len())?;
        self.guest.leave(FIXED)?;
        Ok(self.posted(done))
    }

    fn get_details(&mut self, id: String) -> Result<PostedDetails, HostError> {
        let _host = self.guest.enter(id.len())?;
        let entry = ledger::get_entry_as(&self.work, Operation::JournalGetDetails, &Id::parse(&id, "id")?)?;
        let details = convert::entry_details(&entry.new);
        self.guest.leave(FIXED + details_size(&details))?;
        Ok(PostedDetails {
            details,
            book: entry.book.map(String::from),
            reverses: entry.reverses.map(String::from),
            reversed_by: entry.reversed_by.map(String::from),
            settles: entry.settles.map(String::from),
        })
    }

    fn get(&mut self, id: String) -> Result<Entry, HostError> {
        let _host = self.guest.enter(id.len())?;
        let entry = given(ledger::get_entry(&self.work, &Id::parse(&id, "id")?)?);
        self.guest.leave(size(&entry))?;
        Ok(entry)
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<EntryPage, HostError> {
        let _host = self.guest.enter(0)?;
        let page = ledger::list_entries(&self.work, &convert::page_request(cursor, limit))?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.iter().map(size).sum())?;
        Ok(EntryPage { items, next })
    }
}

impl RunState {
    fn post_one(
        &mut self,
        operation: Operation,
        entry: &NewEntry,
        details: Option<&EntryDetails>,
    ) -> Result<Posted, HostError> {
        let bytes = entry_size(entry) + details.map_or(0, details_size);
        let _host = self.guest.enter(bytes)?;
        let new = self.checked_entry(operation, entry, details)?;
        let done = ledger::post_as(&mut self.work, operation, new)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(self.posted(done))
    }

    /// The answer. What did not stop the entry goes to the run's log: the record has no field for it.
    pub(super) fn posted(&mut self, done: ledger::Posted) -> Posted {
        for warning in &done.warnings {
            self.guest.log.write(LogLevel::Warn, &warning.message);
        }
        let domain::Entry { number, recorded_at, .. } = done.entry;
        Posted { number, recorded_at: convert::instant(recorded_at), replayed: done.replayed }
    }

    /// An entry as the domain takes it, its rights and its malformed fields checked.
    pub(super) fn checked_entry(
        &self,
        operation: Operation,
        entry: &NewEntry,
        details: Option<&EntryDetails>,
    ) -> Result<domain::NewEntry, HostError> {
        let mut form = Form::default();
        let new = convert::new_entry(&mut form, entry)?;
        let new = convert::with_details(&mut form, new, details)?;
        let currencies = !form.has("currency-invalid");
        let date = (!form.has("date-invalid")).then_some(new.date);
        form.finish(|| self.check_rights(operation, entry, &new, date, currencies), || domain::check_entry(&new))?;
        Ok(new)
    }

    /// The rights to the part of a malformed entry that is well-formed.
    fn check_rights(
        &self,
        operation: Operation,
        entry: &NewEntry,
        new: &domain::NewEntry,
        date: Option<BusinessDate>,
        currencies: bool,
    ) -> Result<(), Failure> {
        let known = |line: &Line| Id::parse(&line.account, "").is_ok();
        let lines = entry.lines.iter().zip(&new.lines).filter(|(line, _)| known(line));
        let lines: Vec<_> = lines.map(|(_, line)| line.clone()).collect();
        ledger::check_post(&self.work, operation, &lines, date, currencies)
    }
}

/// What an entry takes in a call.
pub(super) fn entry_size(entry: &NewEntry) -> usize {
    FIXED + entry.description.len() + entry.lines.iter().map(line_size).sum::<usize>()
}

/// What the details of an entry take in a call.
pub(super) fn details_size(details: &EntryDetails) -> usize {
    let line = |line: &LineDetails| FIXED + line.party.as_ref().map_or(0, String::len);
    let metadata = details.metadata.iter().map(|pair| FIXED + pair.name.len() + pair.value.len());
    FIXED
        + details.reference.as_ref().map_or(0, String::len)
        + details.guards.iter().map(|guard| FIXED + guard.account.len()).sum::<usize>()
        + metadata.sum::<usize>()
        + details.lines.iter().map(line).sum::<usize>()
}

fn line_size(line: &Line) -> usize {
    let dimensions = line.dimensions.iter().map(|d| d.name.len() + d.value.len() + 16);
    FIXED + line.account.len() + line.memo.as_ref().map_or(0, String::len) + dimensions.sum::<usize>()
}

fn size(entry: &Entry) -> usize {
    FIXED + entry.description.len() + entry.lines.iter().map(line_size).sum::<usize>()
}

fn given(entry: domain::Entry) -> Entry {
    let domain::Entry { new, number, recorded_at, .. } = entry;
    let dimension = |d: domain::Dimension| Dimension { name: d.name.into(), value: d.value.into() };
    let line = |line: domain::Line| Line {
        account: line.account.into(),
        side: convert::side(line.side),
        amount: convert::money(line.amount),
        dimensions: line.dimensions.into_iter().map(dimension).collect(),
        memo: line.memo,
    };
    Entry {
        id: new.id.into(),
        number,
        date: convert::date(new.date),
        description: new.description,
        lines: new.lines.into_iter().map(line).collect(),
        recorded_at: convert::instant(recorded_at),
    }
}
