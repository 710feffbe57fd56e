//! A tenant that arrives from another service.

use std::io::{Read, Seek};

use backroom_domain::{Class, Error, Id, Instant};
use backroom_store::backup::{BackupError, CheckedFile, IMPORTED, Progress, check_file};
use backroom_store::records::Tenant;
use backroom_store::{Hash, Meta, StoreError, TenantNo, Ticket, conflict_pauses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::{Office, Written};
use crate::error::Failure;

/// Why a tenant could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum TransferFailure {
    /// A business "no", or the store.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Its file, or a component in it.
    #[error(transparent)]
    File(BackupError),
}

impl From<BackupError> for TransferFailure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => Self::Failure(error.into()),
            other => Self::File(other),
        }
    }
}

impl From<StoreError> for TransferFailure {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// A tenant that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Arrived {
    /// Its record here.
    pub tenant: Tenant,
    /// Its name where it came from.
    pub came_from: Id,
    /// Entries of its chain; one more says where it came from.
    pub entries: u64,
    /// The hash of the last one, as it was where it came from.
    pub source_head: Hash,
    /// Releases that came along.
    pub releases: u64,
}

type Result<T> = std::result::Result<T, TransferFailure>;

impl Office {
    /// Takes a tenant in from its file, under the name `rename` or its own. The whole file is checked first; then the
    /// releases are uploaded and the chain is played under a new number, and the tenant's record, written last, is what
    /// brings it into being: whatever fails before leaves no tenant. The same file again: replayed.
    ///
    /// # Errors
    /// `tenant-exists` (conflict): another tenant has the name. [`TransferFailure::File`]: nothing was kept, or, where a
    /// component was refused or the store failed, releases and entries of a number that nobody has.
    pub fn import_tenant<F: Read + Seek>(
        &self,
        actor: &str,
        now: Instant,
        file: &mut F,
        rename: Option<Id>,
        upload: &mut dyn FnMut(&[u8]) -> std::result::Result<(), String>,
        progress: Progress<'_>,
    ) -> Result<Written<Arrived>> {
        let checked = check_file(start(file)?, &mut |_| Ok(()))?;
        let id = rename.unwrap_or_else(|| checked.head.tenant.id.clone());
        if let Some(found) = self.arrived(&id, &checked)? {
            return Ok(Written { value: arrived(found, &checked), replayed: true, ticket: None });
        }
        if !checked.releases.is_empty() {
            check_file(start(file)?, upload)?;
        }
        let number = again(|| self.take_number(actor, now))?;
        let meta = Meta { at: now.0, actor: actor.to_owned(), ..Meta::default() };
        let played = self.store().import_tenant(start(file)?, &checked, number, meta.clone(), progress);
        // Nobody else writes under this number.
        played.map_err(TransferFailure::from).map_err(no_conflict)?;
        let tenant = Tenant { id, name: checked.head.tenant.name.clone(), number: number.0, created_at: now };
        let meta = Meta { kind: IMPORTED.to_owned(), input_hash: Some(checked.head.head.hash.0), ..meta };
        again(|| self.bring_into_being(&tenant, meta.clone())).map_err(no_conflict)?;
        Ok(Written { value: arrived(tenant, &checked), replayed: false, ticket: Some(Ticket::durable()) })
    }

    /// Durable when it returns.
    fn bring_into_being(&self, tenant: &Tenant, meta: Meta) -> Result<()> {
        let mut tx = self.store().write(TenantNo::PROVIDER)?;
        // Another import may have taken the name meanwhile.
        if tx.get::<Tenant>(&tenant.id)?.is_some() {
            return Err(taken(&tenant.id).into());
        }
        tx.put(tenant)?;
        Ok(tx.commit(meta)?.ticket.wait()?)
    }

    /// The tenant of this name, if it is the file's; an error if it is another one.
    fn arrived(&self, id: &Id, checked: &CheckedFile) -> Result<Option<Tenant>> {
        let Some(tenant) = self.store().get::<Tenant>(TenantNo::PROVIDER, id)? else { return Ok(None) };
        let head = checked.head.head;
        match self.store().origin(TenantNo(tenant.number), head.number)? {
            Some(origin) if origin.head == head => Ok(Some(tenant)),
            _ => Err(taken(id).into()),
        }
    }

    /// A number that no tenant ever has again.
    fn take_number(&self, actor: &str, now: Instant) -> Result<TenantNo> {
        let mut tx = self.store().write(TenantNo::PROVIDER)?;
        let number = crate::control::next_tenant_number(&mut tx)?;
        let meta = Meta { at: now.0, actor: actor.to_owned(), kind: "tenant-number".to_owned(), ..Meta::default() };
        tx.commit(meta)?.ticket.wait()?;
        Ok(number)
    }
}

fn arrived(tenant: Tenant, checked: &CheckedFile) -> Arrived {
    let came_from = checked.head.tenant.id.clone();
    let (entries, source_head) = (checked.head.head.number, checked.head.head.hash);
    Arrived { tenant, came_from, entries, source_head, releases: checked.releases.len() as u64 }
}

fn taken(id: &Id) -> Failure {
    let message = format!("there is another tenant {id}; give this one another name (`--as`)");
    Error::new(Class::Conflict, "tenant-exists", message).into()
}

/// Does it again where another host commits for the provider first.
fn again<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for pause in conflict_pauses() {
        match work() {
            Err(TransferFailure::Failure(Failure::Store(StoreError::Conflict))) => std::thread::sleep(pause),
            done => return done,
        }
    }
    work()
}

/// What has been played is not to be played once more by whoever does again what came second.
fn no_conflict(failure: TransferFailure) -> TransferFailure {
    match failure {
        TransferFailure::Failure(Failure::Store(StoreError::Conflict)) => {
            StoreError::Unavailable("the tenant's entries could not be kept".to_owned()).into()
        }
        other => other,
    }
}

/// The file from its beginning.
fn start<F: Read + Seek>(file: &mut F) -> Result<&mut F> {
    let failed = |why: std::io::Error| StoreError::Io { what: "read the tenant's file".to_owned(), source: why.into() };
    file.rewind().map_err(failed)?;
    Ok(file)
}
