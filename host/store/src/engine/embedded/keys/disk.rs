//! The folder of the keys as the keyring sees it, so that tests can put a disk under it that stops or forgets.

use std::io;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, FileExt as _, OpenOptions, OpenOptionsExt as _};

use crate::engine::embedded::disk::sync_dir;

/// A flat folder of small files that are written in place.
pub trait KeyDisk: Send + Sync {
    /// All bytes of a file; none if there is no such file.
    ///
    /// # Errors
    /// What the operating system reports.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes in place, and behind the end; makes the file if there is none.
    ///
    /// # Errors
    /// What the operating system reports. Any part may have been written.
    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written to a file durable.
    ///
    /// # Errors
    /// What the operating system reports. Any part may be durable.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes new names durable.
    ///
    /// # Errors
    /// What the operating system reports.
    fn sync_names(&self) -> io::Result<()>;
}

/// A folder below the data directory that nobody else on the machine may read.
pub(in crate::engine::embedded) struct KeyFolder(Dir);

impl KeyFolder {
    pub(in crate::engine::embedded) fn open(data: &Dir, name: &str) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        data.create_dir_with(name, builder.mode(0o700)).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
        Ok(Self(data.open_dir(name)?))
    }
}

/// All bytes of a file.
pub(super) fn read(folder: &Dir, name: &str) -> io::Result<Option<Vec<u8>>> {
    match folder.read(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

impl KeyDisk for KeyFolder {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        read(&self.0, name)
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.0.open_with(name, OpenOptions::new().write(true).create(true).mode(0o600))?;
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.0.open_with(name, OpenOptions::new().write(true))?.sync_all()
    }

    fn sync_names(&self) -> io::Result<()> {
        sync_dir(&self.0)
    }
}
