//! The data directory itself: its format, its room, and the notes it keeps about the state index.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use rustix::fs::{FallocateFlags, fallocate, fstatvfs};

use super::disk;
use crate::backup::STAGE;
use crate::error::StoreError;

/// Says which format the data directory has.
const FORMAT_FILE: &str = "FORMAT";
/// The format of this release.
const FORMAT: u32 = 1;
/// What brings a data directory from a format to the next, beginning with the first. None was needed yet.
const MIGRATIONS: [fn(&Dir) -> io::Result<()>; FORMAT as usize - 1] = [];
/// Room that is taken while there is plenty, and given back when the store is opened on a full disk: sled cannot open
/// without writing a little.
const SPARE: &str = "spare";

/// The open data directory.
pub(super) struct Home {
    pub(super) dir: Dir,
    pub(super) path: PathBuf,
}

impl Home {
    /// Opens or creates it, with the folders in it.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn open(path: &Path, folders: &[&str]) -> Result<Self, StoreError> {
        let failed = || StoreError::io(format!("open the data directory {}", path.display()));
        Dir::create_ambient_dir_all(path, ambient_authority()).map_err(failed())?;
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed())?;
        let home = Self { dir, path: path.to_owned() };
        home.end_restore()?;
        for folder in folders {
            home.dir.create_dir_all(folder).map_err(failed())?;
        }
        disk::sync_dir(&home.dir).map_err(failed())?;
        Ok(home)
    }

    /// A folder into which something is being restored is no data directory yet, and must not become an empty one.
    fn end_restore(&self) -> Result<(), StoreError> {
        if !self.dir.is_dir(STAGE) {
            return Ok(());
        }
        if !self.dir.is_dir(super::LOG) {
            let why = "a restore into it is going on or was not finished; ask for the same restore again";
            return Err(StoreError::io("open the data directory")(io::Error::other(why)));
        }
        // Everything has been moved; only the stage was not removed any more.
        self.remove_folder(STAGE)
    }

    /// Checks the format, and brings an older one up to date. `is_new`: nothing was ever written here.
    ///
    /// # Errors
    /// [`StoreError::Io`] for a newer format, [`StoreError::Corrupt`] for what is none.
    pub(super) fn check_format(&self, is_new: bool) -> Result<(), StoreError> {
        let text = match self.dir.read_to_string(FORMAT_FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let written = self.note(FORMAT_FILE, &format!("{FORMAT}\n"));
                // The first stores had the same format and no such file. Without room they are opened all the same.
                return if is_new { written } else { Ok(()) };
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            read => read.map_err(StoreError::io(format!("read {FORMAT_FILE} in the data directory")))?,
        };
        let found: u32 = match text.strip_suffix('\n').and_then(|number| number.parse().ok()) {
            Some(found) if found > 0 && text == format!("{found}\n") => found,
            _ => {
                let what = format!("it should be one line with a number; that of this release is {FORMAT}");
                return Err(StoreError::corrupt(FORMAT_FILE, what));
            }
        };
        if found > FORMAT {
            let why = format!("it has format {found}, newer than {FORMAT}; start a newer release");
            return Err(StoreError::io("open the data directory")(io::Error::new(io::ErrorKind::Unsupported, why)));
        }
        for (step, migrate) in (found..).zip(MIGRATIONS.get(found as usize - 1..).unwrap_or_default()) {
            migrate(&self.dir).map_err(StoreError::io(format!("migrate the data directory from format {step}")))?;
            self.note(FORMAT_FILE, &format!("{}\n", step + 1))?;
        }
        Ok(())
    }

    /// Writes a small file so that after a power cut it is there whole or not at all.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn note(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let write = || {
            let unfinished = format!("{name}.tmp");
            let options = OpenOptions::new().write(true).create(true).truncate(true).to_owned();
            let mut file = self.dir.open_with(&unfinished, &options)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            self.dir.rename(&unfinished, &self.dir, name)?;
            disk::sync_dir(&self.dir)
        };
        write().map_err(StoreError::io(format!("write {name} in the data directory")))
    }

    /// What [`Home::note`] wrote.
    pub(super) fn read_note(&self, name: &str) -> Option<String> {
        self.dir.read_to_string(name).ok()
    }

    /// Takes a note away, for certain.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn forget(&self, name: &str) -> Result<(), StoreError> {
        let gone = match self.dir.remove_file(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| disk::sync_dir(&self.dir)),
        };
        gone.map_err(StoreError::io(format!("remove {name} in the data directory")))
    }

    /// Removes a folder with everything in it, if it is there.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn remove_folder(&self, name: &str) -> Result<(), StoreError> {
        let gone = match self.dir.remove_dir_all(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| disk::sync_dir(&self.dir)),
        };
        gone.map_err(StoreError::io(format!("remove the folder {name} in the data directory")))
    }

    /// Brings the files of a folder to the disk, as they are now.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn sync_folder(&self, name: &str) -> Result<(), StoreError> {
        let sync = || {
            let folder = self.dir.open_dir(name)?;
            for entry in folder.entries()? {
                let entry = entry?;
                match folder.open(entry.file_name()) {
                    // sled replaces its snapshot files now and then.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    opened => opened?.sync_all()?,
                }
            }
            disk::sync_dir(&folder)
        };
        sync().map_err(StoreError::io(format!("sync the folder {name} in the data directory")))
    }

    /// Bytes that can still be written to the file system. What cannot be found out is no reason to stop.
    pub(super) fn free_bytes(&self) -> u64 {
        fstatvfs(&self.dir).map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Sets room aside for opening on a full disk, if there is plenty of it.
    pub(super) fn take_spare(&self, bytes: u64) {
        let taken = self.dir.metadata(SPARE).map_or(0, |found| found.len());
        if bytes == 0 || taken >= bytes || self.free_bytes() < bytes.saturating_mul(4) {
            return;
        }
        let take = || {
            let file = self.dir.open_with(SPARE, OpenOptions::new().write(true).create(true))?;
            fallocate(&file, FallocateFlags::empty(), 0, bytes).map_err(io::Error::from)
        };
        if let Err(error) = take() {
            tracing::debug!(%error, "no spare room could be set aside");
            self.give_spare();
        }
    }

    /// Gives it back; whether there was any.
    pub(super) fn give_spare(&self) -> bool {
        self.dir.remove_file(SPARE).is_ok()
    }

    /// Bytes that the files of a folder take on the disk.
    pub(super) fn folder_bytes(&self, name: &str) -> u64 {
        use cap_std::fs::MetadataExt as _;
        let Ok(entries) = self.dir.read_dir(name) else { return 0 };
        let size = |entry: io::Result<cap_std::fs::DirEntry>| entry.and_then(|entry| entry.metadata());
        entries.filter_map(|entry| size(entry).ok()).map(|found| found.blocks().saturating_mul(512)).sum()
    }
}

/// Whether an error means that there is no room.
pub(super) fn is_full(error: &StoreError) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    matches!(error, StoreError::Io { source, .. } if full.contains(&source.kind()))
}
