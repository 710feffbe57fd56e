//! The table of exchange rates of a book.

use backroom_domain::ledger::rates;
use backroom_domain::ledger::{FoundRate, NewRate, Rate};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Currency, Decimal, Effect, Id};
use backroom_store::records::rate_key;
use schemars::JsonSchema;
use serde::Serialize;

use super::books::fiscal_month;
use crate::error::{Failure, Result};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The type of rate that posting takes.
pub const SPOT: &str = "spot";
/// The type that revaluation takes if none is said.
pub const CLOSING: &str = "closing";

/// What became of setting rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RatesSet {
    /// How many are new or have another value than before.
    pub set: u32,
    /// How many had been set so before.
    pub unchanged: u32,
}

/// Sets rates, in place of those of the same day, pair and type; needs `ledger.rates` for the book. Entries keep the rates that
/// they were posted with.
///
/// # Errors
/// In order: `rates-denied`; the form of the rates ([`rates::check_rates`]); `book-not-found`.
pub fn set_rates(work: &mut Work, book: &Id, new: Vec<NewRate>) -> Result<RatesSet> {
    work.rights().check_rates(Operation::RatesSet, Some(book))?;
    rates::check_rates(&new)?;
    fiscal_month(work, book)?;
    let mut result = RatesSet { set: 0, unchanged: 0 };
    for new in new {
        let old = work.tx().get::<Rate>(&rate_key(book, new.from, new.to, &new.kind, new.date))?;
        if old.is_some_and(|old| old.new == new) {
            result.unchanged += 1;
            continue;
        }
        let rate = Rate { book: book.clone(), new, actor: work.caller.actor.clone(), recorded_at: work.now };
        work.put(&rate)?;
        work.effect(Effect::RateSet(rate));
        result.set += 1;
    }
    Ok(result)
}

/// The newest rate on or before a day, of this direction or as the inverse of the other one, whichever is newer (of the same day: this
/// direction). Needs the right to read some account.
///
/// # Errors
/// In order: `ledger-read-denied`; `book-not-found`; `rate-missing`.
pub fn get_rate(
    work: &Work,
    book: &Id,
    from: Currency,
    to: Currency,
    kind: &Id,
    date: BusinessDate,
) -> Result<FoundRate> {
    work.rights().check_read_ledger(Operation::RatesGet)?;
    fiscal_month(work, book)?;
    find(work, book, from, to, kind, date)
}

/// Rates of a book in order of pair, type and day, the newest day first.
///
/// # Errors
/// In order: `ledger-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_rates(work: &Work, book: &Id, request: &PageRequest) -> Result<Page<Rate>> {
    work.rights().check_read_ledger(Operation::RatesList)?;
    list::<Rate, _>(work, book, None, request, |rate| Ok(Step::Take(rate)))
}

/// As [`get_rate`], for whoever has the right to what needs it.
pub(crate) fn find(
    work: &Work,
    book: &Id,
    from: Currency,
    to: Currency,
    kind: &Id,
    date: BusinessDate,
) -> Result<FoundRate> {
    if from == to {
        let rate = Decimal::whole(1);
        return Ok(FoundRate { from, to, kind: kind.clone(), date, rate, inverse: false, exact: true });
    }
    let direct = newest(work, book, from, to, kind, date)?;
    let other = newest(work, book, to, from, kind, date)?;
    let found = match (direct, other) {
        (Some(direct), Some(other)) if direct.new.date < other.new.date => Err(other),
        (Some(direct), _) => Ok(direct),
        (None, Some(other)) => Err(other),
        (None, None) => return Err(rates::missing(from, to, kind, date).into()),
    };
    let (rate, date, inverse, exact) = match found {
        Ok(direct) => (direct.new.rate, direct.new.date, false, true),
        Err(other) => {
            let (rate, exact) = rates::inverse(other.new.rate).ok_or_else(|| rates::missing(from, to, kind, date))?;
            (rate, other.new.date, true, exact)
        }
    };
    Ok(FoundRate { from, to, kind: kind.clone(), date, rate, inverse, exact })
}

/// What a unit of a currency is worth in another on a day, for posting; none if nobody knows.
pub(crate) fn rate(
    work: &Work,
    book: &Id,
    from: Currency,
    to: Currency,
    date: BusinessDate,
) -> Result<Option<Decimal>> {
    match find(work, book, from, to, &Id::parse(SPOT, "type")?, date) {
        Ok(found) => Ok(Some(found.rate)),
        Err(Failure::Business(error)) if error.code() == "rate-missing" => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn newest(work: &Work, book: &Id, from: Currency, to: Currency, kind: &Id, date: BusinessDate) -> Result<Option<Rate>> {
    let start = std::ops::Bound::Included(rate_key(book, from, to, kind, date));
    let (book, pair, kind, _) = rate_key(book, from, to, kind, date);
    let end = std::ops::Bound::Included((book, pair, kind, u32::MAX));
    Ok(work.tx().scan_range::<Rate>(start, end, 1)?.pop().map(|(_, rate)| rate))
}
