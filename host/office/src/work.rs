//! The unit of work: what every use case takes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backroom_domain::rights::{HrField, Layers, Rights};
use backroom_domain::{BusinessDate, Effect, Error, Id, Instant, Problem, Side};
use backroom_store::records::{Counter, StoredEntry};
use backroom_store::{Committed, Meta, Record, Tx};

use crate::effects;
use crate::error::Result;
use crate::files::Growing;
use crate::ledger::kept::Kept;

/// Who asks, bound by the host to the unit of work and never a parameter of a call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person or key, as the log names it.
    pub actor: String,
    /// Every layer must allow a call: the caller's own rights, and for a plugin also what it wants and what it was granted.
    pub layers: Vec<Arc<Rights>>,
    /// The installation that acts for the actor.
    pub installation: Option<Id>,
    /// The run that it acts in.
    pub run: Option<Id>,
}

/// A unit of work over ledger, people and stock of one tenant. Dropping it keeps nothing.
pub struct Work {
    tx: Tx,
    /// Who asks.
    pub caller: Caller,
    /// The time of the work; the same for all of it.
    pub now: Instant,
    /// The day of the books it is for.
    pub today: BusinessDate,
    /// The UTC day of `now`: grants expire after it, and what an installation may do in a day is counted by it.
    pub(crate) day: BusinessDate,
    /// What was used up of ceilings of the run.
    pub(crate) used: BTreeMap<String, u128>,
    effects: Vec<Effect>,
    /// Per stock control account: what the ledger and what the stock gained, in minor units, signed (gain minus loss).
    stock_control: BTreeMap<Id, StockControl>,
    /// Journal entries that moves and benefit lines refer to: entry, and the field that named it.
    referred: BTreeMap<Id, &'static str>,
    /// Personal data that were asked for and have been erased since the time that is looked at.
    erased: RefCell<BTreeSet<(Id, HrField)>>,
    /// The file that was added to last.
    growing: Option<Growing>,
    /// What the answer to the last change has to say beside it.
    warnings: Vec<Problem>,
    /// Counters as they are with this work.
    counters: BTreeMap<&'static str, (u64, u64)>,
    /// What a batch has changed and not staged yet; none unless one is under way.
    pub(crate) kept: Option<Kept>,
}

#[derive(Default, Clone)]
struct StockControl {
    ledger: i128,
    stock: i128,
}

/// A unit of work that met every rule of its end and is ready to be committed.
pub struct Sealed {
    tx: Tx,
    /// What it changed, in order.
    pub effects: Vec<Effect>,
}

impl Work {
    /// Begins work on `tx`.
    pub fn new(tx: Tx, caller: Caller, now: Instant, today: BusinessDate) -> Self {
        Self {
            tx,
            caller,
            now,
            today,
            // A time that no calendar has is after the end of every grant that has an end.
            day: now.utc_date().unwrap_or(BusinessDate::MAX),
            used: BTreeMap::new(),
            effects: Vec::new(),
            stock_control: BTreeMap::new(),
            referred: BTreeMap::new(),
            erased: RefCell::default(),
            growing: None,
            warnings: Vec::new(),
            counters: BTreeMap::new(),
            kept: None,
        }
    }

