//! Erasing a worker's personal data.

use crate::hr::{Employment, NewErasure, Worker};
use crate::shape::Problems;
use crate::{BusinessDate, Error, Id, Result};

/// The form of the request: `text-invalid`.
pub fn check_erasure(new: &NewErasure) -> Result<()> {
    let mut problems = Problems::default();
    problems.text(|| "reason".to_owned(), &new.reason, 1, 200);
    problems.finish()
}

/// Whether the worker's personal data can be erased. `stretches` are all the worker's employments.
///
/// Refusals: `retention-duty`: still or yet to be employed on `today` (pay cannot be made without them), or before the day that
/// the request names itself.
pub fn erase(
    worker: &Id,
    stretches: &[Employment],
    today: BusinessDate,
    not_before: Option<BusinessDate>,
) -> Result<()> {
    let refused = |message| Err(Error::refused("retention-duty", message));
    if let Some(last) = stretches.iter().map(|e| &e.new).find(|e| e.touches(Some(today), None)) {
        let until = last.to.map_or_else(|| "goes on".to_owned(), |to| format!("ends on {to}"));
        return refused(format!(
            "the employment of {worker} from {} {until}; personal data can be erased once none is left",
            last.from
        ));
    }
    match not_before {
        Some(day) if today < day => refused(format!("the data of {worker} have to be kept until {day}")),
        _ => Ok(()),
    }
}

/// `person-erased` if the personal data were erased: nothing is added to what was taken away, and the id stays that of the
/// person whose it was.
pub fn not_erased(worker: &Worker) -> Result<()> {
    if !worker.erased {
        return Ok(());
    }
    let message = format!(
        "the personal data of {} were erased, and are not taken in again; whoever comes (back) gets a new worker number",
        worker.new.id
    );
    Err(Error::refused("person-erased", message))
}
