//! Whom the caller may see: rights on people can be for those of some cost centres, positions and places of work alone.
//!
//! Whoever is outside of the group is as if not there. A worker belongs where the stretch of employment says that is in force
//! on the day asked about; if none is, where the last one before it says, or else the first one after it.

use backroom_domain::rights::{Employee, HrField, Operation};
use backroom_domain::{BusinessDate, Id};
use backroom_store::records::StoredEmployment;

use crate::error::Result;
use crate::hr::employments::stretches;
use crate::work::Work;

/// What a stretch says about the group.
pub(super) fn employee(stretch: &StoredEmployment) -> Employee<'_> {
    Employee { cost_center: &stretch.cost_center, position: &stretch.position, place: stretch.place }
}

/// The stretch that says where the worker belongs on `day`. `stretches` are in order of their first days.
fn belonging(stretches: &[StoredEmployment], day: BusinessDate) -> Option<&StoredEmployment> {
    stretches.iter().rev().find(|stretch| stretch.from <= day).or_else(|| stretches.first())
}

/// May the field be read of this worker, as of a day? That it may be read of some was checked before.
pub(super) fn sees(work: &Work, operation: Operation, field: HrField, worker: &Id, day: BusinessDate) -> Result<bool> {
    if !work.rights().by_group() {
        return Ok(true);
    }
    let stretches = stretches(work, worker)?;
    Ok(work.rights().sees(operation, field, belonging(&stretches, day).map(employee)))
}

/// The stretch that says where the worker belongs today, if there is a right that depends on it.
pub(super) fn today(work: &Work, worker: &Id) -> Result<Option<StoredEmployment>> {
    if !work.rights().by_group() {
        return Ok(None);
    }
    Ok(belonging(&stretches(work, worker)?, work.today).cloned())
}

/// May the worker be named where something is done for him, such as in a move of stock?
pub(crate) fn names(work: &Work, worker: &Id) -> Result<bool> {
    if !work.rights().by_group() {
        return Ok(true);
    }
    let stretches = stretches(work, worker)?;
    Ok(work.rights().names_worker(belonging(&stretches, work.today).map(employee)))
}
