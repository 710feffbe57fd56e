//! The state index: sled, as a copy of the state that can be thrown away.
//!
//! Known traps of sled 0.34.7 that are handled here and in `state_open`: a snapshot file whose writing was interrupted is
//! taken for a whole one; a damaged file can make any call panic; `flush` is not a sync (nothing here relies on it);
//! `flush_async` and transactions hang or lock everything and are not used; the lock of a database that is being dropped
//! lingers; after a write that failed (no room) it writes nothing any more and reads some things only, and has to be opened
//! again; files grow to several times what is in them, and only writing everything anew makes them small.
//!
//! An index that was written anew has most of its records in a [`Base`], and above it those that changed since then. There a
//! record without bytes says that the one in the base is gone; no record that is there has no bytes, for each begins with its
//! version. Heads are never in the base.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use parking_lot::RwLock;
use sled::{Db, IVec};

use super::base::{Base, Packer};
use super::copy::Visit;
use super::recent::Recent;
use crate::engine::{KeyRange, Value};
use crate::entry::Change;
use crate::error::StoreError;
use crate::index::is_head;
use crate::merge::Merge;
use crate::types::{Revision, TenantNo};

/// Where damage in it is.
pub(super) const PLACE: &str = "the state index";
/// Shorter than any key, and before all of them.
const APPLIED: &[u8] = &[0];
/// What [`Index::reach`] is about to set; as short, and as far in front.
const REACHED: &[u8] = &[0, 0];
/// What [`Index::probe`] writes; it says nothing.
const PROBE: &[u8] = &[0, 0, 0];
/// For single records that were read of late: some hundred tenants' accounts, items and installations.
const RECENT_BYTES: usize = 16 << 20;
/// Stands in the place of a record of the base that is gone.
const GONE: &[u8] = &[];
/// Behind the revision and the bytes of an index that has a base.
const HAS_BASE: u8 = 1;

/// The open index, or none while it is being opened again. What is behind it can be exchanged while it is being read.
pub(super) struct State(RwLock<Option<Arc<Index>>>);

/// A revision, and the heads of all tenants that changed on the way there. Those are some 20,000 at most, of 64 bytes each: what is
/// applied at once has 8 MiB, and an entry takes 400 bytes there. So it is never put into a file that nobody syncs (2 MiB, see
/// `state_open`).
#[derive(Encode, Decode)]
struct Reached {
    #[n(0)]
    applied: Revision,
    #[n(1)]
    heads: Vec<(ByteVec, ByteVec)>,
}

/// One sled database.
pub(super) struct Index {
    db: Db,
    /// Its folder in the data directory.
    pub(super) folder: &'static str,
    /// Bytes of keys and values, about: a crash makes it drift, copying everything makes it right again.
    bytes: AtomicU64,
    recent: Recent,
    /// There once it is whole.
    base: OnceLock<Base>,
    /// Bytes of its blocks that are kept in memory.
    cache: usize,
}

impl State {
    pub(super) fn new(index: Index) -> Self {
        Self(RwLock::new(Some(Arc::new(index))))
    }

    /// What is behind it now.
    pub(super) fn index(&self) -> Option<Arc<Index>> {
        self.0.read().clone()
    }

    /// Bytes of keys and values, about.
    pub(super) fn bytes(&self) -> u64 {
        self.index().map_or(0, |index| index.bytes())
    }

    /// Puts another index in its place; the old one is kept open by whoever reads it.
    pub(super) fn exchange(&self, index: Index) -> Option<Arc<Index>> {
        self.0.write().replace(Arc::new(index))
    }

    /// Takes it away.
    pub(super) fn take(&self) -> Option<Arc<Index>> {
        self.0.write().take()
    }
}

impl Index {
    /// Opens what `config` says, and how far it is. Beside sled's own cache it has another one of `cache` bytes.
    pub(super) fn open(config: &sled::Config, folder: &'static str, cache: usize) -> sled::Result<(Self, Revision)> {
        let db = config.open()?;
        let bug = |what: &str| sled::Error::ReportableBug(what.into());
        let (mut applied, bytes, has_base) = match db.get(APPLIED)? {
            None => (0, 0, false),
            Some(found) => decode_applied(&found).ok_or_else(|| bug("the applied revision is not a number"))?,
        };
        if let Some(found) = db.get(REACHED)? {
            let reached: Reached = minicbor::decode(&found).map_err(|_| bug("what was reached is no list of heads"))?;
            // It was cut off there.
            if reached.applied > applied {
                for (key, value) in &reached.heads {
                    db.insert(&**key, &***value)?;
                }
                applied = reached.applied;
            }
        }
        let base = match has_base {
            true => OnceLock::from(Base::open(&db, cache)?.ok_or_else(|| bug("its base is missing"))?),
            false => OnceLock::new(),
        };
        Ok((Self { db, folder, bytes: bytes.into(), recent: Recent::new(RECENT_BYTES), base, cache }, applied))
    }

