//! Compiled code in files, so that a start compiles nothing that was compiled before.
//!
//! Code is believed, and run, only if a keyed checksum over its name and its bytes says that this service wrote it: a file that was
//! changed, cut, or put under another name is deleted and made again. The key comes from the master key, which is nowhere near;
//! where there is none it stands in a file beside the code, which nobody else may read. It keeps out whoever can write here and
//! not read, and damage; who can read and write the files of the service's own user is the service.
//!
//! Files are read into memory and checked there. Mapped ones would be shared between processes, but could be changed after the
//! check by whoever can write to them.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};

use super::frame;
use super::job::{About, Made};

/// Where compiled code is kept, and how much of it.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// The folder, which is made if it is not there. It can be deleted at any time.
    pub folder: PathBuf,
    /// What the checksums are made with; a random key in the folder if none.
    pub key: Option<CacheKey>,
    /// Bytes of all files; the one that was not used for longest makes room.
    pub most_bytes: u64,
}

impl CacheOptions {
    /// The defaults.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, key: Option<CacheKey>) -> Self {
        // Some 1,000 plugins of a compact language, or 60 with a whole interpreter in each.
        Self { folder: folder.into(), key, most_bytes: 2 << 30 }
    }
}

/// A key for checksums.
#[derive(Clone)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// What a master key is to be derived with for this.
    pub const PURPOSE: &str = "backroom 2026 compiled code: checksum";

    /// The key with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheKey(..)")
    }
}

const CHECKSUM: usize = 32;
const KEY_FILE: &str = "key";
const ENDING: &str = ".code";
const UNFINISHED: &str = ".tmp";
/// What a crash left half written is taken away after so long: no writing takes that time.
const STALE: Duration = Duration::from_secs(3_600);

/// The folder of compiled code. Nothing outside of it can be reached through this.
pub(super) struct Cache {
    folder: Dir,
    key: CacheKey,
    most_bytes: u64,
    most_code: u64,
}

/// What the cache has under a name.
#[derive(Debug)]
pub(super) enum Found {
    Code(Made),
    Nothing,
    /// Something that is not to be believed; it is gone now.
    Damaged,
}

impl Cache {
    pub(super) fn open(options: &CacheOptions, most_code: u64) -> io::Result<Self> {
        let folder = open_private(&options.folder)?;
        let key = match &options.key {
            Some(key) => key.clone(),
            None => own_key(&folder)?,
        };
        Ok(Self { folder, key, most_bytes: options.most_bytes, most_code })
    }

    /// What was kept under `name`, as it was kept.
    pub(super) fn read(&self, name: &blake3::Hash) -> Found {
        let file = file_name(name);
        match self.read_file(&file) {
            Ok(bytes) => match self.check(name, bytes) {
                Some(made) => Found::Code(made),
                None => {
                    tracing::warn!(
                        file,
                        "compiled code was changed, cut or moved since it was written: it is compiled again"
                    );
                    self.folder.remove_file(&file).ok();
                    Found::Damaged
                }
            },
            Err(why) if why.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(why) => {
                tracing::warn!(%why, file, "compiled code cannot be read: it is compiled again");
                Found::Damaged
            }
        }
    }

    fn read_file(&self, file: &str) -> io::Result<Vec<u8>> {
        let mut opened = self.folder.open(file)?;
        let most = frame::longest(self.most_code).saturating_add(40);
        let size = opened.metadata()?.len();
        if size > most {
            return Err(io::Error::other("it is larger than any compiled code"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        io::Read::by_ref(&mut opened).take(most).read_to_end(&mut bytes)?;
        // The last to be used is the last to go.
        opened.into_std().set_modified(SystemTime::now()).ok();
        Ok(bytes)
    }

    fn check(&self, name: &blake3::Hash, bytes: Vec<u8>) -> Option<Made> {
        let (checksum, framed) = bytes.split_first_chunk::<CHECKSUM>()?;
        // In constant time.
        if self.checksum(name, &[framed]) != *checksum {
            return None;
        }
        let (about, code) = frame::parse::<About>(framed)?;
        let length = code.len();
        Some(frame::made(about, bytes, length))
    }

    fn checksum(&self, name: &blake3::Hash, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key.0);
        hasher.update(name.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize()
    }

    /// Keeps what was made. When it returns it is on disk, whole or (after a crash) not at all.
    pub(super) fn keep(&self, name: &blake3::Hash, made: &Made) -> io::Result<()> {
        let head = frame::head(&made.about).ok_or_else(|| io::Error::other("its head is too long"))?;
        let checksum = self.checksum(name, &[&head, &made.code]);
        replace(&self.folder, &file_name(name), &[checksum.as_bytes(), &head, &made.code])?;
        self.make_room(&file_name(name))
    }

    /// What fits no engine of this service: wasmtime says so.
    pub(super) fn forget(&self, name: &blake3::Hash) {
        self.folder.remove_file(file_name(name)).ok();
    }

    /// Removes what was not used for longest until there is no more than there may be.
    fn make_room(&self, newest: &str) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in self.folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
            if name.ends_with(UNFINISHED) && used.elapsed().is_ok_and(|age| age > STALE) {
                self.folder.remove_file(&name).ok();
            } else if name.ends_with(ENDING) {
                files.push((name != newest, used, metadata.len(), name));
            }
        }
        // The newest last, whatever the clock says.
        files.sort_by_key(|file| (!file.0, file.1));
        let mut total: u64 = files.iter().map(|(_, _, size, _)| size).sum();
        for (old, _, size, name) in files {
            if total <= self.most_bytes || !old {
                break;
            }
            self.folder.remove_file(&name)?;
            total = total.saturating_sub(size);
        }
        Ok(())
    }
}

fn file_name(name: &blake3::Hash) -> String {
    format!("{}{ENDING}", name.to_hex())
}

/// A folder that is nobody else's.
fn open_private(path: &Path) -> io::Result<Dir> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    Dir::open_ambient_dir(path, ambient_authority())
}

