//! Getting and putting of workers and employments: the one place where personal data are opened and sealed for the books.

use backroom_domain::hr::{Employment, Worker};
use backroom_domain::rights::HrField;
use backroom_domain::{Error, Id};
use backroom_store::records::{StoredEmployment, StoredWorker};

use crate::error::Result;
use crate::work::Work;

/// Is there a worker with this number?
pub(super) fn exists(work: &Work, id: &Id) -> Result<bool> {
    Ok(work.tx().get::<StoredWorker>(id)?.is_some())
}

/// The worker as stored, or `not-found`.
pub(super) fn stored_worker(work: &Work, id: &Id) -> Result<StoredWorker> {
    Ok(work.tx().get::<StoredWorker>(id)?.ok_or_else(|| Error::not_found("worker", id))?)
}

/// A worker with personal data, to be looked at by the rules or shown to whoever may see them.
pub(super) fn worker(work: &Work, stored: StoredWorker) -> Result<Worker> {
    Ok(stored.open(work.tx().seals())?)
}

/// The worker with this number, of whom `field` is asked for by a run.
pub(super) fn worker_asked(work: &Work, id: &Id, field: HrField) -> Result<Worker> {
    let stored = stored_worker(work, id)?;
    let was_there = stored.sealed.is_some();
    let worker = worker(work, stored)?;
    if was_there && worker.erased {
        work.note_erased(id, field);
    }
    Ok(worker)
}

/// An employment with its salary.
pub(super) fn employment(work: &Work, stored: StoredEmployment) -> Result<Employment> {
    Ok(stored.open(work.tx().seals())?)
}

/// An employment whose salary is asked for by a run.
pub(super) fn employment_asked(work: &Work, stored: StoredEmployment) -> Result<Employment> {
    let was_there = stored.sealed.is_some();
    let employment = employment(work, stored)?;
    if was_there && employment.erased {
        work.note_erased(&employment.new.worker, HrField::Compensation);
    }
    Ok(employment)
}

/// Stages a worker.
pub(super) fn put_worker(work: &mut Work, worker: &Worker) -> Result<()> {
    let stored = StoredWorker::seal(worker, work.tx().seals())?;
    work.put(&stored)
}

/// Stages an employment.
pub(super) fn put_employment(work: &mut Work, employment: &Employment) -> Result<()> {
    let stored = StoredEmployment::seal(employment, work.tx().seals())?;
    work.put(&stored)
}