    /// Writes the base of an index that is empty: what `records` shows, in order of keys and no heads among it, in blocks of
    /// about `block_bytes`. It counts with the next [`Index::advance`].
    ///
    /// # Errors
    /// What writing and `records` report.
    pub(super) fn write_base(
        &self,
        block_bytes: usize,
        records: impl FnOnce(&mut Visit<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut packer = contained(|| Packer::begin(&self.db, block_bytes, &self.bytes))?;
        records(&mut |key, value| contained(|| packer.put(key, value)))?;
        // Nobody reads it yet, and nobody else writes one.
        let _first = self.base.set(contained(|| packer.finish(self.cache))?);
        Ok(())
    }

    /// Bytes of keys and values, about.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Sets what was counted.
    pub(super) fn counted(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let mark = match self.recent.get(key) {
            Ok(value) => return Ok(value),
            Err(mark) => mark,
        };
        let found = match guarded(|| self.db.get(key))? {
            Some(value) => Some(value).filter(|value| !value.is_empty()),
            None => self.below(key)?,
        };
        self.recent.offer(key, found.as_ref(), mark);
        Ok(found)
    }

    /// Up to `limit` keys and values of a range that is not empty.
    pub(super) fn chunk(
        &self,
        range: KeyRange,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(Value, Value)>, StoreError> {
        if let Some(base) = self.base.get() {
            return contained(|| self.merged(base, &range, reverse, limit));
        }
        guarded(|| {
            let all = self.db.range(range);
            let pair = |pair: sled::Result<(IVec, IVec)>| pair.map(|(key, value)| (key.into(), value.into()));
            if reverse { all.rev().take(limit).map(pair).collect() } else { all.take(limit).map(pair).collect() }
        })
    }

    /// The base, and above it what changed since it was written.
    fn merged(
        &self,
        base: &Base,
        range: &KeyRange,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<(Value, Value)>, StoreError> {
        let mut all = self.db.range(range.clone());
        let mut error = None;
        let changes = std::iter::from_fn(|| match if reverse { all.next_back() } else { all.next() }? {
            Ok((key, value)) => Some((key.into(), (!value.is_empty()).then(|| value.into()))),
            Err(found) => {
                error = Some(found);
                None
            }
        });
        let chunk = Merge::new(changes.fuse(), base.range(range, reverse), reverse).take(limit).collect();
        error.map_or(chunk, |error| Err(failed(error)))
    }

    /// The first tenant from `from` on that has a record: each of them has a head, which is never in the base.
    pub(super) fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let start = from.0.to_be_bytes();
        let first = guarded(|| self.db.range(start.as_slice()..).next().transpose())?;
        Ok(first.and_then(|(key, _)| crate::key::split_key(&key).map(|(tenant, ..)| tenant)))
    }

    /// Applies changes, of each key the last one, and then says up to which revision.
    ///
    /// Never a batch of sled's, however small: from the first one on, all readers of the process share a lock that a batch wants
    /// for itself, and so they all wait until the slowest one of them is done, which may have lost its processor in the
    /// middle (measured: half of the throughput for large batches, waits of 1 to 2 ms for small ones).
    ///
    /// The records go in one by one, sorted, and then the heads. A crash in between leaves records ahead of the revision;
    /// playing the log from there sets the same records again, and the heads it starts from are those of that revision.
    pub(super) fn apply<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change>,
        applied: Revision,
    ) -> Result<(), StoreError> {
        let merged: BTreeMap<&[u8], Option<&[u8]>> =
            changes.map(|change| (&*change.key, change.value.as_deref())).collect();
        let mut heads = Vec::new();
        for (key, value) in merged {
            match value {
                Some(value) if is_head(key) => heads.push((key, value)),
                Some(value) => self.put(key, value)?,
                None => self.remove(key)?,
            }
        }
        self.reach(&heads, applied)
    }

    /// Sets one record.
    pub(super) fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let before = guarded(|| self.db.insert(key, value))?;
        self.recent.changed(key);
        // One that is also in the base counts twice until it goes: looking it up there would take as long again.
        let (more, less) = match before {
            Some(before) if before.is_empty() => {
                (size(key, value) + self.below(key)?.map_or(0, |below| size(key, &below)), 0)
            }
            Some(before) => (value.len(), before.len()),
            None => (size(key, value), 0),
        };
        self.bytes.fetch_add(more as u64, Ordering::Relaxed);
        self.count_gone(less);
        Ok(())
    }

