//! Employments: who works where, as what, from when to when.

use backroom_domain::hr::{self, Employment, NewEmployment, Place};
use backroom_domain::rights::{HrField, Operation};
use backroom_domain::{BusinessDate, Effect, Error, Id, Money};
use backroom_store::records::{StoredEmployment, StoredWorker};

use crate::error::Result;
use crate::hr::{group, people};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Stretches of one worker that are read at once; hardly anyone has more.
const CHUNK: usize = 64;

/// Which employments: every condition given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmploymentFilter {
    /// Employed on at least one day from here ...
    pub first_day: Option<BusinessDate>,
    /// ... to here, both counted.
    pub last_day: Option<BusinessDate>,
    /// In this position.
    pub position: Option<Id>,
    /// Working there.
    pub place: Option<Place>,
}

impl EmploymentFilter {
    /// `employment` may be without its salary.
    fn meets(&self, employment: &NewEmployment) -> bool {
        employment.touches(self.first_day, self.last_day)
            && self.position.as_ref().is_none_or(|position| *position == employment.position)
            && self.place.is_none_or(|place| place == employment.place)
    }
}

/// Adds a stretch of employment; needs `administer`. A repeat with the same content gives the one on record.
///
/// # Errors
/// In order: `administer-denied`; `period-invalid` and `amount-too-large` together; `person-erased`; `exists-with-different`;
/// `worker-not-found`; `overlapping-employment`.
pub fn add_employment(work: &mut Work, new: NewEmployment) -> Result<Employment> {
    work.rights().check_administer()?;
    hr::check_employment(&new)?;
    let worker = work.tx().get::<StoredWorker>(&new.worker)?.map(|stored| people::worker(work, stored)).transpose()?;
    if let Some(worker) = &worker {
        hr::not_erased(worker)?;
    }
    let stretches = stretches(work, &new.worker)?;
    if let Some(existing) = stretches.iter().find(|e| e.from == new.from) {
        let existing = people::employment(work, existing.clone())?;
        hr::same_employment(&existing, &new)?;
        return Ok(existing);
    }
    let dates: Vec<_> = stretches.into_iter().map(clear).collect();
    hr::add_employment(&new, worker.is_some(), &dates)?;

    let employment = Employment { new, recorded_at: work.now, erased: false };
    people::put_employment(work, &employment)?;
    work.effect(Effect::EmploymentAdded(employment.clone()));
    Ok(employment)
}

/// Employments that meet the filter, in order of worker and first day; needs the right `employment`. Salaries are left out
/// (and stay sealed) without the right `compensation`, and stretches outside of the group that may be read altogether. A page may be short and still have a next.
///
/// # Errors
/// In order: `hr-read-denied`; `date-invalid` (the last day is before the first); `limit-invalid`, `cursor-invalid`.
pub fn list_employments(work: &Work, filter: &EmploymentFilter, request: &PageRequest) -> Result<Page<Employment>> {
    work.rights().check_read_hr(Operation::ListEmployments, HrField::Employment)?;
    check_range(filter.first_day, filter.last_day)?;
    list::<StoredEmployment, _>(work, &(), None, request, |stored| {
        let employment = clear(stored.clone());
        let sees = |field| work.rights().sees(Operation::ListEmployments, field, Some(group::employee(&stored)));
        if !filter.meets(&employment.new) || !sees(HrField::Employment) {
            return Ok(Step::Skip);
        }
        let salaries = sees(HrField::Compensation);
        Ok(Step::Take(if salaries { people::employment(work, stored)? } else { employment }))
    })
}

/// Gross pay a month on `date`, if one is on record and was not erased; needs the right `compensation`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`: no such worker, or not employed on that day.
pub fn compensation(work: &Work, worker: &Id, date: BusinessDate) -> Result<Option<Money>> {
    work.rights().check_read_hr(Operation::GetCompensation, HrField::Compensation)?;
    if !group::sees(work, Operation::GetCompensation, HrField::Compensation, worker, date)? {
        return Err(Error::not_found("worker", worker).into());
    }
    match stretches(work, worker)?.into_iter().find(|e| e.from <= date && e.to.is_none_or(|to| date <= to)) {
        Some(stored) => Ok(people::employment_asked(work, stored)?.new.salary),
        None if !people::exists(work, worker)? => Err(Error::not_found("worker", worker).into()),
        None => Err(Error::not_found("employment", format_args!("of {worker} on {date}")).into()),
    }
}

/// An employment without its salary, which stays sealed.
pub(super) fn clear(stored: StoredEmployment) -> Employment {
    let StoredEmployment { worker, from, to, position, place, cost_center, recorded_at, sealed } = stored;
    let new = NewEmployment { worker, from, to, position, place, cost_center, salary: None };
    Employment { new, recorded_at, erased: sealed.is_none() }
}

/// All employments of a worker, in order of their first days.
pub(super) fn stretches(work: &Work, worker: &Id) -> Result<Vec<StoredEmployment>> {
    let mut stretches = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = work.tx().scan::<StoredEmployment>(worker, after.as_deref(), CHUNK)?;
        let last = rows.len() < CHUNK;
        after = rows.last().map(|(key, _)| key.clone());
        stretches.extend(rows.into_iter().map(|(_, employment)| employment));
        if last {
            return Ok(stretches);
        }
    }
}

/// `date-invalid` if a range of days ends before it begins.
pub(super) fn check_range(first: Option<BusinessDate>, last: Option<BusinessDate>) -> Result<()> {
    match first.zip(last) {
        Some((first, last)) if last < first => {
            Err(Error::invalid("date-invalid", "last-day", format!("{last} is before the first day, {first}")).into())
        }
        _ => Ok(()),
    }
}
