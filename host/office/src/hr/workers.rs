//! Workers: who there is.

use backroom_domain::hr::{self, NewWorker, Worker};
use backroom_domain::rights::{HrField, Layers};
use backroom_domain::{Effect, Error, Id, Instant};
use serde::Serialize;

use crate::error::Result;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// A worker as the caller may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorkerView {
    /// The worker number.
    pub id: Id,
    /// With the right `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With the right `contact`, if there is one on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// With the right `bank`, if there is one on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
    /// When the worker was recorded.
    pub recorded_at: Instant,
}

/// Adds a worker; needs `administer`. A repeat with the same content gives the worker on record.
///
/// # Errors
/// In order: `administer-denied`; `text-invalid`; `exists-with-different`.
pub fn add_worker(work: &mut Work, new: NewWorker) -> Result<Worker> {
    work.rights().check_administer()?;
    hr::check_worker(&new)?;
    if let Some(existing) = work.tx().get::<Worker>(&new.id)? {
        hr::same_worker(&existing, &new)?;
        return Ok(existing);
    }
    let worker = Worker { new, recorded_at: work.now };
    work.put(&worker)?;
    work.effect(Effect::WorkerAdded(worker.clone()));
    Ok(worker)
}

/// Workers in order of their numbers; needs a right on at least one field of people.
///
/// # Errors
/// In order: `hr-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_workers(work: &Work, request: &PageRequest) -> Result<Page<WorkerView>> {
    let rights = work.rights();
    check_any(rights)?;
    list::<Worker, _>(work, &(), None, request, |worker| Ok(Step::Take(view(rights, worker))))
}

/// The worker with this number; needs a right on at least one field of people.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn get_worker(work: &Work, id: &Id) -> Result<WorkerView> {
    let rights = work.rights();
    check_any(rights)?;
    Ok(view(rights, find(work, id)?))
}

/// The worker's name; needs the right `name`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn worker_name(work: &Work, id: &Id) -> Result<String> {
    work.rights().check_read_hr(HrField::Name)?;
    Ok(find(work, id)?.new.name)
}

/// The account that the worker's pay goes to, if one is on record; needs the right `bank`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn bank_account(work: &Work, id: &Id) -> Result<Option<String>> {
    work.rights().check_read_hr(HrField::Bank)?;
    Ok(find(work, id)?.new.bank_account)
}

fn find(work: &Work, id: &Id) -> Result<Worker> {
    Ok(work.tx().get::<Worker>(id)?.ok_or_else(|| Error::not_found("worker", id))?)
}

/// Whoever may read anything about workers may know that they are there.
fn check_any(rights: Layers<'_>) -> Result<()> {
    use HrField::{Bank, Benefits, Compensation, Contact, Employment, Name};
    if [Employment, Name, Contact, Compensation, Bank, Benefits].into_iter().any(|field| rights.read_hr(field)) {
        return Ok(());
    }
    Err(Error::denied("hr-read-denied", "no grant to read any data of workers").into())
}

fn view(rights: Layers<'_>, Worker { new, recorded_at }: Worker) -> WorkerView {
    WorkerView {
        id: new.id,
        name: rights.read_hr(HrField::Name).then_some(new.name),
        email: new.email.filter(|_| rights.read_hr(HrField::Contact)),
        bank_account: new.bank_account.filter(|_| rights.read_hr(HrField::Bank)),
        recorded_at,
    }
}
