//! Benefit lines: what a worker gets under a plan for a period. There is no function that changes or deletes one.

use std::ops::Bound;

use backroom_domain::hr::{self, Benefit, Neighbour, NewBenefit};
use backroom_domain::rights::{Employee, HrField, Operation};
use backroom_domain::{BusinessDate, Effect, Id};
use backroom_store::records::{BenefitByPlan, BenefitByWorker};
use backroom_store::{RecordKey as _, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Failure, Result};
use crate::hr::employments::{check_range, clear, stretches};
use crate::hr::{group, people};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// What became of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recorded {
    /// The line on record.
    pub benefit: Benefit,
    /// It had been recorded before, and nothing was done now.
    pub replayed: bool,
}

/// Records one line; needs the right to record under the plan, and an amount below the ceiling. Stages nothing unless it succeeds.
/// A journal entry that it names must exist when the unit of work is sealed.
///
/// # Errors
/// In order: `benefit-denied`; `benefit-amount-denied`; `period-invalid`, `amount-zero` and `amount-too-large` together;
/// `exists-with-different`; then as [`hr::record_benefit`]: `worker-not-found`, `not-employed`, `overlapping-benefit`. Where the
/// right is for some groups of people alone, `worker-not-found` and `not-employed` come before `exists-with-different`: nobody
/// learns what is on record of others.
pub fn record_benefit(work: &mut Work, new: NewBenefit) -> Result<Recorded> {
    work.rights().check_benefit(Some(&new.plan), Some(new.amount))?;
    hr::check_benefit(&new)?;
    let recorded = work.tx().get::<Benefit>(&new.id)?;
    if let Some(benefit) = recorded.as_ref().filter(|_| !work.rights().by_group()) {
        return repeated(benefit, &new);
    }
    let worker = people::exists(work, &new.worker)?;
    let mut stretches = stretches(work, &new.worker)?;
    let allowed = |employee: Option<Employee<'_>>| work.rights().benefits_to(&new.plan, new.amount, employee);
    // Stretches outside of the group are as if not there, and so is whoever has no other.
    let worker = worker && (allowed(None) || stretches.iter().any(|stretch| allowed(Some(group::employee(stretch)))));
    stretches.retain(|stretch| allowed(Some(group::employee(stretch))));
    let stretches: Vec<_> = stretches.into_iter().map(clear).collect();
    if let Some(benefit) = &recorded {
        hr::record_benefit(&new, worker, &stretches, None)?;
        return repeated(benefit, &new);
    }
    hr::record_benefit(&new, worker, &stretches, neighbour(work, &new)?.as_ref())?;

    let benefit = Benefit { new, recorded_at: work.now, run: work.caller.run.clone() };
    let NewBenefit { id, worker, plan, from, to, entry, .. } = &benefit.new;
    work.put(&BenefitByWorker {
        worker: worker.clone(),
        plan: plan.clone(),
        to: *to,
        from: *from,
        benefit: id.clone(),
    })?;
    work.put(&BenefitByPlan { plan: plan.clone(), from: *from, worker: worker.clone(), benefit: id.clone() })?;
    if let Some(entry) = entry {
        work.note_entry_reference(entry, "entry");
    }
    work.put(&benefit)?;
    work.effect(Effect::BenefitRecorded(benefit.clone()));
    Ok(Recorded { benefit, replayed: false })
}

/// The answer to an id that is on record.
fn repeated(benefit: &Benefit, new: &NewBenefit) -> Result<Recorded> {
    hr::same_benefit(benefit, new)?;
    Ok(Recorded { benefit: benefit.clone(), replayed: true })
}

/// Lines of a plan whose first day is from `first` to `last`, in order of first day, worker and id; needs the right `benefits`.
///
/// # Errors
/// In order: `hr-read-denied`; `date-invalid` (the last day is before the first); `limit-invalid`, `cursor-invalid`.
pub fn list_benefits(
    work: &Work,
    plan: &Id,
    first: BusinessDate,
    last: BusinessDate,
    request: &PageRequest,
) -> Result<Page<Benefit>> {
    work.rights().check_read_hr(Operation::ListBenefits, HrField::Benefits)?;
    check_range(Some(first), Some(last))?;
    // The beginning of the keys of the first day: all of them come behind it, and those of earlier days before.
    let mut start = Vec::new();
    (plan, first).write(&mut start);
    list::<BenefitByPlan, _>(work, plan, Some(start), request, |row| {
        if row.from > last {
            return Ok(Step::End);
        }
        if !group::sees(work, Operation::ListBenefits, HrField::Benefits, &row.worker, row.from)? {
            return Ok(Step::Skip);
        }
        let benefit = work.tx().get::<Benefit>(&row.benefit)?;
        Ok(Step::Take(benefit.ok_or_else(|| damaged(&row.benefit))?))
    })
}

/// The line of the same worker and plan that ends first on or after the first day of the new one.
fn neighbour(work: &Work, new: &NewBenefit) -> Result<Option<Neighbour>> {
    let key = |day| Bound::Included((new.worker.clone(), new.plan.clone(), day));
    let mut rows = work.tx().scan_range::<BenefitByWorker>(key(new.from), key(BusinessDate::MAX), 1)?;
    Ok(rows.pop().map(|(_, row)| Neighbour { id: row.benefit, from: row.from, to: row.to }))
}

fn damaged(id: &Id) -> Failure {
    StoreError::Corrupt { place: format!("benefit line {id}"), what: "the index has it, the records do not".to_owned() }
        .into()
}