    /// What the base has.
    fn below(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.base.get().map_or(Ok(None), |base| contained(|| base.get(key)))
    }

    fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let below = self.below(key)?;
        let above = match below {
            Some(_) => guarded(|| self.db.insert(key, GONE))?,
            None => guarded(|| self.db.remove(key))?,
        };
        self.recent.changed(key);
        let was_gone = above.as_ref().is_some_and(|above| above.is_empty());
        let gone = [above, below].into_iter().flatten().filter(|_| !was_gone).map(|value| size(key, &value));
        self.count_gone(gone.sum());
        Ok(())
    }

    fn count_gone(&self, bytes: usize) {
        self.bytes.fetch_sub((bytes as u64).min(self.bytes()), Ordering::Relaxed);
    }

    /// Sets heads and the revision as one: first all of it stands in one record, from which opening can finish it.
    fn reach(&self, heads: &[(&[u8], &[u8])], applied: Revision) -> Result<(), StoreError> {
        self.intend(heads, applied)?;
        self.advance(heads.iter().copied(), applied)
    }

    fn intend(&self, heads: &[(&[u8], &[u8])], applied: Revision) -> Result<(), StoreError> {
        let own = |bytes: &[u8]| ByteVec::from(bytes.to_vec());
        let reached = Reached { applied, heads: heads.iter().map(|(key, value)| (own(key), own(value))).collect() };
        let reached = minicbor::to_vec(&reached).map_err(|_| damage("heads cannot be written"))?;
        guarded(|| self.db.insert(REACHED, reached)).map(|_| ())
    }

    /// Sets heads, and then the revision. For an index that does not count before it has that.
    pub(super) fn advance<'a>(
        &self,
        heads: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        applied: Revision,
    ) -> Result<(), StoreError> {
        for (key, value) in heads {
            guarded(|| self.db.insert(key, value))?;
            self.recent.changed(key);
        }
        let mut applied = [applied.to_be_bytes(), self.bytes().to_be_bytes()].concat();
        applied.extend(self.base.get().map(|_| HAS_BASE));
        guarded(|| self.db.insert(APPLIED, applied))?;
        Ok(())
    }

    /// Writes a little: fails if any write before has failed, be that one of sled's own threads. Unlike [`Index::flush`] it waits for
    /// nobody, who may be waiting for the same for ever.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        guarded(|| self.db.insert(PROBE, &[])).map(|_| ())
    }

    /// Hands everything to the operating system: the next opening has less to do.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        guarded(|| self.db.flush()).map(|_| ())
    }
}

fn size(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len()
}

/// Revision, bytes, and whether there is a base. The first releases wrote the revision alone, and those after them no base: for
/// both what has one is no number, so that they build the index again instead of reading half of it.
fn decode_applied(bytes: &[u8]) -> Option<(Revision, u64, bool)> {
    let (applied, rest) = bytes.split_first_chunk::<8>()?;
    let (bytes, rest) = rest.split_first_chunk::<8>().unwrap_or((&[0; 8], rest));
    let has_base = match rest {
        [] => false,
        [HAS_BASE] => true,
        _ => return None,
    };
    Some((u64::from_be_bytes(*applied), u64::from_be_bytes(*bytes), has_base))
}

fn guarded<T>(act: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    contained(|| act().map_err(failed))
}

/// sled panics on some kinds of damage. Here that is damage like any other.
fn contained<T>(act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| Err(damage("sled panicked")))
}

pub(super) fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => StoreError::io("read or write the state index")(source),
        error => damage(&error.to_string()),
    }
}

/// What every failure of the index is that is not the operating system's.
pub(super) fn damage(what: &str) -> StoreError {
    StoreError::corrupt(PLACE, what)
}

#[cfg(test)]
mod tests;
