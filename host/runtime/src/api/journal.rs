//! `backroom:ledger/journal`: posting and reading entries.

use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Id, ledger as domain};
use backroom_office::{Failure, ledger};

use super::FIXED;
use crate::bindings::backroom::ledger::journal::{Dimension, Entry, EntryPage, Host, Line, NewEntry, Posted};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn post(&mut self, entry: NewEntry) -> Result<Posted, HostError> {
        let bytes = FIXED + entry.description.len() + entry.lines.iter().map(line_size).sum::<usize>();
        let _host = self.enter(bytes)?;
        let mut form = Form::default();
        let new = convert::new_entry(&mut form, &entry)?;
        let currencies = !form.has("currency-invalid");
        let date = (!form.has("date-invalid")).then_some(new.date);
        form.finish(|| self.check_rights(&entry, &new, date, currencies), || domain::check_entry(&new))?;
        let posted = ledger::post(&mut self.work, new)?;
        self.staged(bytes)?;
        self.leave(FIXED)?;
        let domain::Entry { number, recorded_at, .. } = posted.entry;
        Ok(Posted { number, recorded_at: convert::instant(recorded_at), replayed: posted.replayed })
    }

    fn get(&mut self, id: String) -> Result<Entry, HostError> {
        let _host = self.enter(id.len())?;
        let entry = given(ledger::get_entry(&self.work, &Id::parse(&id, "id")?)?);
        self.leave(size(&entry))?;
        Ok(entry)
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<EntryPage, HostError> {
        let _host = self.enter(0)?;
        let page = ledger::list_entries(&self.work, &convert::page_request(cursor, limit))?;
        let (items, next) = convert::page(page, given);
        self.leave(items.iter().map(size).sum())?;
        Ok(EntryPage { items, next })
    }
}

impl RunState {
    /// The rights to the part of a malformed entry that is well-formed.
    fn check_rights(
        &self,
        entry: &NewEntry,
        new: &domain::NewEntry,
        date: Option<BusinessDate>,
        currencies: bool,
    ) -> Result<(), Failure> {
        let known = |line: &Line| Id::parse(&line.account, "").is_ok();
        let lines = entry.lines.iter().zip(&new.lines).filter(|(line, _)| known(line));
        let lines: Vec<_> = lines.map(|(_, line)| line.clone()).collect();
        ledger::check_post(&self.work, Operation::JournalPost, &lines, date, currencies)
    }
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
