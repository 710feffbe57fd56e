//! The files of releases: `releases/<digest>.wasm` below the data directory, written once, checked at every reading.

use std::io::{self, Write as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::error::PluginError;
use crate::inspect::MAX_COMPONENT;

/// A directory of releases. Nothing outside of it can be reached through this.
pub(crate) struct Releases(Dir);

impl Releases {
    /// Opens the directory, and makes it if it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
        Ok(Self(Dir::open_ambient_dir(path, ambient_authority())?))
    }

    /// Puts `bytes` in place under their digest. When it returns they are on disk, whole or (after a crash) not at all.
    pub(crate) fn keep(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
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
    pub(crate) fn read(&self, digest: &str) -> Result<Vec<u8>, PluginError> {
        let damaged = |what: String| PluginError::Release { digest: digest.to_owned(), what };
        // A digest is 64 hexadecimal digits, so it cannot name anything but a release.
        if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(damaged("this is no digest".into()));
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
        let releases = Releases::open(&dir.path().join("releases")).unwrap();
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
