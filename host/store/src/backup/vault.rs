//! Where backups are kept, as this module sees it: a place of named objects.

use std::io;

use super::error::BackupError;

/// A place of named objects. Names have two parts, `chunks/...`, `manifests/...` or `releases/...`, of letters, digits, `-`
/// and `.` alone. Every method blocks.
pub trait Vault: Send + Sync {
    /// How people name this place.
    fn shown(&self) -> String;

    /// Puts an object in place, whole or not at all, instead of any with that name. When it returns, the object stays.
    ///
    /// # Errors
    /// What the place reports.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// An object, `None` if there is none. One of more than `limit` bytes is an error and is not read.
    ///
    /// # Errors
    /// What the place reports.
    fn get(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>>;

    /// Whether an object is there and is just these bytes. Reads it back, unless the place vouches for what it holds.
    ///
    /// # Errors
    /// What the place reports.
    fn holds(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        // One more, so that a longer object is read as another one instead of refused.
        match self.get(name, bytes.len() as u64) {
            Ok(found) => Ok(found.as_deref() == Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The second parts of the names of all objects whose first part is `kind`, in ascending order.
    ///
    /// # Errors
    /// What the place reports.
    fn list(&self, kind: &str) -> io::Result<Vec<String>>;

    /// Removes an object; one that is not there is none of its concern.
    ///
    /// # Errors
    /// What the place reports.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The error of [`Vault::get`] for an object that is larger than it may be.
#[must_use]
pub fn too_large(name: &str, limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("{name} has more than the {limit} bytes that it should have"))
}

/// Puts an object and proves that it is there. One that is there already stays; one that is there and is not what it should
/// be is left of a backup that was torn, and is replaced.
pub(super) fn put_proven(vault: &dyn Vault, name: &str, bytes: &[u8]) -> Result<bool, BackupError> {
    let failed = |what: &'static str| BackupError::io(format!("{what} {name} in {}", vault.shown()));
    if vault.holds(name, bytes).map_err(failed("read"))? {
        return Ok(false);
    }
    vault.put(name, bytes).map_err(failed("write"))?;
    match vault.holds(name, bytes).map_err(failed("read back"))? {
        true => Ok(true),
        false => Err(BackupError::damaged(
            format!("{name} in {}", vault.shown()),
            "it does not read back as it was written; see to that disk or service, then back up again",
        )),
    }
}

/// An object that must be there.
pub(super) fn get(vault: &dyn Vault, name: &str, limit: u64) -> Result<Vec<u8>, BackupError> {
    match vault.get(name, limit) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(BackupError::damaged(name, format!("it is missing in {}", vault.shown()))),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(BackupError::damaged(name, error)),
        Err(error) => Err(BackupError::io(format!("read {name} in {}", vault.shown()))(error)),
    }
}
