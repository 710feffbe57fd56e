//! The state index: sled, as a copy of the state that can be thrown away.
//!
//! Known traps of sled 0.34.7 that are handled here: a snapshot file whose writing was interrupted is taken for a whole one;
//! a damaged file can make opening panic; `flush` is not a sync (nothing here relies on it); `flush_async` and transactions
//! hang or lock everything and are not used; the lock of a database that is being dropped lingers.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use sled::{Batch, Db, IVec};

use super::recent::Recent;
use crate::engine::{KeyRange, Value};
use crate::entry::Change;
use crate::error::StoreError;
use crate::index::is_head;
use crate::types::{Revision, TenantNo};

const FOLDER: &str = "state";
/// Shorter than any key, and before all of them.
const APPLIED: &[u8] = &[0];
/// Of the index's cache, so much again is for single records.
const RECENT: u64 = 4;
/// The previous owner in this process may still be letting go.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// The open index.
pub(super) struct State {
    db: Db,
    recent: Recent,
}

/// Opens the index below the data directory. A damaged one is moved away and an empty one takes its place.
///
/// # Errors
/// What the operating system reports: a full disk is no reason to throw the index away.
pub(super) fn open(dir: &Dir, path: &Path, cache_bytes: u64) -> Result<(State, Revision), StoreError> {
    let path = path.join(FOLDER);
    each_snapshot_file(dir, |folder, name| match name.ends_with(".generating") {
        true => folder.remove_file(name),
        false => Ok(()),
    })?;
    let damage = match try_open(&path, cache_bytes)? {
        Ok(opened) => return Ok(opened),
        Err(damage) => damage,
    };
    tracing::warn!(damage, "the state index does not open; trying without its snapshot files");
    each_snapshot_file(dir, |folder, name| folder.rename(name, folder, format!("unused-{name}")))?;
    let damage = match try_open(&path, cache_bytes)? {
        Ok(opened) => return Ok(opened),
        Err(damage) => damage,
    };
    let aside = free_name(dir);
    tracing::error!(damage, aside, "the state index is damaged; moving it away and building it again from the log");
    dir.rename(FOLDER, dir, &aside).map_err(StoreError::io("move the damaged state index away"))?;
    try_open(&path, cache_bytes)?.map_err(|damage| StoreError::corrupt("a new state index", damage))
}

fn each_snapshot_file(dir: &Dir, act: impl Fn(&Dir, &str) -> io::Result<()>) -> Result<(), StoreError> {
    let folder = match dir.open_dir(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(StoreError::io("open the folder of the state index"))?,
    };
    let all = || -> io::Result<()> {
        for entry in folder.entries()? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("snap.") {
                act(&folder, &name)?;
            }
        }
        Ok(())
    };
    all().map_err(StoreError::io("prepare the folder of the state index"))
}

fn free_name(dir: &Dir) -> String {
    let mut number = 1_u32;
    while dir.exists(format!("{FOLDER}.damaged-{number}")) {
        number += 1;
    }
    format!("{FOLDER}.damaged-{number}")
}

/// The inner error is damage; the outer one has other reasons.
fn try_open(path: &Path, cache_bytes: u64) -> Result<Result<(State, Revision), String>, StoreError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match open_in_thread(path.to_owned(), cache_bytes)? {
            Err(sled::Error::Io(error)) if is_locked(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(sled::Error::Io(source)) => return Err(StoreError::io("open the state index")(source)),
            Err(damage) => return Ok(Err(damage.to_string())),
            Ok(opened) => return Ok(Ok(opened)),
        }
    }
}

/// sled panics on some kinds of damage: in a thread of its own that is an error like others.
fn open_in_thread(path: PathBuf, cache_bytes: u64) -> Result<sled::Result<(State, Revision)>, StoreError> {
    let open = move || {
        let config = sled::Config::default().path(path).cache_capacity(cache_bytes).flush_every_ms(Some(500));
        let db = config.open()?;
        let applied = match db.get(APPLIED)? {
            None => 0,
            Some(bytes) => match <[u8; 8]>::try_from(&*bytes) {
                Ok(bytes) => u64::from_be_bytes(bytes),
                Err(_) => return Err(sled::Error::ReportableBug("the applied revision is not a number".into())),
            },
        };
        Ok((State { db, recent: Recent::new(cache_bytes / RECENT) }, applied))
    };
    let thread = std::thread::Builder::new().name("state-open".into()).spawn(open);
    match thread.map_err(StoreError::io("start a thread"))?.join() {
        Ok(opened) => Ok(opened),
        Err(_) => Ok(Err(sled::Error::ReportableBug("sled panicked while opening".into()))),
    }
}

fn is_locked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

impl State {
    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let mark = match self.recent.get(key) {
            Ok(value) => return Ok(Some(value)),
            Err(mark) => mark,
        };
        let found = self.db.get(key).map_err(failed)?;
        if let Some(value) = &found {
            self.recent.offer(key, value, mark);
        }
        Ok(found)
    }

    /// Keys and values of a range that is not empty.
    pub(super) fn range(
        &self,
        range: KeyRange,
        reverse: bool,
    ) -> impl Iterator<Item = Result<(Value, Value), StoreError>> + use<> {
        let (mut forward, mut backward) = (None, None);
        let all = self.db.range(range);
        if reverse {
            backward = Some(all.rev());
        } else {
            forward = Some(all);
        }
        let pairs = forward.into_iter().flatten().chain(backward.into_iter().flatten());
        pairs.map(|pair| pair.map(|(key, value)| (key.into(), value.into())).map_err(failed))
    }

    /// The first tenant from `from` on that has a record.
    pub(super) fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let start = from.0.to_be_bytes();
        let first = self.db.range(start.as_slice()..).next().transpose().map_err(failed)?;
        Ok(first.and_then(|(key, _)| crate::key::split_key(&key).map(|(tenant, ..)| tenant)))
    }

    /// Applies changes, of each key the last one, and then says up to which revision.
    ///
    /// Not one batch: sled holds up all readers of the process while it takes one, which was measured to cost half of the
    /// throughput and most of the tail latency. The records go in one by one, sorted. Only then the heads and the revision
    /// go in, as one small batch. A crash in between leaves records ahead of the revision; playing the log from there sets
    /// the same records again, and the heads it starts from are those of that revision.
    pub(super) fn apply<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change>,
        applied: Revision,
    ) -> Result<(), StoreError> {
        let merged: BTreeMap<&[u8], Option<&[u8]>> =
            changes.map(|change| (&*change.key, change.value.as_deref())).collect();
        let mut last = Batch::default();
        let mut heads = Vec::new();
        for (key, value) in merged {
            match value {
                Some(value) if is_head(key) => {
                    last.insert(key, value);
                    heads.push(key);
                    continue;
                }
                Some(value) => drop(self.db.insert(key, value).map_err(failed)?),
                None => drop(self.db.remove(key).map_err(failed)?),
            }
            self.recent.changed(key);
        }
        last.insert(APPLIED, &applied.to_be_bytes());
        self.db.apply_batch(last).map_err(failed)?;
        heads.into_iter().for_each(|head| self.recent.changed(head));
        Ok(())
    }

    /// Hands everything to the operating system: the next opening has less to do.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(|_| ()).map_err(failed)
    }
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => StoreError::io("read or write the state index")(source),
        damage => StoreError::corrupt(
            "the state index",
            format!(
                "{damage}. Its folder `{FOLDER}` can be moved away while the service is stopped: it is built again from the log"
            ),
        ),
    }
}
