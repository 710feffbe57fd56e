//! `backroom:ledger/holds`: entries that are not posted yet.

use backroom_domain::{Id, ledger as domain};
use backroom_office::ledger;

use super::FIXED;
use super::journal::{details_size, entry_size};
use crate::bindings::backroom::ledger::holds::{Hold, HoldPage, HoldState, Host, Settlement};
use crate::bindings::backroom::ledger::journal::{EntryDetails, NewEntry, Posted};
use crate::bindings::backroom::types::types::Money;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;
use backroom_domain::rights::Operation;

impl Host for RunState {
    fn place(
        &mut self,
        entry: NewEntry,
        details: Option<EntryDetails>,
        timeout_seconds: Option<u64>,
    ) -> Result<Hold, HostError> {
        let bytes = entry_size(&entry) + details.as_ref().map_or(0, details_size);
        let _host = self.guest.enter(bytes)?;
        let new = self.checked_entry(Operation::HoldsPlace, &entry, details.as_ref())?;
        let placed = ledger::hold(&mut self.work, domain::NewHold { entry: new, timeout_seconds })?;
        self.staged(bytes)?;
        let hold = given(placed.hold);
        self.guest.leave(size(&hold))?;
        Ok(hold)
    }

    fn settle(&mut self, settlement: Settlement) -> Result<Posted, HostError> {
        let _host = self.guest.enter(FIXED + settlement.hold.len() + settlement.entry.len())?;
        self.work.rights().check_post_ledger(Operation::HoldsSettle)?;
        let mut form = Form::default();
        let asked = domain::Settlement {
            hold: form.id(&settlement.hold, || "hold".to_owned())?,
            entry: form.id(&settlement.entry, || "entry".to_owned())?,
            amount: settlement.amount.as_ref().map(|m| form.money(m, || "amount".to_owned())).transpose()?,
            last: settlement.last,
            date: settlement.date.map(|date| form.date(date, "date")).transpose()?,
        };
        form.finish::<HostError>(|| Ok(()), || Ok(()))?;
        let done = ledger::settle(&mut self.work, &asked)?;
        self.staged(FIXED * done.entry.new.lines.len())?;
        self.guest.leave(FIXED)?;
        Ok(self.posted(done))
    }

    fn release(&mut self, hold: String, amount: Option<Money>) -> Result<Hold, HostError> {
        let _host = self.guest.enter(FIXED + hold.len())?;
        self.work.rights().check_post_ledger(Operation::HoldsRelease)?;
        let mut form = Form::default();
        let asked = domain::HoldRelease {
            hold: form.id(&hold, || "hold".to_owned())?,
            amount: amount.as_ref().map(|m| form.money(m, || "amount".to_owned())).transpose()?,
        };
        form.finish::<HostError>(|| Ok(()), || Ok(()))?;
        let hold = given(ledger::release(&mut self.work, &asked)?);
        self.staged(size(&hold))?;
        self.guest.leave(size(&hold))?;
        Ok(hold)
    }

    fn get(&mut self, id: String) -> Result<Hold, HostError> {
        let _host = self.guest.enter(id.len())?;
        let hold = given(ledger::get_hold(&self.work, &Id::parse(&id, "id")?)?);
        self.guest.leave(size(&hold))?;
        Ok(hold)
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<HoldPage, HostError> {
        let _host = self.guest.enter(0)?;
        let page = ledger::list_holds(&self.work, &convert::page_request(cursor, limit))?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.iter().map(size).sum())?;
        Ok(HoldPage { items, next })
    }
}

fn size(hold: &Hold) -> usize {
    let entries: usize = hold.entries.iter().map(|id| id.len() + 8).sum();
    FIXED + hold.description.len() + hold.kept.len() * 8 + entries
}

fn given(hold: domain::Hold) -> Hold {
    let state = match hold.state {
        domain::HoldState::Held => HoldState::Held,
        domain::HoldState::Settled => HoldState::Settled,
        domain::HoldState::Released => HoldState::Released,
        domain::HoldState::Expired => HoldState::Expired,
    };
    let entry = hold.new.entry;
    Hold {
        id: entry.id.into(),
        state,
        date: convert::date(entry.date),
        description: entry.description,
        kept: hold.kept,
        entries: hold.entries.into_iter().map(String::from).collect(),
        recorded_at: convert::instant(hold.recorded_at),
        expires_at: hold.expires_at.map(convert::instant),
    }
}
