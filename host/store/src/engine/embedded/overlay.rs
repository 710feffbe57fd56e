//! The overlay: versions of keys that the state index does not have yet, or that a snapshot still needs.
//!
//! Split into shards by tenant, so that tenants do not wait for each other; a key range never spans two tenants. A writer
//! takes its shard before it asks for a revision and lets go when its versions are in: whoever may see that revision and
//! reads the shard waits that moment, and never finds half an entry.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{RwLock, RwLockWriteGuard};

use crate::engine::{KeyRange, Value, range_is_empty};
use crate::entry::Change;
use crate::key::split_key;
use crate::types::{Revision, TenantNo};

const SHARDS: usize = 64;
/// What a version costs beside key and value: tree node, reference counts, the place in the queue.
const OVERHEAD: usize = 160;

type Shard = BTreeMap<Arc<[u8]>, Vec<Version>>;

struct Version {
    revision: Revision,
    value: Option<Arc<[u8]>>,
}

/// All shards.
pub(super) struct Overlay {
    shards: [RwLock<Shard>; SHARDS],
    bytes: AtomicUsize,
}

/// A shard locked for publishing one entry.
pub(super) struct Publishing<'a> {
    shard: RwLockWriteGuard<'a, Shard>,
    bytes: &'a AtomicUsize,
}

/// Changes of a range, in order, as far as `cut` if that is set: there may be more behind it.
pub(super) struct Chunk {
    pub(super) changes: Vec<(Value, Option<Value>)>,
    pub(super) cut: Option<Vec<u8>>,
}

impl Overlay {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), bytes: AtomicUsize::new(0) }
    }

    /// Bytes in use, overhead included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Locks the tenant's shard. To be taken before the entry gets its revision.
    pub(super) fn publishing(&self, tenant: TenantNo) -> Publishing<'_> {
        Publishing { shard: self.shard(tenant).write(), bytes: &self.bytes }
    }

    /// The newest version not above `at`: `None` if there is none, `Some(None)` if it deleted the key.
    #[expect(clippy::option_option, reason = "not here, here and deleted, here and set: all three mean something else")]
    pub(super) fn get(&self, key: &[u8], at: Revision) -> Option<Option<Arc<[u8]>>> {
        let shard = self.shard_of(key).read();
        visible(shard.get(key)?, at).map(|version| version.value.clone())
    }

    /// The newest versions not above `at` of the keys in the range. Looks at no more than `limit` keys.
    pub(super) fn range(&self, range: &KeyRange, reverse: bool, at: Revision, limit: usize) -> Chunk {
        let mut chunk = Chunk { changes: Vec::new(), cut: None };
        let (Bound::Included(key) | Bound::Excluded(key)) = &range.0 else { return chunk };
        if range_is_empty(range) {
            return chunk;
        }
        let shard = self.shard_of(key).read();
        let bounds = (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let mut versions = shard.range::<[u8], _>(bounds);
        for _ in 0..limit {
            let next = if reverse { versions.next_back() } else { versions.next() };
            let Some((key, versions)) = next else { return chunk };
            if let Some(version) = visible(versions, at) {
                chunk.changes.push((Arc::clone(key).into(), version.value.clone().map(Value::from)));
            }
            chunk.cut = Some(key.to_vec());
        }
        chunk
    }

    /// The first tenant from `from` on that has a version which sets a key.
    pub(super) fn next_tenant(&self, from: TenantNo, at: Revision) -> Option<TenantNo> {
        let start = from.0.to_be_bytes();
        let first = |shard: &RwLock<Shard>| {
            let shard = shard.read();
            let mut keys = shard.range::<[u8], _>((Bound::Included(start.as_slice()), Bound::Unbounded));
            let found = keys.find(|(_, versions)| visible(versions, at).is_some_and(|version| version.value.is_some()));
            found.and_then(|(key, _)| split_key(key)).map(|(tenant, ..)| tenant)
        };
        self.shards.iter().filter_map(first).min()
    }

    /// Drops the versions of these changes that the state index has now: those not above `applied`.
    pub(super) fn forget(&self, changes: &[Change], applied: Revision) {
        let Some(first) = changes.first() else { return };
        let mut freed = 0;
        let mut shard = self.shard_of(&first.key).write();
        for change in changes {
            let Some(versions) = shard.get_mut(&change.key) else { continue };
            versions.retain(|version| {
                let keep = version.revision > applied;
                if !keep {
                    freed += cost(&change.key, version.value.as_deref());
                }
                keep
            });
            if versions.is_empty() {
                shard.remove(&change.key);
            }
        }
        drop(shard);
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
    }

    /// By the first four bytes, also of a bound that is nothing but a tenant.
    fn shard_of(&self, key: &[u8]) -> &RwLock<Shard> {
        self.shard(key.first_chunk::<4>().map_or(TenantNo::PROVIDER, |tenant| TenantNo(u32::from_be_bytes(*tenant))))
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder is below what it was divided by")]
    fn shard(&self, tenant: TenantNo) -> &RwLock<Shard> {
        &self.shards[tenant.0 as usize % SHARDS]
    }
}

impl Publishing<'_> {
    /// Adds the versions of one entry.
    pub(super) fn publish(mut self, revision: Revision, changes: &[Change]) {
        let mut added = 0;
        for Change { key, value } in changes {
            added += cost(key, value.as_deref());
            let version = Version { revision, value: value.clone() };
            let versions = self.shard.entry(Arc::clone(key)).or_insert_with(|| Vec::with_capacity(1));
            // At the end, but for entries that come back because the index has lost them.
            let place = versions.partition_point(|version| version.revision < revision);
            versions.insert(place, version);
        }
        self.bytes.fetch_add(added, Ordering::Relaxed);
    }
}

/// What a version takes.
pub(super) fn cost(key: &[u8], value: Option<&[u8]>) -> usize {
    OVERHEAD + key.len() + value.map_or(0, <[u8]>::len)
}

/// Versions are in ascending order.
fn visible(versions: &[Version], at: Revision) -> Option<&Version> {
    versions.iter().rev().find(|version| version.revision <= at)
}
