//! The folder of the log as the engine sees it, so that tests can put a disk under it that fails, hangs or forgets.

use cap_std::fs::FileExt as _;
use std::io;

use cap_std::fs::{Dir, File, OpenOptions};
use rustix::fs::{Mode, OFlags, openat};

/// A flat folder of append-only files.
pub trait Disk: Send + Sync {
    /// The names of all files, in any order.
    ///
    /// # Errors
    /// What the operating system reports.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates a file for appending. Fails if there is one of that name.
    ///
    /// # Errors
    /// What the operating system reports.
    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the operating system reports.
    fn open(&self, name: &str) -> io::Result<Box<dyn LogFile>>;

    /// Opens a file for appending at its end. A disk may leave it out.
    ///
    /// # Errors
    /// What the operating system reports.
    fn reopen(&self, _name: &str) -> io::Result<Box<dyn LogFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file another name, in place of any file of that name. Atomic; durable after [`Disk::sync`]. Handles stay.
    ///
    /// # Errors
    /// What the operating system reports.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the operating system reports.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations, renames and removals durable.
    ///
    /// # Errors
    /// What the operating system reports.
    fn sync(&self) -> io::Result<()>;
}

/// A file of the log.
pub trait LogFile: Send {
    /// Writes all of `bytes` at the end. After an error any part of them may have been written.
    ///
    /// # Errors
    /// What the operating system reports.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything appended durable. After an error nobody knows what is, and the file must not be used again.
    ///
    /// # Errors
    /// What the operating system reports.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes the file longer by up to `bytes` zero bytes, in whose place the next appended ones are written. After a crash
    /// they are found behind the last frame. A disk may leave it out.
    ///
    /// # Errors
    /// What the operating system reports.
    fn reserve(&mut self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

    /// Cuts the file off at `len`, which is not behind what was appended; the next appended bytes go there. Not synced.
    ///
    /// # Errors
    /// What the operating system reports; it may be tried again.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Writes bytes over those that are there already, which takes no room. Not synced.
    ///
    /// # Errors
    /// What the operating system reports.
    fn rewrite(&mut self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// What the operating system reports.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`; fails if the file is shorter.
    ///
    /// # Errors
    /// What the operating system reports.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A folder below the data directory.
pub(super) struct Folder(pub(super) Dir);

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<cap_std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        self.0.entries()?.map(name).collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let file = self.0.open_with(name, OpenOptions::new().read(true).write(true).create_new(true))?;
        Ok(Box::new(Plain { file, end: 0 }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let file = self.0.open(name)?;
        let size = file.metadata()?.len();
        Ok(Box::new(Plain { file, end: size }))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let file = self.0.open_with(name, OpenOptions::new().read(true).write(true))?;
        let end = file.metadata()?.len();
        Ok(Box::new(Plain { file, end }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, &self.0, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove_file(name)
    }

    fn sync(&self) -> io::Result<()> {
        sync_dir(&self.0)
    }
}

/// Makes the names in a directory durable. The handle of a `Dir` is only a path to the kernel; syncing needs one that was
/// opened for reading.
pub(super) fn sync_dir(dir: &Dir) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    std::fs::File::from(openat(dir, ".", flags, Mode::empty())?).sync_all()
}

/// A file, and where what is appended goes.
struct Plain {
    file: File,
    end: u64,
}

impl LogFile for Plain {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        self.file.write_all_at(&vec![0; bytes], self.end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.end = len;
        Ok(())
    }

    fn rewrite(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
