//! The components of releases, kept under their digests, checked at every reading.
//!
//! Where one host has the store, they are files: `releases/<digest>.wasm` below the data directory, written once. Where
//! several hosts share it, they are kept in it, and the files are a cache that can be deleted at any time.

use std::io::{self, Write as _};
use std::path::Path;

use backroom_store::{Blobs, Store};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::error::{PluginError, RunnerError};
use crate::inspect::MAX_COMPONENT;

/// The releases of a service.
pub(crate) struct Releases {
    /// None only where the store has the releases, too.
    folder: Option<Folder>,
    store: Store,
}

/// A directory of releases. Nothing outside of it can be reached through this.
struct Folder(Dir);

impl Releases {
    /// Opens the directory, and makes it if it is not there. As a cache it is done without if that cannot be.
    pub(crate) fn open(path: &Path, store: Store) -> io::Result<Self> {
        let folder = match Folder::open(path) {
            Ok(folder) => Some(folder),
            Err(why) if store.blobs().is_some() => {
                tracing::warn!(%why, path = %path.display(), "no folder to keep releases in: each start reads them anew");
                None
            }
            Err(why) => return Err(why),
        };
        Ok(Self { folder, store })
    }

    /// Keeps `bytes` under their digest. When it returns they are durable, whole or (after a crash) not at all.
    pub(crate) fn keep(&self, digest: &str, bytes: &[u8]) -> Result<(), RunnerError> {
        if let Some(blobs) = self.store.blobs() {
            blobs.keep_bytes(digest, bytes)?;
            self.cache(digest, bytes);
            return Ok(());
        }
        let kept = self.folder.as_ref().map_or(Ok(()), |folder| folder.keep(digest, bytes));
        kept.map_err(|why| RunnerError::Unavailable(format!("the release cannot be written: {why}")))
    }

    /// The bytes of a release, if they still are what their name says.
    pub(crate) fn read(&self, digest: &str) -> Result<Vec<u8>, RunnerError> {
        let found = self.folder.as_ref().map(|folder| folder.read(digest));
        match (found, self.store.blobs()) {
            (Some(Ok(bytes)), _) => Ok(bytes),
            (Some(Err(why)), None) => Err(why.into()),
            (_, Some(blobs)) => self.fetch(blobs, digest),
            (None, None) => Err(damaged(digest, "there is nowhere to read it from").into()),
        }
    }

    fn fetch(&self, blobs: &dyn Blobs, digest: &str) -> Result<Vec<u8>, RunnerError> {
        let bytes = blobs.read_bytes(digest)?.ok_or_else(|| damaged(digest, "the database does not have it"))?;
        if blake3::hash(&bytes).to_hex().as_str() != digest {
            return Err(damaged(digest, "its bytes in the database were changed since it was uploaded").into());
        }
        self.cache(digest, &bytes);
        Ok(bytes)
    }

    /// A cache that cannot be written is slow and nothing else.
    fn cache(&self, digest: &str, bytes: &[u8]) {
        if let Some(Err(why)) = self.folder.as_ref().map(|folder| folder.keep(digest, bytes)) {
            tracing::warn!(%why, digest, "the release was not kept in the local folder");
        }
    }
}

fn damaged(digest: &str, what: impl Into<String>) -> PluginError {
    PluginError::Release { digest: digest.to_owned(), what: what.into() }
}

impl Folder {
    fn open(path: &Path) -> io::Result<Self> {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
        Ok(Self(Dir::open_ambient_dir(path, ambient_authority())?))
    }

    /// Puts `bytes` in place. When it returns they are on disk, whole or (after a crash) not at all.
    fn keep(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        let name = file_name(digest);
        if self.read(digest).is_ok() {
            return Ok(());
        }
        // Two uploads of the same bytes may meet here: each has a file of its own until the renaming.
        let temporary = format!("{name}.{}.tmp", uuid::Uuid::now_v7().simple());
        let written = self.write(&temporary, bytes).and_then(|()| self.0.rename(&temporary, &self.0, &name));
        if let Err(why) = written {
            // What is left of it does no harm: nobody reads such names.
            self.0.remove_file(&temporary).ok();
            return Err(why);
        }
        self.0.open(".")?.sync_all()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.open_with(name, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// The bytes of a release, if they still are what their name says.
    fn read(&self, digest: &str) -> Result<Vec<u8>, PluginError> {
        let damaged = |what: String| damaged(digest, what);
        // A digest is 64 hexadecimal digits, so it cannot name anything but a release.
        if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(PluginError::no_digest(digest));
        }
        let name = file_name(digest);
        let size = self.0.metadata(&name).map_err(|why| damaged(format!("its file cannot be read: {why}")))?.len();
        if usize::try_from(size).is_ok_and(|size| size > MAX_COMPONENT) {
            return Err(damaged("its file is larger than any release".into()));
        }
        let bytes = self.0.read(&name).map_err(|why| damaged(format!("its file cannot be read: {why}")))?;
        if blake3::hash(&bytes).to_hex().as_str() != digest {
            return Err(damaged("its file was changed since it was uploaded".into()));
        }
        Ok(bytes)
    }
}

fn file_name(digest: &str) -> String {
    format!("{digest}.wasm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let releases = Folder::open(&dir.path().join("releases")).unwrap();
        let digest = blake3::hash(b"wasm").to_hex().to_string();
        let refused = |digest: &str| releases.read(digest).unwrap_err().to_string();
        assert!(refused(&digest).contains("cannot be read"));
        releases.keep(&digest, b"wasm").unwrap();
        releases.keep(&digest, b"wasm").unwrap();
        assert_eq!(releases.read(&digest).unwrap(), b"wasm");
        let path = dir.path().join("releases").join(format!("{digest}.wasm"));
        std::fs::write(&path, b"masw").unwrap();
        assert!(refused(&digest).contains("was changed"));
        // Uploading the release again mends it.
        releases.keep(&digest, b"wasm").unwrap();
        assert_eq!(releases.read(&digest).unwrap(), b"wasm");
        for bad in ["", "../secret", &"x".repeat(64)] {
            assert!(refused(bad).contains("no digest"), "{bad}");
        }
        let left: Vec<_> = std::fs::read_dir(dir.path().join("releases")).unwrap().collect();
        assert_eq!(left.len(), 1);
    }
}
