//! Recording a benefit line.

use crate::hr::{Benefit, Employment, NewBenefit, employed_days};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Error, Id, Result};

/// The most days a benefit line is for: a leap year.
pub const MAX_BENEFIT_DAYS: u32 = 366;

/// The form of the request, all problems together: `period-invalid`, `amount-zero`, `amount-too-large`.
pub fn check_benefit(new: &NewBenefit) -> Result<()> {
    let mut problems = Problems::default();
    let field = || "last-day".to_owned();
    match new.from.days_through(new.to) {
        0 => problems.add("period-invalid", field, || format!("{} is before the first day, {}", new.to, new.from)),
        days if days > MAX_BENEFIT_DAYS => problems.add("period-invalid", field, || {
            format!("a benefit line is for at most {MAX_BENEFIT_DAYS} days, not {days}")
        }),
        _ => {}
    }
    problems.positive_amount(|| "amount".to_owned(), new.amount);
    problems.finish()
}

/// `exists-with-different` unless `new` says what was recorded.
pub fn same_benefit(existing: &Benefit, new: &NewBenefit) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.worker != new.worker => "worker",
        () if old.plan != new.plan => "plan",
        () if old.from != new.from => "first-day",
        () if old.to != new.to => "last-day",
        () if old.amount != new.amount => "amount",
        () if old.cost_center != new.cost_center => "cost-center",
        () if old.entry != new.entry => "entry",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("benefit", &new.id, field))
}

/// Another benefit line of the same worker and plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its id.
    pub id: Id,
    /// Its first day.
    pub from: BusinessDate,
    /// Its last day.
    pub to: BusinessDate,
}

/// Whether a benefit line of valid form can be recorded. `worker` says whether the worker is on record, `stretches` are all the
/// worker's employments, `next` is the line of the same worker and plan that ends first on or after the first day of the
/// new one: as lines never overlap, no other can stand in its way.
///
/// Refusals, in order: `worker-not-found`, `not-employed`, `overlapping-benefit`.
pub fn record_benefit(
    new: &NewBenefit,
    worker: bool,
    stretches: &[Employment],
    next: Option<&Neighbour>,
) -> Result<()> {
    if !worker {
        let message = format!("there is no worker {}", new.worker);
        return Err(Error::at(Class::NotFound, "worker-not-found", "worker", message));
    }
    let (days, employed) = (new.from.days_through(new.to), employed_days(stretches, new.from, new.to));
    if employed < days {
        let message = format!(
            "{} is employed on {employed} of the {days} days from {} to {}; the line may only cover those",
            new.worker, new.from, new.to
        );
        return Err(Error::at(Class::Refused, "not-employed", "first-day", message));
    }
    if let Some(other) = next.filter(|other| other.from <= new.to && new.from <= other.to) {
        let message = format!("line {} of this worker and plan covers {} to {}", other.id, other.from, other.to);
        return Err(Error::at(Class::Refused, "overlapping-benefit", "first-day", message));
    }
    Ok(())
}
