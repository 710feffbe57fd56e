//! Workers: who there is.

use backroom_domain::hr::{self, NewWorker, Worker};
use backroom_domain::rights::{HrField, Layers};
use backroom_domain::{Effect, Error, Id, Instant};
use backroom_store::records::StoredWorker;
use serde::Serialize;

use crate::error::Result;
use crate::hr::people;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// A worker as the caller may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    let rights = work.rights();
    check_any(rights)?;
    list::<StoredWorker, _>(work, &(), None, request, |stored| Ok(Step::Take(view(work, rights, stored)?)))
}

/// The worker with this number; needs a right on at least one field of people.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn get_worker(work: &Work, id: &Id) -> Result<WorkerView> {
    let rights = work.rights();
    check_any(rights)?;
    view(work, rights, people::stored_worker(work, id)?)
}

/// The worker's name, or [`ERASED`](hr::ERASED); needs the right `name`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn worker_name(work: &Work, id: &Id) -> Result<String> {
    work.rights().check_read_hr(HrField::Name)?;
    Ok(people::worker_asked(work, id, HrField::Name)?.new.name)
}

/// The account that the worker's pay goes to, if one is on record and was not erased; needs the right `bank`.
///
/// # Errors
/// In order: `hr-read-denied`; `not-found`.
pub fn bank_account(work: &Work, id: &Id) -> Result<Option<String>> {
    work.rights().check_read_hr(HrField::Bank)?;
    Ok(people::worker_asked(work, id, HrField::Bank)?.new.bank_account)
}

/// Whoever may read anything about workers may know that they are there.
fn check_any(rights: Layers<'_>) -> Result<()> {
    use HrField::{Bank, Benefits, Compensation, Contact, Employment, Name};
    if [Employment, Name, Contact, Compensation, Bank, Benefits].into_iter().any(|field| rights.read_hr(field)) {
        return Ok(());
    }
    Err(Error::denied("hr-read-denied", "no grant to read any data of workers").into())
}

fn view(work: &Work, rights: Layers<'_>, stored: StoredWorker) -> Result<WorkerView> {
    let [name, contact, bank] = [HrField::Name, HrField::Contact, HrField::Bank].map(|field| rights.read_hr(field));
    if !(name || contact || bank) {
        let StoredWorker { id, recorded_at, sealed } = stored;
        return Ok(WorkerView {
            id,
            name: None,
            email: None,
            bank_account: None,
            recorded_at,
            erased: sealed.is_none(),
        });
    }
    let Worker { new, recorded_at, erased } = people::worker(work, stored)?;
    Ok(WorkerView {
        id: new.id,
        name: name.then_some(new.name),
        email: new.email.filter(|_| contact),
        bank_account: new.bank_account.filter(|_| bank),
        recorded_at,
        erased,
    })
}
