//! How much room files take, and how much they may.

use backroom_domain::files::{Limit, MAX_FOLDERS, Usage, check_folder, check_room};
use backroom_domain::rights::{Operation, Rights};
use backroom_domain::{Error, Id, Instant, MAX_MINOR};
use backroom_store::records::{FilesTotal, Folder};
use backroom_store::{Meta, TenantNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::{Office, Written};
use crate::error::Result;
use crate::work::Work;

/// A folder, or all folders of a tenant, and the room they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FolderUse {
    /// The folder; none for all of them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Id>,
    /// What stands there.
    #[serde(flatten)]
    pub usage: Usage,
    /// The bytes that there is room for.
    pub quota: u64,
}

/// How much room there is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewQuota {
    /// Whose.
    pub tenant: Id,
    /// The folder; none for all folders of the tenant together.
    #[serde(default)]
    pub folder: Option<Id>,
    /// The bytes.
    pub bytes: u64,
}

/// A quota as it was set.
pub type Quota = FolderUse;

/// The folders that may be read, and all together, if all of them may be.
pub fn folders(work: &Work) -> Result<Vec<FolderUse>> {
    let limit = usize::try_from(MAX_FOLDERS).unwrap_or(usize::MAX);
    let rows = work.tx().scan::<Folder>(&(), None, limit)?.into_iter().map(|(_, row)| row);
    let count = |own: &[FolderUse]| u64::try_from(own.len()).unwrap_or(u64::MAX);
    let mut own: Vec<_> = rows.filter(|row| work.rights().read_folder(Operation::Other, &row.name)).map(used).collect();
    let total = work.tx().get::<FilesTotal>(&())?.unwrap_or_default();
    if total.folders == count(&own) {
        own.push(all(&total));
    }
    Ok(own)
}

/// Counts that a file of `old` bytes (none: there was none) now has `new` ones (none: it is gone).
///
/// # Errors
/// `folders-too-many`, `folder-quota-exceeded`, `tenant-quota-exceeded`.
pub(super) fn account(work: &mut Work, name: &Id, old: Option<u64>, new: Option<u64>) -> Result<()> {
    let mut total = work.tx().get::<FilesTotal>(&())?.unwrap_or_default();
    let mut folder = folder_of(work, name, &mut total)?;
    folder.usage = check_room(folder.usage, old, new, Limit::Folder, used(folder.clone()).quota)?;
    total.usage = check_room(total.usage, old, new, Limit::Tenant, all(&total).quota)?;
    // An empty folder that nobody said anything about is none.
    if folder.usage.files == 0 && folder.quota.is_none() {
        work.tx_mut().delete::<Folder>(name);
        total.folders = total.folders.saturating_sub(1);
    } else {
        work.put(&folder)?;
    }
    work.put(&total)
}

/// The folder, counted as one more if there is none yet.
fn folder_of(work: &Work, name: &Id, total: &mut FilesTotal) -> Result<Folder> {
    if let Some(folder) = work.tx().get::<Folder>(name)? {
        return Ok(folder);
    }
    if total.folders >= MAX_FOLDERS {
        let message = format!("there are {MAX_FOLDERS} folders already; use one of them, or empty one");
        return Err(Error::refused("folders-too-many", message).into());
    }
    total.folders = total.folders.saturating_add(1);
    Ok(Folder { name: name.clone(), usage: Usage::default(), quota: None })
}

impl Office {
    /// Says how much room a folder or all folders of a tenant have; less than there is taken forbids growing. For the provider:
    /// `caller` is not looked at, since a tenant's own operators have no say in it.
    ///
    /// # Errors
    /// `folder-invalid`, `quota-invalid`, `not-found` (tenant), `folders-too-many`.
    pub fn set_files_quota(&self, actor: &str, now: Instant, new: NewQuota) -> Result<Written<Quota>> {
        let NewQuota { tenant, folder, bytes } = new;
        folder.as_ref().map_or(Ok(()), check_folder)?;
        if bytes > MAX_MINOR {
            return Err(Error::invalid("quota-invalid", "bytes", "a quota is at most 2^53 - 1 bytes").into());
        }
        let tenant = TenantNo(self.tenant(&tenant)?.number);
        let caller = crate::work::Caller {
            actor: actor.to_owned(),
            layers: vec![std::sync::Arc::new(Rights::all())],
            installation: None,
            run: None,
        };
        let mut work = self.write(tenant, caller, now)?;
        let mut total = work.tx().get::<FilesTotal>(&())?.unwrap_or_default();
        let quota = match folder {
            None => {
                total.quota = Some(bytes);
                all(&total)
            }
            Some(name) => {
                let folder = Folder { quota: Some(bytes), ..folder_of(&work, &name, &mut total)? };
                work.put(&folder)?;
                used(folder)
            }
        };
        work.put(&total)?;
        let meta = Meta { at: now.0, actor: actor.to_owned(), kind: "files-quota".to_owned(), ..Meta::default() };
        let committed = work.seal()?.commit(meta)?;
        Ok(Written { value: quota, replayed: false, ticket: Some(committed.ticket) })
    }
}

fn used(folder: Folder) -> FolderUse {
    let quota = folder.quota.unwrap_or_else(|| Limit::Folder.default_quota());
    FolderUse { folder: Some(folder.name), usage: folder.usage, quota }
}

fn all(total: &FilesTotal) -> FolderUse {
    let quota = total.quota.unwrap_or_else(|| Limit::Tenant.default_quota());
    FolderUse { folder: None, usage: total.usage, quota }
}
