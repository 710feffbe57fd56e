//! Components that were made before, by what they were made of.
//!
//! componentize-py and componentize-qjs run the program's beginning at build time and store the memory it left, with the random seeds that the
//! build happened to draw (componentize-py issue 247). Two builds of one source would be two releases. So what was made of a source is
//! kept, and made again only from another one. On another machine the bytes differ: a release is what was built once and signed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::KitError;
use crate::build::Options;

/// A place for the component that is made of certain sources with a certain tool.
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// The place for what `tool` makes of all files below `staged`. Times and the folder's own name do not count.
    pub(crate) fn of(options: &Options, tool: &str, staged: &Path) -> Result<Self, KitError> {
        let folder = options.machine.cache_dir()?.join("components");
        Ok(Self { path: folder.join(format!("{}.wasm", digest(tool, staged)?)) })
    }

    /// The component, if it was made before.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        std::fs::read(&self.path).ok()
    }

    /// Keeps it. Whoever comes second takes what the first one kept.
    pub(crate) fn keep(&self, made: Vec<u8>) -> Result<Vec<u8>, KitError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(KitError::file("make", folder))?;
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let fresh = self.path.with_extension(format!("{}-{number}.new", std::process::id()));
        std::fs::write(&fresh, &made).map_err(KitError::file("write", &fresh))?;
        // A link is made only where nothing is.
        let linked = std::fs::hard_link(&fresh, &self.path);
        std::fs::remove_file(&fresh).map_err(KitError::file("delete", &fresh))?;
        match linked {
            Ok(()) => Ok(made),
            Err(_) => std::fs::read(&self.path).map_err(KitError::file("read", &self.path)),
        }
    }
}

/// What stands for whatever `tool` makes of all files below `dir`.
pub(crate) fn digest(tool: &str, dir: &Path) -> Result<String, KitError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(tool.as_bytes());
    hash(&mut hasher, dir)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn hash(hasher: &mut blake3::Hasher, dir: &Path) -> Result<(), KitError> {
    let entries = std::fs::read_dir(dir).map_err(KitError::file("read", dir))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut part = |kind: &[u8], bytes: &[u8]| {
            for piece in [kind, name, bytes] {
                hasher.update(&(piece.len() as u64).to_le_bytes()).update(piece);
            }
        };
        if path.is_dir() {
            part(b"folder", b"");
            hash(hasher, &path)?;
            hasher.update(b"end");
        } else {
            part(b"file", &std::fs::read(&path).map_err(KitError::file("read", &path))?);
        }
    }
    Ok(())
}
