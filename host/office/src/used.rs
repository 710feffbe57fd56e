//! Ceilings over several calls: what a run has used up of them, and what an installation has on a UTC day of the run's clock.
//!
//! The sum of a day is a record of the tenant's state, written in the same commit as what it counts: so it is right whoever
//! commits first, and a replay or a dry run sees the same figures. It is kept only for installations that have such a ceiling
//! in their rights, and counts from then on.

use backroom_domain::rights::Used;
use backroom_domain::{BusinessDate, Currency, Id};
use backroom_store::Tx;
use backroom_store::records::DayTotal;

use crate::error::Result;
use crate::work::Work;

/// Sums of earlier days are taken away after so many: hosts whose clocks differ by less never count anew.
const KEPT_DAYS: u32 = 7;
/// So many at a time.
const PORTION: usize = 16;

/// What is added up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measure<'a> {
    /// Debits in a currency, in minor units.
    Debits(Currency),
    /// Values of moves in a currency, in minor units.
    Value(Currency),
    /// The quantity of an item, as [`Used::of`] has it.
    Quantity(&'a Id),
}

/// Over what.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spans {
    pub(crate) run: bool,
    pub(crate) day: bool,
}

impl Spans {
    pub(crate) fn any(self) -> bool {
        self.run || self.day
    }
}

impl Measure<'_> {
    fn name(self) -> String {
        match self {
            Self::Debits(currency) => format!("debits:{currency}"),
            Self::Value(currency) => format!("value:{currency}"),
            Self::Quantity(item) => format!("quantity:{item}"),
        }
    }
}

/// What has been used up so far.
pub(crate) fn used(work: &Work, measure: Measure<'_>, spans: Spans) -> Result<Used> {
    if !spans.any() {
        return Ok(Used::default());
    }
    let name = measure.name();
    let run = work.used.get(&name).copied().unwrap_or_default();
    let day = match &work.caller.installation {
        Some(installation) if spans.day => {
            let key = (installation.clone(), work.day, name);
            work.tx().get::<DayTotal>(&key)?.map_or(0, |total| total.sum())
        }
        // Whoever is no installation has no days: what counts is this unit of work.
        _ => run,
    };
    Ok(Used { run, day })
}

/// Counts `amount`, which was done.
pub(crate) fn use_up(work: &mut Work, measure: Measure<'_>, spans: Spans, amount: u128) -> Result<()> {
    if !spans.any() || amount == 0 {
        return Ok(());
    }
    let name = measure.name();
    if let (true, Some(installation)) = (spans.day, work.caller.installation.clone()) {
        let before = work.tx().get::<DayTotal>(&(installation.clone(), work.day, name.clone()))?;
        if before.is_none() {
            let day = work.day;
            forget(work.tx_mut(), &installation, day)?;
        }
        let sum = before.map_or(0, |total| total.sum()).saturating_add(amount);
        work.put(&DayTotal::new(installation, work.day, name.clone(), sum))?;
    }
    let run = work.used.entry(name).or_default();
    *run = run.saturating_add(amount);
    Ok(())
}

/// Takes sums of days long past away: some, whenever one is begun.
pub(crate) fn forget(tx: &mut Tx, installation: &Id, today: BusinessDate) -> Result<()> {
    let oldest = tx.scan::<DayTotal>(installation, None, PORTION)?;
    for (_, total) in oldest {
        if today.days_since(total.day) > KEPT_DAYS {
            tx.delete::<DayTotal>(&(total.installation, total.day, total.what));
        }
    }
    Ok(())
}
