//! Holds: placed, settled, released, and ended by their timeout.

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    self, AccountTotal, Adding, Before, Entry, Found, Hold, HoldRelease, HoldState, NewEntry, NewHold, Settlement,
    Turnover,
};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Effect, Error, Id, Instant};
use backroom_store::records::{HoldExpiry, NameKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Failure, Result};
use crate::ledger::journal::{self, Posted};
use crate::ledger::making::{self, How};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The series of failed ids of holds.
const SERIES: &str = "hold";
/// Holds that end, read at once.
const CHUNK: usize = 64;

/// What became of a request for a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Placed {
    /// The hold on record.
    pub hold: Hold,
    /// It had been placed before, and nothing was done now.
    pub replayed: bool,
}

/// Places a hold; needs the right to post what it holds, which counts as posted against the ceilings.
///
/// # Errors
/// As [`post`](super::post), with the form of a hold (`too-many-lines`, `not-on-hold`, `timeout-zero`, `timeout-overflow`).
pub fn hold(work: &mut Work, new: NewHold) -> Result<Placed> {
    journal::check_post(work, Operation::HoldsPlace, &new.entry.lines, Some(new.entry.date), true)?;
    journal::check_guards(work, Operation::HoldsPlace, &new.entry)?;
    let expires_at = ledger::check_hold(&new, work.now)?;
    if let Some(hold) = work.tx().get::<Hold>(&new.entry.id)? {
        ledger::same_hold(&hold, &new)?;
        return Ok(Placed { hold: seen_now(hold, work.now), replayed: true });
    }
    let id = new.entry.id.clone();
    making::check_failed(work, SERIES, NameKind::FailedHold, &id)?;
    let spans = journal::spans(work);
    journal::check_sums(work, Operation::HoldsPlace, &new.entry, spans)?;
    let made = match making::decide(work, new.entry.clone(), Adding::Held, &How::of(Operation::HoldsPlace)) {
        Ok(made) => made,
        Err(failure) => return Err(making::burn(work, SERIES, NameKind::FailedHold, &id, failure)),
    };
    journal::count_sums(work, &new.entry, spans)?;
    making::stage_totals(work, &made.turnovers)?;
    let book = making::name_of(&made.book)?;
    made.passed.keep(work, &book, &new.entry.id, new.entry.date)?;
    let hold = Hold {
        recorded_at: work.now,
        expires_at,
        state: HoldState::Held,
        kept: new.entry.lines.iter().map(|line| line.amount.minor).collect(),
        entries: Vec::new(),
        run: work.caller.run.clone(),
        book: made.book.book,
        new,
    };
    if let Some(at) = expires_at {
        work.put(&HoldExpiry { at, hold: id })?;
    }
    work.put(&hold)?;
    work.effect(Effect::HoldPlaced(hold.clone()));
    Ok(Placed { hold, replayed: false })
}

/// Posts what a hold keeps, or a part of it; needs the right to post that. A hold to which there is none is as if it were not
/// there.
///
/// # Errors
/// In order: `ledger-post-denied` without the right to post anything; `amount-zero`; `hold-not-found`; `exists-with-different`; `id-already-failed`; `already-settled`, `already-released`,
/// `expired`; `currency-mismatch` (a part of a hold in several currencies, or in another one), `exceeds-hold`; then as
/// [`post`](super::post) from `rate-missing` on.
pub fn settle(work: &mut Work, asked: &Settlement) -> Result<Posted> {
    work.rights().check_post_ledger(Operation::HoldsSettle)?;
    if asked.amount.is_some_and(|amount| amount.minor == 0) {
        return Err(Error::invalid("amount-zero", "amount", "must be more than zero").into());
    }
    let hold = find(work, Operation::HoldsSettle, &asked.hold)?;
    if let Some(entry) = journal::find(work, &asked.entry)? {
        ledger::same_settlement(&entry, asked, &hold)?;
        return Ok(Posted::before(entry));
    }
    making::check_failed(work, making::SERIES, NameKind::FailedEntry, &asked.entry)?;
    expire_due(work)?;
    let done = work.attempt(|work| {
        let hold = find(work, Operation::HoldsSettle, &asked.hold)?;
        let parts = ledger::settle_parts(&hold, asked)?;
        settle_parts(work, hold, asked, &parts)
    });
    match done {
        Ok(entry) => Ok(Posted::now(work, entry)),
        Err(failure) => Err(making::burn(work, making::SERIES, NameKind::FailedEntry, &asked.entry, failure)),
    }
}

/// Posts so much of each line, and keeps the rest or gives it up.
fn settle_parts(work: &mut Work, mut hold: Hold, asked: &Settlement, parts: &[u64]) -> Result<Entry> {
    let last = asked.last || asked.amount.is_none() || parts == hold.kept;
    let before = available(work, &hold)?;
    let given_up = if last { hold.kept.clone() } else { parts.to_vec() };
    keep_less(work, &mut hold, &given_up)?;
    let new = ledger::settling_entry(&hold, asked, parts);
    journal::check_post(work, Operation::HoldsSettle, &new.lines, Some(new.date), true)?;
    let how = How { settles: Some(asked.hold.clone()), before: Some(before), ..How::of(Operation::HoldsSettle) };
    let entry = journal::post_new(work, new, how)?;
    hold.entries.push(asked.entry.clone());
    if last {
        hold.state = HoldState::Settled;
    }
    put_changed(work, hold)?;
    Ok(entry)
}

