//! A copy of the folder of the keys, from which they are brought somewhere else. It stays as it is.

use std::io;
use std::path::Path;
use std::sync::Arc;

use backroom_domain::Id;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Serialize;

use super::disk::{KeyDisk, read};
use super::{FileKeyring, Kept};
use crate::error::StoreError;
use crate::keyring::{KeyState, Keyring};
use crate::seal::{MasterKey, PersonKey};
use crate::types::TenantNo;

/// How the name of a tenant's file ends.
const ENDING: &str = ".keys";
/// Keys that are kept at once.
const AT_ONCE: usize = 1_000;

/// A copy of the folder.
pub(crate) struct KeyCopy(FileKeyring);

/// What came of the keys in a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BroughtKeys {
    /// Persons whose data can be read.
    pub brought: u64,
    /// Persons who were erased, in the copy or in what was restored.
    pub destroyed: u64,
    /// Keys that are not what was written. What they sealed cannot be read.
    pub damaged: u64,
}

impl KeyCopy {
    /// # Errors
    /// [`StoreError::Io`] if there is no such folder, or no keys are in it; [`StoreError::Corrupt`] if a file is not one of keys, or the
    /// keys are wrapped and `master` is not the key for it.
    pub(crate) fn open(path: &Path, master: Option<MasterKey>) -> Result<Self, StoreError> {
        let failed = || StoreError::io(format!("read the copy of the folder `keys` {}", path.display()));
        let folder = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed())?;
        let mut tenants = Vec::new();
        for entry in folder.entries().map_err(failed())? {
            let name = entry.map_err(failed())?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING)?.parse().ok());
            tenants.extend(number.map(TenantNo));
        }
        if tenants.is_empty() {
            let none = "it has no keys, which are files such as `1.keys`";
            return Err(failed()(io::Error::new(io::ErrorKind::NotFound, none)));
        }
        let keys = FileKeyring::open(Arc::new(Unchanged(folder)), master)?;
        for tenant in tenants {
            keys.load(tenant)?;
        }
        Ok(Self(keys))
    }

    /// Brings the keys of these tenants into another keyring, to which nobody else brings any. Who was erased there stays erased.
    /// `goes_on` is asked from time to time.
    ///
    /// # Errors
    /// What reading, the other keyring and `goes_on` report.
    pub(crate) fn bring(
        &self,
        tenants: &[TenantNo],
        to: &dyn Keyring,
        goes_on: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<BroughtKeys, StoreError> {
        let mut done = BroughtKeys::default();
        for tenant in tenants {
            let file = self.0.load(*tenant)?;
            let mut new: Vec<(Id, PersonKey)> = Vec::new();
            for (at, (person, held)) in file.held.read().iter().enumerate() {
                if at % AT_ONCE == 0 {
                    goes_on()?;
                }
                match &held.state {
                    Kept::Key(_) if matches!(to.get(*tenant, person)?, KeyState::Destroyed) => done.destroyed += 1,
                    Kept::Key(key) => new.push((person.clone(), key.clone())),
                    Kept::Destroyed => {
                        done.destroyed += 1;
                        to.destroy(*tenant, person)?;
                    }
                    Kept::Damaged => done.damaged += 1,
                }
            }
            for some in new.chunks(AT_ONCE) {
                goes_on()?;
                keep(*tenant, some, to)?;
                done.brought += some.len() as u64;
            }
        }
        Ok(done)
    }
}

/// Keeps them all, or finds them all there: what was kept, and only its answer was lost, is a conflict.
fn keep(tenant: TenantNo, keys: &[(Id, PersonKey)], to: &dyn Keyring) -> Result<(), StoreError> {
    match to.keep(tenant, keys) {
        Err(StoreError::Conflict) => {
            for (person, _) in keys {
                if !matches!(to.get(tenant, person)?, KeyState::Key(_)) {
                    return Err(StoreError::Conflict);
                }
            }
            Ok(())
        }
        kept => kept,
    }
}

/// What is written to it is forgotten.
struct Unchanged(Dir);

impl KeyDisk for Unchanged {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.0, name)
    }

    fn write(&self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}
