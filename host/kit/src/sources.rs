//! Copies of a plugin's sources that are the same wherever and whenever they are made.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use crate::KitError;

/// Folders that hold no source but what tools put there.
const SKIPPED: [&str; 5] = ["bindings", "node_modules", "target", "venv", "__pycache__"];

/// Copies the files below `from` whose names end in one of `endings`, with one fixed time for each file and folder: some compilers write it down.
pub(crate) fn copy(from: &Path, to: &Path, endings: &[&str]) -> Result<(), KitError> {
    std::fs::create_dir_all(to).map_err(KitError::file("make", to))?;
    for entry in std::fs::read_dir(from).map_err(KitError::file("read", from))? {
        let path = entry.map_err(KitError::file("read", from))?.path();
        let Some(name) = path.file_name() else { continue };
        let shown = name.to_string_lossy();
        let target = to.join(name);
        if path.is_dir() {
            if !is_skipped(&shown) {
                copy(&path, &target, endings)?;
            }
        } else if endings.iter().any(|ending| shown.ends_with(ending)) {
            std::fs::copy(&path, &target).map_err(KitError::file("copy", &path))?;
            settle(&target)?;
        }
    }
    settle(to)
}

/// Whether a folder of this name holds no source.
pub(crate) fn is_skipped(name: &str) -> bool {
    name.starts_with('.') || SKIPPED.contains(&name)
}

fn settle(path: &Path) -> Result<(), KitError> {
    let set = File::open(path).and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH));
    set.map_err(KitError::file("write", path))
}

/// An empty folder, whatever was there.
pub(crate) fn empty(dir: &Path) -> Result<(), KitError> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).map_err(KitError::file("delete", dir))?;
    }
    std::fs::create_dir_all(dir).map_err(KitError::file("make", dir))
}

/// Writes files below `dir`, each only if it has other content: editors and compilers look at times.
pub(crate) fn write<P: AsRef<Path>, B: AsRef<[u8]>>(dir: &Path, files: &[(P, B)]) -> Result<(), KitError> {
    for (name, bytes) in files {
        let (path, bytes) = (dir.join(name), bytes.as_ref());
        if std::fs::read(&path).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(KitError::file("make", parent))?;
        }
        std::fs::write(&path, bytes).map_err(KitError::file("write", &path))?;
    }
    Ok(())
}
