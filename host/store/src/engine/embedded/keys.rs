//! The keys of persons in the data directory: `keys/<tenant>.keys`, one file a tenant.
//!
//! One file a tenant and not one a person, so that an import of a thousand people costs one sync and not a thousand. New keys
//! are appended; a key is destroyed by overwriting it in its place, so there is never a second copy of it in a file that was
//! renamed over. What the medium below keeps of overwritten sectors (flash, file systems that copy on write) nobody can say
//! from here: with a master key that is kept elsewhere it is worth nothing to whoever finds it.
//!
//! A key is relied on only after it was synced together with everything before it. Bytes of a file that was found at the start
//! may be there in memory alone (after a failed sync); before the first entry that needs them, the file is written again and
//! synced.

mod copy;
mod disk;
mod slot;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use backroom_domain::Id;
use parking_lot::{Mutex, MutexGuard, RwLock};
use zeroize::Zeroizing;

pub use self::copy::BroughtKeys;
pub(crate) use self::copy::KeyCopy;
pub use self::disk::KeyDisk;
pub(super) use self::disk::KeyFolder;

use self::slot::{Content, KEY, SLOT};
use crate::error::StoreError;
use crate::keyring::{KeyState, Keyring};
use crate::seal::{MasterKey, PersonKey, WRAPPED, unwrap, wrap};
use crate::types::TenantNo;

/// The folder of the keys.
pub(super) const FOLDER: &str = "keys";
/// Says which master key the others are wrapped with.
const CHECK: &str = "master";
/// Keys in memory at most, some 50 MiB; files beside the one that is being read go first.
const MAX_KEYS: usize = 200_000;

/// The keys in a folder.
pub(super) struct FileKeyring {
    disk: Arc<dyn KeyDisk>,
    master: Option<MasterKey>,
    files: RwLock<HashMap<TenantNo, Arc<KeyFile>>>,
}

/// The keys of one tenant.
struct KeyFile {
    held: RwLock<HashMap<Id, Held>>,
    /// Locked while the file is written.
    file: Mutex<FileState>,
}

struct FileState {
    /// Where the next slot goes.
    end: u64,
    /// There is a file, and it begins as it should.
    headed: bool,
    /// Everything in it is on disk.
    proven: bool,
    /// A write failed, and what is here may differ from the file: it is to be read again.
    stale: bool,
}

struct Held {
    /// Where it stands. More than one place if a crash came between wrapping a key and removing the plain one.
    at: Vec<u64>,
    state: Kept,
}

enum Kept {
    Key(PersonKey),
    Destroyed,
    Damaged,
}

impl FileKeyring {
    /// # Errors
    /// [`StoreError::Corrupt`] if the keys are wrapped and `master` is not the key for it; [`StoreError::Io`].
    pub(super) fn open(disk: Arc<dyn KeyDisk>, master: Option<MasterKey>) -> Result<Self, StoreError> {
        let failed = || StoreError::io(format!("open {FOLDER}/{CHECK}"));
        let wrong = |what| StoreError::corrupt(format!("{FOLDER}/{CHECK}"), what);
        match (disk.read(CHECK).map_err(failed())?, &master) {
            (None, None) => {}
            (Some(_), None) => {
                return Err(wrong(
                    "the keys are wrapped with a master key, and none was given; name its file with BACKROOM_MASTER_KEY_FILE",
                ));
            }
            (Some(bytes), Some(master)) if bytes.len() >= WRAPPED && bytes.iter().any(|byte| *byte != 0) => {
                let whole = bytes.first_chunk().and_then(|wrapped| unwrap(master, CHECK.as_bytes(), wrapped));
                whole.ok_or_else(|| wrong("the keys are wrapped with another master key"))?;
            }
            // Short or zeros: its first writing was not finished, and nothing was wrapped before it was.
            (_, Some(master)) => {
                let check = wrapped(master, CHECK.as_bytes(), &[0; 32])?;
                let written = disk.write(CHECK, 0, &check).and_then(|()| disk.sync(CHECK));
                written.and_then(|()| disk.sync_names()).map_err(failed())?;
            }
        }
        Ok(Self { disk, master, files: RwLock::default() })
    }

