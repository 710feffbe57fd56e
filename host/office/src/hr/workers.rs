//! Workers: who there is.

use backroom_domain::hr::{self, NewWorker, Worker};
use backroom_domain::rights::{HrField, Operation};
use backroom_domain::{Effect, Error, Id, Instant};
use backroom_store::records::StoredWorker;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::hr::{group, people};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// A worker as the caller may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WorkerView {
    /// The worker number.
    pub id: Id,
    /// With the right `name`; [`ERASED`](hr::ERASED) if it was erased.
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
    /// The personal data were erased.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// Adds a worker; needs `administer`. A repeat with the same content gives the worker on record.
///
/// # Errors
/// In order: `administer-denied`; `text-invalid`; `person-erased`; `exists-with-different`.
pub fn add_worker(work: &mut Work, new: NewWorker) -> Result<Worker> {
    work.rights().check_administer()?;
    hr::check_worker(&new)?;
    if let Some(existing) = work.tx().get::<StoredWorker>(&new.id)? {
        let existing = people::worker(work, existing)?;
        hr::not_erased(&existing)?;
        hr::same_worker(&existing, &new)?;
        return Ok(existing);
    }
    let worker = Worker { new, recorded_at: work.now, erased: false };
    people::put_worker(work, &worker)?;
    work.effect(Effect::WorkerAdded(worker.clone()));
    Ok(worker)
}

/// Workers in order of their numbers; needs a right on at least one field of people.
///
/// # Errors
/// In order: `hr-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_workers(work: &Work, request: &PageRequest) -> Result<Page<WorkerView>> {
    work.rights().check_read_workers(Operation::Other)?;
    list::<StoredWorker, _>(work, &(), None, request, |stored| Ok(view(work, stored)?.map_or(Step::Skip, Step::Take)))
}

/// The worker with this number; needs a right on at least one field of people.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`, also of whoever is outside of the group that may be read.
pub fn get_worker(work: &Work, id: &Id) -> Result<WorkerView> {
    work.rights().check_read_workers(Operation::Other)?;
    view(work, people::stored_worker(work, id)?)?.ok_or_else(|| Error::not_found("worker", id).into())
}

/// The worker's name, or [`ERASED`](hr::ERASED); needs the right `name`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn worker_name(work: &Work, id: &Id) -> Result<String> {
    check_sees(work, Operation::GetName, HrField::Name, id)?;
    Ok(people::worker_asked(work, id, HrField::Name)?.new.name)
}

/// The account that the worker's pay goes to, if one is on record and was not erased; needs the right `bank`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn bank_account(work: &Work, id: &Id) -> Result<Option<String>> {
    check_sees(work, Operation::GetBankAccount, HrField::Bank, id)?;
    Ok(people::worker_asked(work, id, HrField::Bank)?.new.bank_account)
}

/// Whoever is outside of the group that may be read is as if not there.
fn check_sees(work: &Work, operation: Operation, field: HrField, id: &Id) -> Result<()> {
    work.rights().check_read_hr(operation, field)?;
    match group::sees(work, operation, field, id, work.today)? {
        true => Ok(()),
        false => Err(Error::not_found("worker", id).into()),
    }
}

/// Whoever may read anything about a worker may know that the worker is there.
fn view(work: &Work, stored: StoredWorker) -> Result<Option<WorkerView>> {
    let today = group::today(work, &stored.id)?;
    let (rights, employee) = (work.rights(), today.as_ref().map(group::employee));
    if !rights.sees_worker(Operation::Other, employee) {
        return Ok(None);
    }
    let sees = |field| rights.sees(Operation::Other, field, employee);
    let [name, contact, bank] = [HrField::Name, HrField::Contact, HrField::Bank].map(sees);
    if !(name || contact || bank) {
        let StoredWorker { id, recorded_at, sealed } = stored;
        return Ok(Some(WorkerView {
            id,
            name: None,
            email: None,
            bank_account: None,
            recorded_at,
            erased: sealed.is_none(),
        }));
    }
    let Worker { new, recorded_at, erased } = people::worker(work, stored)?;
    Ok(Some(WorkerView {
        id: new.id,
        name: name.then_some(new.name),
        email: new.email.filter(|_| contact),
        bank_account: new.bank_account.filter(|_| bank),
        recorded_at,
        erased,
    }))
}