/// The key in the folder; a new one, which nothing in the folder fits, if it is not there or not this service's alone.
fn own_key(folder: &Dir) -> io::Result<CacheKey> {
    match read_key(folder) {
        Ok(Some(key)) => return Ok(key),
        Ok(None) => tracing::warn!("the key of compiled code is not this service's alone: a new one is drawn"),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => tracing::warn!(%why, "the key of compiled code cannot be read: a new one is drawn"),
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|why| io::Error::other(why.to_string()))?;
    replace(folder, KEY_FILE, &[&key])?;
    Ok(CacheKey(key))
}

fn read_key(folder: &Dir) -> io::Result<Option<CacheKey>> {
    let mut file = folder.open(KEY_FILE)?;
    let metadata = file.metadata()?;
    let own = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0;
    if !own || !metadata.is_file() || metadata.nlink() != 1 {
        return Ok(None);
    }
    let mut key = [0; 32];
    file.read_exact(&mut key)?;
    Ok(Some(CacheKey(key)))
}

/// Writes a file in place of any that there is.
fn replace(folder: &Dir, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    // Two writers may meet here: each has a file of its own until the renaming.
    let temporary = format!("{name}.{}{UNFINISHED}", uuid::Uuid::now_v7().simple());
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = folder.open_with(&temporary, options.write(true).create_new(true).mode(0o600))?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        folder.rename(&temporary, folder, name)?;
        folder.open(".")?.sync_all()
    };
    let written = write();
    if written.is_err() {
        folder.remove_file(&temporary).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path, key: u8) -> Cache {
        Cache::open(&CacheOptions::new(folder, Some(CacheKey::new([key; 32]))), 1 << 20).unwrap()
    }

    fn module(code: &[u8]) -> Made {
        Made { about: About::Module, code: code.to_vec() }
    }

    #[test]
    fn a_file_is_believed_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, other) = (cache(folder.path(), 1), cache(folder.path(), 2));
        let (name, another) = (blake3::hash(b"one"), blake3::hash(b"two"));
        assert!(matches!(cache.read(&name), Found::Nothing));
        cache.keep(&name, &module(b"some code")).unwrap();
        match cache.read(&name) {
            Found::Code(made) => {
                assert_eq!((made.about, made.code.as_slice()), (About::Module, b"some code".as_slice()));
            }
            found => panic!("{found:?}"),
        }
        let path = folder.path().join(file_name(&name));
        let whole = std::fs::read(&path).unwrap();
        let damaged = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(cache.read(&name), Found::Damaged), "{what}");
            assert!(!path.exists(), "{what}");
        };
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                damaged(&flipped, &format!("bit {bit} of byte {at}"));
            }
            damaged(&whole[..at], &format!("cut at {at}"));
        }
        damaged(&[whole.as_slice(), &[0]].concat(), "longer");
        // Another's code, whole, under this name.
        cache.keep(&another, &module(b"other code")).unwrap();
        damaged(&std::fs::read(folder.path().join(file_name(&another))).unwrap(), "another's");
        // Whole, by somebody with another key.
        other.keep(&name, &module(b"some code")).unwrap();
        damaged(&std::fs::read(&path).unwrap(), "another key");
        std::fs::write(&path, &whole).unwrap();
        assert!(matches!(cache.read(&name), Found::Code(_)));
    }

    #[test]
    fn what_is_too_large_or_no_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, name) = (cache(folder.path(), 1), blake3::hash(b"one"));
        let path = folder.path().join(file_name(&name));
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(cache.read(&name), Found::Damaged));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(cache.read(&name), Found::Damaged));
        std::fs::remove_dir(&path).unwrap();
        // What lies outside of the folder is out of reach, whatever points there.
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(matches!(cache.read(&name), Found::Damaged));
        cache.keep(&name, &module(b"code")).unwrap();
        assert!(matches!(cache.read(&name), Found::Code(_)));
    }

    #[test]
    fn half_written_files_of_old_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, name) = (cache(folder.path(), 1), blake3::hash(b"one"));
        let (old, new) = (folder.path().join("a.tmp"), folder.path().join("b.tmp"));
        for path in [&old, &new] {
            std::fs::write(path, b"half").unwrap();
        }
        std::fs::File::open(&old).unwrap().set_modified(SystemTime::now() - 2 * STALE).unwrap();
        cache.keep(&name, &module(b"code")).unwrap();
        assert!(!old.exists() && new.exists());
    }
}