    fn file(&self, tenant: TenantNo) -> Result<Arc<KeyFile>, StoreError> {
        if let Some(file) = self.files.read().get(&tenant) {
            return Ok(Arc::clone(file));
        }
        let mut files = self.files.write();
        if let Some(file) = files.get(&tenant) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.load(tenant)?);
        let held: usize = files.values().map(|file| file.held.read().len()).sum();
        if held + file.held.read().len() > MAX_KEYS {
            // What somebody is using now stays: there must be one of a file at a time.
            files.retain(|_, file| Arc::strong_count(file) > 1);
        }
        files.insert(tenant, Arc::clone(&file));
        Ok(file)
    }

    fn load(&self, tenant: TenantNo) -> Result<KeyFile, StoreError> {
        let name = name(tenant);
        let bytes = self.disk.read(&name).map_err(StoreError::io(format!("read {FOLDER}/{name}")))?;
        let bytes = Zeroizing::new(bytes.unwrap_or_default());
        let parsed = slot::parse(&bytes, tenant);
        let (headed, slots) = parsed.map_err(|what| StoreError::corrupt(format!("{FOLDER}/{name}"), what))?;
        let mut end = bytes.len().max(SLOT).next_multiple_of(SLOT) as u64;
        let mut held: HashMap<Id, Held> = HashMap::with_capacity(slots.len());
        // Slots that hold a plain key or the rest of one, and the persons who have a wrapped one.
        let (mut plain, mut wrapped) = (Vec::new(), HashSet::new());
        for (at, person, content) in slots {
            let state = self.kept(tenant, &person, &content)?;
            match (&content, &state) {
                (Content::Plain(_) | Content::Damaged, _) => plain.push((person.clone(), at)),
                (Content::Wrapped(_), Kept::Key(_)) => drop(wrapped.insert(person.clone())),
                _ => {}
            }
            let entry = held.entry(person).or_insert(Held { at: Vec::new(), state: Kept::Damaged });
            entry.at.push(at);
            // Once destroyed, always destroyed; else the last key that is whole.
            match (&entry.state, &state) {
                (Kept::Destroyed, _) | (Kept::Key(_), Kept::Damaged) => {}
                _ => entry.state = state,
            }
        }
        if self.master.is_some() && !plain.is_empty() {
            let done = self.wrap_plain(tenant, &mut held, plain, &wrapped, &mut end);
            done.map_err(StoreError::io(format!("wrap the keys in {FOLDER}/{name}")))?;
        }
        Ok(KeyFile {
            held: RwLock::new(held),
            file: Mutex::new(FileState { end, headed, proven: false, stale: false }),
        })
    }

    fn kept(&self, tenant: TenantNo, person: &Id, content: &Content) -> Result<Kept, StoreError> {
        Ok(match content {
            Content::Plain(root) => Kept::Key(PersonKey::from_bytes(root)),
            Content::Destroyed => Kept::Destroyed,
            Content::Damaged => Kept::Damaged,
            Content::Wrapped(bytes) => {
                let missing = || {
                    StoreError::corrupt(format!("{FOLDER}/{}", name(tenant)), "its keys are wrapped with a master key")
                };
                let master = self.master.as_ref().ok_or_else(missing)?;
                unwrap(master, &place(tenant, person), bytes)
                    .map_or(Kept::Damaged, |root| Kept::Key(PersonKey::from_bytes(&root)))
            }
        })
    }

    /// Keys from the time before there was a master key: each is written again, wrapped, and the plain one overwritten once the
    /// other is on disk. What a crash left of that is ended.
    fn wrap_plain(
        &self,
        tenant: TenantNo,
        held: &mut HashMap<Id, Held>,
        plain: Vec<(Id, u64)>,
        wrapped: &HashSet<Id>,
        end: &mut u64,
    ) -> io::Result<()> {
        let name = name(tenant);
        let mut slots = Vec::new();
        for (person, _) in plain.iter().filter(|(person, _)| !wrapped.contains(person)) {
            let Some(entry) = held.get_mut(person) else { continue };
            let at = *end + slots.len() as u64;
            // Once for each person: what is behind the old end has been written here.
            if let (Kept::Key(key), true) = (&entry.state, entry.at.last().is_some_and(|last| last < end)) {
                slots.extend_from_slice(&*self.slot(tenant, person, key).map_err(io::Error::other)?);
                entry.at.push(at);
            }
        }
        self.write_again(&name)?;
        self.disk.write(&name, *end, &slots)?;
        *end += slots.len() as u64;
        self.disk.sync(&name)?;
        for (person, at) in plain {
            let Some(entry) = held.get_mut(&person).filter(|entry| !matches!(entry.state, Kept::Damaged)) else {
                continue;
            };
            self.disk.write(&name, at + KEY as u64, &[0; SLOT - KEY])?;
            entry.at.retain(|place| *place != at);
        }
        self.disk.sync(&name)
    }

    fn slot(&self, tenant: TenantNo, person: &Id, key: &PersonKey) -> Result<Zeroizing<[u8; SLOT]>, StoreError> {
        let content = match &self.master {
            None => Content::Plain(Zeroizing::new(*key.bytes())),
            Some(master) => Content::Wrapped(wrapped(master, &place(tenant, person), key.bytes())?),
        };
        Ok(slot::slot(person, &content))
    }

    /// Does `act` with the file of the tenant to itself. After a failure the file is read again by whoever comes next.
    fn writing(
        &self,
        tenant: TenantNo,
        act: impl FnOnce(&KeyFile, &mut MutexGuard<'_, FileState>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let file = self.file(tenant)?;
            let mut state = file.file.lock();
            if state.stale {
                // Whoever made it so is about to take it away.
                drop(state);
                std::thread::yield_now();
                continue;
            }
            let done = act(&file, &mut state);
            if matches!(done, Err(StoreError::Io { .. })) {
                state.stale = true;
                self.files.write().remove(&tenant);
            }
            return done;
        }
    }

    /// Brings everything in the file to disk, if it is not certain to be there, and `slots` behind it.
    fn append(&self, tenant: TenantNo, state: &mut FileState, slots: &[u8]) -> Result<(), StoreError> {
        let name = name(tenant);
        let write = || -> io::Result<u64> {
            if !state.headed {
                self.disk.write(&name, 0, &slot::header(tenant))?;
            } else if !state.proven {
                self.write_again(&name)?;
            }
            self.disk.write(&name, state.end, slots)?;
            self.disk.sync(&name)?;
            if !state.proven {
                self.disk.sync_names()?;
            }
            Ok(state.end + slots.len() as u64)
        };
        let end = write().map_err(StoreError::io(format!("write {FOLDER}/{name}")))?;
        *state = FileState { end, headed: true, proven: true, stale: false };
        Ok(())
    }

    /// Writes what can be read of a file in its own place, so that the next sync has to bring it to the disk.
    fn write_again(&self, name: &str) -> io::Result<()> {
        let bytes = Zeroizing::new(self.disk.read(name)?.unwrap_or_default());
        self.disk.write(name, 0, &bytes)
    }
}