    /// The caller's rights, to be checked before anything else is looked at.
    pub fn rights(&self) -> Layers<'_> {
        Layers::new(&self.caller.layers, self.day)
    }

    /// The records, for reading.
    pub fn tx(&self) -> &Tx {
        &self.tx
    }

    /// The records, for staging changes.
    pub fn tx_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Stages a record and its effect.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<()> {
        Ok(self.tx.put(record)?)
    }

    /// Adds an effect, after the records that carry it were staged.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// What was staged so far.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// The last effect, for a change that continues it.
    pub(crate) fn last_effect_mut(&mut self) -> Option<&mut Effect> {
        self.effects.last_mut()
    }

    /// Has the answer to a change say something that did not stop it.
    pub(crate) fn warn(&mut self, warnings: Vec<Problem>) {
        self.warnings.extend(warnings);
    }

    /// What the answer to the last change has to say.
    pub(crate) fn take_warnings(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.warnings)
    }

    /// Notes which file was added to last, and what its digest begins with.
    pub(crate) fn set_growing(&mut self, growing: Growing) {
        self.growing = Some(growing);
    }

    /// The file that was added to last.
    pub(crate) fn take_growing(&mut self) -> Option<Growing> {
        self.growing.take()
    }

    /// Does a part of the work that stands or falls by itself: if it fails, nothing of it is left.
    pub(crate) fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (used, stock_control, effects) = (self.used.clone(), self.stock_control.clone(), self.effects.len());
        self.stage_kept()?;
        self.tx.mark();
        let done = part(self).and_then(|done| self.stage_kept().map(|()| done));
        if done.is_ok() {
            self.tx.keep_mark();
        } else {
            self.tx.undo_mark();
            self.kept = self.kept.take().map(|_| Kept::default());
            self.counters.clear();
            self.effects.truncate(effects);
            (self.used, self.stock_control) = (used, stock_control);
        }
        done
    }

    /// How many ids of a series were refused for good.
    pub(crate) fn failed_ids(&mut self, series: &'static str) -> Result<u64> {
        Ok(self.counter(series)?.1)
    }

    /// Counts an id of a series that is refused for good.
    pub(crate) fn count_failed_id(&mut self, series: &'static str) -> Result<()> {
        let (last, failed) = self.counter(series)?;
        self.set_counter(series, last, failed.saturating_add(1))
    }

    /// The last number of a series and how many of its ids were refused for good; read once.
    fn counter(&mut self, series: &'static str) -> Result<(u64, u64)> {
        if let Some(known) = self.counters.get(series) {
            return Ok(*known);
        }
        let counter = self.tx.get::<Counter>(&series.to_owned())?;
        let known = counter.map_or((0, 0), |counter| (counter.last, counter.failed.unwrap_or(0)));
        self.counters.insert(series, known);
        Ok(known)
    }

    fn set_counter(&mut self, series: &'static str, last: u64, failed: u64) -> Result<()> {
        match &mut self.kept {
            Some(kept) => drop(kept.series.insert(series)),
            None => self.put_counter(series, last, failed)?,
        }
        self.counters.insert(series, (last, failed));
        Ok(())
    }

    fn put_counter(&mut self, series: &'static str, last: u64, failed: u64) -> Result<()> {
        Ok(self.tx.put(&Counter { series: series.to_owned(), last, failed: (failed > 0).then_some(failed) })?)
    }

    /// Does a part of the work that changes the same totals again and again, and stages them once.
    pub(crate) fn keeping<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.kept = Some(Kept::default());
        let done = part(self).and_then(|done| self.stage_kept().map(|()| done));
        self.kept = None;
        done
    }

    /// Stages what was kept, and keeps nothing of it: for whoever looks at totals or counters in the records.
    pub(crate) fn stage_kept(&mut self) -> Result<()> {
        let Some(kept) = self.kept.as_mut().map(std::mem::take) else { return Ok(()) };
        for (total, days, months) in kept.records() {
            self.tx.put(total)?;
            days.into_iter().try_for_each(|day| self.tx.put(day))?;
            months.into_iter().try_for_each(|month| self.tx.put(month))?;
        }
        for series in kept.series {
            let (last, failed) = self.counter(series)?;
            self.put_counter(series, last, failed)?;
        }
        Ok(())
    }

    /// The next number of a gap-free series of the tenant; given back if the work is not committed.
    pub fn next_number(&mut self, series: &'static str) -> Result<u64> {
        let (last, failed) = self.counter(series)?;
        let next = last.checked_add(1).ok_or_else(|| Error::overflow(series))?;
        self.set_counter(series, next, failed)?;
        Ok(next)
    }

    /// Notes that a stock control account was posted to.
    pub fn note_ledger(&mut self, account: &Id, side: Side, minor: u64) {
        let note = self.stock_control.entry(account.clone()).or_default();
        match side {
            Side::Debit => note.ledger = note.ledger.saturating_add(i128::from(minor)),
            Side::Credit => note.ledger = note.ledger.saturating_sub(i128::from(minor)),
        }
    }

    /// Notes that the value of the stock under a control account rose (`gain`) or fell.
    pub fn note_stock(&mut self, account: &Id, gain: bool, minor: u64) {
        let note = self.stock_control.entry(account.clone()).or_default();
        let value = i128::from(minor);
        note.stock = if gain { note.stock.saturating_add(value) } else { note.stock.saturating_sub(value) };
    }

    /// Notes that `field` of something staged names a journal entry, which must exist in the end.
    pub fn note_entry_reference(&mut self, entry: &Id, field: &'static str) {
        self.referred.insert(entry.clone(), field);
    }

    /// Notes that a field of a worker was asked for that was there at the time that is looked at and has been erased since.
    pub(crate) fn note_erased(&self, worker: &Id, field: HrField) {
        self.erased.borrow_mut().insert((worker.clone(), field));
    }

    /// What was asked for and is not as it was: not empty only for a unit of work in the past ([`Store::before`]).
    ///
    /// [`Store::before`]: backroom_store::Store::before
    pub fn erased_since(&self) -> Vec<(Id, HrField)> {
        self.erased.borrow().iter().cloned().collect()
    }

    /// Checks the rules of the end: stock and books changed by the same values, and every named journal entry exists.
    /// All problems are reported together.
    pub fn seal(self) -> Result<Sealed> {
        let mut problems = Vec::new();
        for (account, note) in &self.stock_control {
            if note.ledger != note.stock {
                problems.push(Problem {
                    code: "stock-ledger-mismatch".into(),
                    field: Some(account.to_string()),
                    message: format!(
                        "stock control account {account}: the entries change it by {} minor units, the stock moves by {}; post \
                         the value of every move to it",
                        note.ledger, note.stock
                    ),
                });
            }
        }
        for (entry, field) in &self.referred {
            if self.tx.get::<StoredEntry>(entry)?.is_none() {
                let message = format!("the journal entry {entry} was named but never posted");
                problems.push(Problem { code: "entry-missing".into(), field: Some((*field).to_owned()), message });
            }
        }
        if !problems.is_empty() {
            return Err(Error { class: backroom_domain::Class::Refused, problems }.into());
        }
        Ok(Sealed { tx: self.tx, effects: self.effects })
    }
}

impl Sealed {
    /// Stages one more record, such as that of the run itself.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<()> {
        Ok(self.tx.put(record)?)
    }

    /// The records, for what is done in the same commit beside the effects.
    pub fn tx_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The effects as they stand in the log, what is personal in them sealed.
    pub fn encoded_effects(&self) -> Result<Vec<Vec<u8>>> {
        self.effects.iter().map(|effect| effects::encode(effect, self.tx.seals())).collect()
    }

    /// Puts the work in its place in the log. The reply must wait for the ticket.
    pub fn commit(self, meta: Meta) -> Result<Committed> {
        Ok(self.commit_and_show(meta)?.0)
    }

    /// As [`Sealed::commit`], and gives back what it changed.
    pub fn commit_and_show(self, meta: Meta) -> Result<(Committed, Vec<Effect>)> {
        let effects = self.encoded_effects()?;
        Ok((self.tx.commit(Meta { effects, ..meta })?, self.effects))
    }
}