/// Gives up what a hold keeps; needs the right to post it. A hold to which there is none is as if it were not there.
///
/// # Errors
/// In order: `ledger-post-denied` without the right to post anything; `hold-not-found`; `already-settled`, `already-released`,
/// `expired`; `different-amount`.
pub fn release(work: &mut Work, asked: &HoldRelease) -> Result<Hold> {
    work.rights().check_post_ledger(Operation::HoldsRelease)?;
    find(work, Operation::HoldsRelease, &asked.hold)?;
    expire_due(work)?;
    let mut hold = find(work, Operation::HoldsRelease, &asked.hold)?;
    ledger::check_open(&hold)?;
    if let Some(amount) = asked.amount
        && ledger::kept_debits(&hold) != Some(amount)
    {
        let message = format!("the hold {} keeps another amount", asked.hold);
        return Err(Error::at(Class::Refused, "different-amount", "amount", message).into());
    }
    let kept = hold.kept.clone();
    keep_less(work, &mut hold, &kept)?;
    hold.state = HoldState::Released;
    put_changed(work, hold)
}

/// The hold with this id; needs the right to read every account in it, or it is as if it were not there.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `hold-not-found`.
pub fn get_hold(work: &Work, id: &Id) -> Result<Hold> {
    work.rights().check_read_ledger(Operation::HoldsGet)?;
    let hold = work.tx().get::<Hold>(id)?.ok_or_else(|| not_found(id))?;
    match journal::is_readable(work, Operation::HoldsGet, &hold.new.entry.lines)? {
        true => Ok(seen_now(hold, work.now)),
        false => Err(not_found(id)),
    }
}

/// Holds in order of their ids, those left out with an account that may not be read. A page may be short and still have a next.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_holds(work: &Work, request: &PageRequest) -> Result<Page<Hold>> {
    list::<Hold, _>(work, &(), None, request, |hold| {
        Ok(match journal::is_readable(work, Operation::HoldsList, &hold.new.entry.lines)? {
            true => Step::Take(seen_now(hold, work.now)),
            false => Step::Skip,
        })
    })
}

/// Ends the holds whose time is over. Were there any?
pub(crate) fn expire_due(work: &mut Work) -> Result<bool> {
    let due = due(work)?;
    let any = !due.is_empty();
    for mut hold in due {
        let kept = hold.kept.clone();
        keep_less(work, &mut hold, &kept)?;
        hold.state = HoldState::Expired;
        put_changed(work, hold)?;
    }
    Ok(any)
}

/// The holds whose time is over and that are still on record as open, in order of their ends.
pub(crate) fn due(work: &Work) -> Result<Vec<Hold>> {
    let mut due = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = work.tx().scan::<HoldExpiry>(&(), after.as_deref(), CHUNK)?;
        let last = page.len() < CHUNK;
        for (key, expiry) in page {
            if expiry.at > work.now {
                return Ok(due);
            }
            due.extend(work.tx().get::<Hold>(&expiry.hold)?);
            after = Some(key);
        }
        if last {
            return Ok(due);
        }
    }
}

/// The hold as it is at a time, though its end is not on record yet.
fn seen_now(mut hold: Hold, now: Instant) -> Hold {
    if hold.state == HoldState::Held && hold.expires_at.is_some_and(|at| at <= now) {
        hold.state = HoldState::Expired;
        hold.kept.iter_mut().for_each(|kept| *kept = 0);
    }
    hold
}

/// The hold, if what it holds may be posted.
fn find(work: &Work, operation: Operation, id: &Id) -> Result<Hold> {
    let hold = work.tx().get::<Hold>(id)?.ok_or_else(|| not_found(id))?;
    match journal::check_post(work, operation, &hold.new.entry.lines, None, false) {
        Ok(()) => Ok(hold),
        Err(Failure::Business(_)) => Err(not_found(id)),
        Err(failure) => Err(failure),
    }
}

fn not_found(id: &Id) -> Failure {
    Error::at(Class::NotFound, "hold-not-found", "hold", format!("there is no hold {id}")).into()
}

/// Takes so much of each line off what a hold keeps, and off the counters of the accounts.
fn keep_less(work: &mut Work, hold: &mut Hold, less: &[u64]) -> Result<()> {
    let mut part = hold.new.entry.clone();
    for (line, minor) in part.lines.iter_mut().zip(less) {
        line.amount.minor = *minor;
    }
    for (kept, minor) in hold.kept.iter_mut().zip(less) {
        *kept = kept.saturating_sub(*minor);
    }
    let turnovers = ledger::add_lines(&part, Adding::Released, totals(work, &part)?)?;
    making::stage_totals(work, &turnovers)
}

fn totals(work: &Work, entry: &NewEntry) -> Result<BTreeMap<Id, Found>> {
    let mut found = BTreeMap::new();
    for line in &entry.lines {
        if let Some(total) = work.tx().get::<AccountTotal>(&line.account)? {
            let day = making::day_of(work, &total, &line.account, entry.date)?;
            let month = making::month_of(work, &total, &line.account, entry.date)?;
            found.insert(line.account.clone(), Found::Posting(Turnover { total, day, month }));
        }
    }
    Ok(found)
}

/// What is available on the accounts of a hold.
fn available(work: &Work, hold: &Hold) -> Result<Before> {
    let mut before = Before::new();
    for line in &hold.new.entry.lines {
        if let Some(total) = work.tx().get::<AccountTotal>(&line.account)?
            && let Some(kind) = total.kind()
        {
            before.insert(line.account.clone(), total.balance.available(kind));
        }
    }
    Ok(before)
}

/// Puts a changed hold on record, and takes its end off if it has ended.
fn put_changed(work: &mut Work, hold: Hold) -> Result<Hold> {
    if let (Some(at), true) = (hold.expires_at, hold.state != HoldState::Held) {
        work.tx_mut().delete::<HoldExpiry>(&(at.0, hold.new.entry.id.clone()));
    }
    work.put(&hold)?;
    work.effect(Effect::HoldChanged(hold.clone()));
    Ok(hold)
}
