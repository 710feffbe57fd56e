//! A vault that is a folder: one file an object, one folder a kind.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::vault::{Vault, too_large};

/// What an unfinished file ends with. Nobody reads such names.
const UNFINISHED: &str = ".unfinished";

/// A folder of backups. Nothing outside of it can be reached through this.
pub struct Folder {
    dir: Dir,
    path: PathBuf,
    /// Parts unfinished files of one process.
    count: AtomicU64,
}

impl Folder {
    /// Opens the folder, and makes it if it is not there.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn create(path: &Path) -> io::Result<Self> {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
        Self::open(path)
    }

    /// Opens a folder that is there.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, path: path.to_owned(), count: AtomicU64::new(0) })
    }

    fn write(&self, kind: &Dir, unfinished: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = kind.open_with(unfinished, OpenOptions::new().write(true).create(true).truncate(true))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        kind.rename(unfinished, kind, name)?;
        sync(kind)
    }
}

impl Vault for Folder {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (kind, name) = parts(name)?;
        if !self.dir.is_dir(kind) {
            self.dir.create_dir_all(kind)?;
            sync(&self.dir)?;
        }
        let kind = self.dir.open_dir(kind)?;
        // Two processes, or threads, that put the same object do not meet before the renaming.
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{name}.{}-{count}{UNFINISHED}", std::process::id());
        let written = self.write(&kind, &unfinished, name, bytes);
        if written.is_err() {
            // What is left of it does no harm.
            kind.remove_file(&unfinished).ok();
        }
        written
    }

    fn get(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        parts(name)?;
        let file = match self.dir.open(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit { Err(too_large(name, limit)) } else { Ok(Some(bytes)) }
    }

    fn list(&self, kind: &str) -> io::Result<Vec<String>> {
        let entries = match self.dir.read_dir(kind) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry?.file_name().into_string()
                && !name.ends_with(UNFINISHED)
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (kind, name) = parts(name)?;
        let removed = self.dir.open_dir(kind).and_then(|kind| {
            kind.remove_file(name)?;
            sync(&kind)
        });
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

fn parts(name: &str) -> io::Result<(&str, &str)> {
    name.split_once('/').ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{name} has no kind")))
}

/// Makes what happened to the names in a folder durable.
pub(super) fn sync(dir: &Dir) -> io::Result<()> {
    dir.open(".")?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_and_unfinished_ones_do_not_show() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        assert!(Folder::open(&path).is_err());
        let folder = Folder::create(&path).unwrap();
        assert_eq!(folder.list("chunks").unwrap(), Vec::<String>::new());
        assert_eq!(folder.get("chunks/1", 9).unwrap(), None);
        for (name, bytes) in [("chunks/2", "two"), ("chunks/1", "one"), ("chunks/2", "three")] {
            folder.put(name, bytes.as_bytes()).unwrap();
            assert!(folder.holds(name, bytes.as_bytes()).unwrap());
        }
        assert!(!folder.holds("chunks/2", b"two").unwrap() && !folder.holds("chunks/2", b"").unwrap());
        std::fs::write(path.join("chunks/3.1-0.unfinished"), "x").unwrap();
        assert_eq!(folder.list("chunks").unwrap(), ["1", "2"]);
        assert_eq!(folder.get("chunks/2", 5).unwrap().unwrap(), b"three");
        assert_eq!(folder.get("chunks/2", 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        folder.remove("chunks/2").unwrap();
        folder.remove("chunks/2").unwrap();
        assert_eq!(folder.list("chunks").unwrap(), ["1"]);
    }

    #[test]
    fn nothing_outside_is_reached() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        let folder = Folder::create(&dir.path().join("vault")).unwrap();
        for name in ["../secret", "chunks/../../secret"] {
            assert!(folder.get(name, 9).is_err() || folder.get(name, 9).unwrap().is_none(), "{name}");
            assert!(folder.put(name, b"y").is_err(), "{name}");
        }
        assert_eq!(std::fs::read(dir.path().join("secret")).unwrap(), b"x");
    }
}
