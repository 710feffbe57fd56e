//! `backroom:ledger/open-items`: what is to be matched.

use backroom_domain::ledger as domain;
use backroom_domain::rights::Operation;
use backroom_domain::{Error, Id};
use backroom_office::ledger::{self, ItemFilter as Filter, ItemRow, MatchDone};

use super::FIXED;
use crate::bindings::backroom::ledger::open_items::{
    AgeingRow, Host, ItemFilter, ItemPage, ItemRef, Matching, NewMatch, OpenItem, Pair, WriteOff,
};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn list(&mut self, filter: ItemFilter, cursor: Option<String>, limit: u32) -> Result<ItemPage, HostError> {
        let _host = self.guest.enter(FIXED)?;
        let mut form = Form::default();
        let filter = wanted(&mut form, &filter)?;
        let request = convert::page_request(cursor, limit);
        form.finish(|| self.work.rights().check_read_ledger(Operation::OpenItemsList), || Ok(()))?;
        let page = ledger::list_open_items(&self.work, &filter, &request)?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.len() * 5 * FIXED)?;
        Ok(ItemPage { items, next })
    }

    fn ageing(&mut self, filter: ItemFilter, buckets: Vec<u16>) -> Result<Vec<AgeingRow>, HostError> {
        let _host = self.guest.enter(FIXED + 2 * buckets.len())?;
        let mut form = Form::default();
        let filter = wanted(&mut form, &filter)?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::OpenItemsAgeing), || Ok(()))?;
        let rows = ledger::ageing(&self.work, &filter, buckets)?;
        self.guest.leave(rows.len() * 4 * FIXED)?;
        Ok(rows.into_iter().map(aged).collect())
    }

    fn match_items(&mut self, new: NewMatch) -> Result<Matching, HostError> {
        let bytes = (new.pairs.len() + 2) * 3 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let new = new_match(&mut form, &new)?;
        let denied = || self.work.rights().check_post_ledger(Operation::OpenItemsMatchItems);
        form.finish(denied, || domain::check_match(&new))?;
        let done = ledger::match_items(&mut self.work, new)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(matching(done))
    }

    fn unmatch(&mut self, id: String, reason: String, entry: Option<String>) -> Result<Matching, HostError> {
        let _host = self.guest.enter(FIXED + reason.len())?;
        let mut form = Form::default();
        let id = form.id(&id, || "id".to_owned())?;
        let entry = form.some_id(entry.as_ref(), "entry")?;
        form.finish(|| self.work.rights().check_post_ledger(Operation::OpenItemsUnmatch), || Ok(()))?;
        let done = ledger::unmatch(&mut self.work, &id, &reason, entry.as_ref())?;
        self.staged(3 * FIXED * (done.on_record.new.pairs.len() + 2))?;
        self.guest.leave(FIXED)?;
        Ok(matching(done))
    }
}

fn wanted(form: &mut Form, filter: &ItemFilter) -> Result<Filter, Error> {
    Ok(Filter {
        account: form.some_id(filter.account.as_ref(), "account")?,
        party: form.some_id(filter.party.as_ref(), "party")?,
        as_of: filter.as_of.map(|date| form.date(date, "as-of")).transpose()?,
    })
}

/// The name of an item, as asked for.
pub(super) fn item(form: &mut Form, item: &ItemRef, field: impl FnOnce() -> String) -> Result<domain::ItemRef, Error> {
    Ok(domain::ItemRef { entry: form.id(&item.entry, field)?, line: item.line })
}

/// The same, as answered.
pub(super) fn named(item: domain::ItemRef) -> ItemRef {
    ItemRef { entry: item.entry.into(), line: item.line }
}

fn new_match(form: &mut Form, new: &NewMatch) -> Result<domain::NewMatch, Error> {
    let pair = |form: &mut Form, i: usize, pair: &Pair| {
        Ok::<_, Error>(domain::Pair {
            debit: item(form, &pair.debit, || format!("pairs[{i}].debit"))?,
            credit: item(form, &pair.credit, || format!("pairs[{i}].credit"))?,
            minor: pair.minor,
        })
    };
    let write_off = |form: &mut Form, write_off: &WriteOff| {
        Ok::<_, Error>(domain::WriteOff {
            item: item(form, &write_off.item, || "write-off.item".to_owned())?,
            account: form.id(&write_off.account, || "write-off.account".to_owned())?,
            minor: write_off.minor,
        })
    };
    let pairs = new.pairs.iter().enumerate().map(|(i, one)| pair(form, i, one)).collect::<Result<Vec<_>, _>>()?;
    Ok(domain::NewMatch {
        id: form.id(&new.id, || "id".to_owned())?,
        date: form.date(new.date, "date")?,
        pairs,
        write_off: new.write_off.as_ref().map(|one| write_off(form, one)).transpose()?,
        tolerance: new.tolerance,
        entry: form.some_id(new.entry.as_ref(), "entry")?,
    })
}

fn given(row: ItemRow) -> OpenItem {
    let ItemRow { item, open } = row;
    OpenItem {
        item: named(item.of),
        account: item.account.into(),
        side: convert::side(item.side),
        amount: convert::money(item.amount),
        base: item.base.map(convert::money),
        party: item.party.map(Id::into),
        date: convert::date(item.date),
        due: item.due.map(convert::date),
        open,
    }
}

fn aged(row: domain::AgeingRow) -> AgeingRow {
    let domain::AgeingRow { currency, side, current, overdue, total } = row;
    AgeingRow { currency: currency.into(), side: convert::side(side), current, overdue, total }
}

fn matching(done: MatchDone) -> Matching {
    let MatchDone { on_record, replayed } = done;
    let recorded_at = convert::instant(on_record.recorded_at);
    Matching { account: on_record.account.into(), posted: on_record.posted, recorded_at, replayed }
}
