//! Sees when a plugin's files change, by looking: that works on every file system, and a plugin has few files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::KitError;
use crate::sources::is_skipped;

/// Between two looks. An editor that writes several files is done within it.
const PAUSE: Duration = Duration::from_millis(100);

/// The files of a plugin as they are at a moment: those that a build reads, and none that it writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Seen {
    /// Looks at the files below `dir`.
    pub fn look(dir: &Path) -> Result<Self, KitError> {
        let mut files = BTreeMap::new();
        below(dir, &mut files)?;
        Ok(Self(files))
    }

    /// Waits until they are others than these, and tells which.
    pub fn wait_for_change(&self, dir: &Path) -> Result<Self, KitError> {
        loop {
            std::thread::sleep(PAUSE);
            let now = Self::look(dir)?;
            if now != *self {
                return Ok(now);
            }
        }
    }

    /// Whether something differs from `before` that does not lie in `folder`, both seen below `dir`.
    #[must_use]
    pub fn differs_outside(&self, before: &Self, folder: &Path, dir: &Path) -> bool {
        let folder = dir.join(folder);
        let outside = |seen: &'_ Self| -> Vec<(PathBuf, (SystemTime, u64))> {
            let files = seen.0.iter().filter(|(path, _)| !path.starts_with(&folder));
            files.map(|(path, about)| (path.clone(), *about)).collect()
        };
        outside(self) != outside(before)
    }
}

fn below(dir: &Path, files: &mut BTreeMap<PathBuf, (SystemTime, u64)>) -> Result<(), KitError> {
    for entry in std::fs::read_dir(dir).map_err(KitError::file("read", dir))? {
        let path = entry.map_err(KitError::file("read", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Of a file that goes away between two looks, nothing is seen: that is a change as well.
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() {
            if !is_skipped(&name) {
                below(&path, files)?;
            }
        } else if name != "Cargo.lock" {
            files.insert(path, (about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_seen_and_what_a_build_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("app.py", "one");
        let seen = || Seen::look(dir.path()).unwrap();
        let first = seen();
        for made in ["bindings/a.py", "sdk/bindings/b.go", "target/x", "__pycache__/c", ".git/HEAD", "Cargo.lock"] {
            write(made, "made");
            // A new folder for what is made is no source either.
            assert_eq!(seen(), first, "{made}");
        }
        write("app.py", "two!");
        let second = seen();
        assert_ne!(second, first);
        write("more/deeper.py", "");
        assert_ne!(seen(), second);
        let third = second.wait_for_change(dir.path()).unwrap();
        assert!(third.differs_outside(&second, Path::new("tests"), dir.path()));
        write("tests/one.toml", "");
        assert!(!seen().differs_outside(&third, Path::new("tests"), dir.path()));
    }
}