impl Keyring for FileKeyring {
    fn get(&self, tenant: TenantNo, person: &Id) -> Result<KeyState, StoreError> {
        let file = self.file(tenant)?;
        let held = file.held.read();
        match held.get(person).map(|held| &held.state) {
            Some(Kept::Key(key)) => Ok(KeyState::Key(key.clone())),
            Some(Kept::Destroyed) => Ok(KeyState::Destroyed),
            None => Ok(KeyState::Absent),
            Some(Kept::Damaged) => {
                let what = format!("the key of {person} is damaged");
                Err(StoreError::corrupt(format!("{FOLDER}/{}", name(tenant)), what))
            }
        }
    }

    fn keep(&self, tenant: TenantNo, new: &[(Id, PersonKey)]) -> Result<(), StoreError> {
        self.writing(tenant, |file, state| {
            if new.is_empty() && state.proven {
                return Ok(());
            }
            if new.iter().any(|(person, _)| file.held.read().contains_key(person)) {
                return Err(StoreError::Conflict);
            }
            let mut slots = Zeroizing::new(Vec::with_capacity(new.len() * SLOT));
            for (person, key) in new {
                slots.extend_from_slice(&*self.slot(tenant, person, key)?);
            }
            self.append(tenant, state, &slots)?;
            let first = state.end - slots.len() as u64;
            let mut held = file.held.write();
            for ((person, key), at) in new.iter().zip((first..).step_by(SLOT)) {
                held.insert(person.clone(), Held { at: vec![at], state: Kept::Key(key.clone()) });
            }
            Ok(())
        })
    }

    fn destroy(&self, tenant: TenantNo, person: &Id) -> Result<(), StoreError> {
        self.writing(tenant, |file, state| {
            let places = {
                let mut held = file.held.write();
                let held = held.entry(person.clone()).or_insert(Held { at: Vec::new(), state: Kept::Destroyed });
                if matches!(held.state, Kept::Destroyed) && state.proven && !held.at.is_empty() {
                    return Ok(());
                }
                // Nobody gets it from here on.
                held.state = Kept::Destroyed;
                held.at.clone()
            };
            let name = name(tenant);
            let gone = slot::key_part(&Content::Destroyed);
            let overwrite = |at: &u64| self.disk.write(&name, at + KEY as u64, &*gone);
            let failed = StoreError::io(format!("destroy a key in {FOLDER}/{name}"));
            places.iter().try_for_each(overwrite).map_err(failed)?;
            // There was none here (the folder was lost, or is an older copy): none is ever made.
            let tombstone = if places.is_empty() { Some(slot::slot(person, &Content::Destroyed)) } else { None };
            self.append(tenant, state, tombstone.as_ref().map_or(&[], |slot| &slot[..]))?;
            if tombstone.is_some()
                && let Some(held) = file.held.write().get_mut(person)
            {
                held.at.push(state.end - SLOT as u64);
            }
            Ok(())
        })
    }
}

fn wrapped(master: &MasterKey, place: &[u8], root: &[u8; 32]) -> Result<[u8; WRAPPED], StoreError> {
    wrap(master, place, root).map_err(|why| StoreError::io("wrap the key of a person")(io::Error::other(why)))
}

fn name(tenant: TenantNo) -> String {
    format!("{tenant}.keys")
}

/// Whose key it is: a wrapped key opens in its own place alone.
fn place(tenant: TenantNo, person: &Id) -> Vec<u8> {
    let mut place = tenant.0.to_be_bytes().to_vec();
    place.extend_from_slice(person.as_str().as_bytes());
    place
}

#[cfg(test)]
mod tests;
