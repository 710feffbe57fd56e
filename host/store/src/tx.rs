//! The unit of work: reads a snapshot and its own staged changes, commits once.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use backroom_domain::Id;
use backroom_domain::ledger::AccountTotal;

use crate::cache::Cache;
use crate::engine::{KeyRange, Snapshot, Value, range_is_empty};
use crate::entry::{Change, MAX_CHANGES, Meta, Sealed};
use crate::error::StoreError;
use crate::index::SYSTEM_SPACE;
use crate::key::{MAX_KEY, RecordKey, full_key, prefix_end, within_space};
use crate::leases::Lease;
use crate::merge::Merge;
use crate::record::{MAX_VALUE, Record};
use crate::seal::Seals;
use crate::store::Store;
use crate::ticket::{Committed, Ticket};
use crate::turns::Turn;
use crate::types::{Head, Revision, TenantNo};

/// A unit of work of one tenant. Dropping it rolls it back. It may move between threads, and it keeps the store open.
pub struct Tx {
    staged: BTreeMap<Arc<[u8]>, Option<Arc<[u8]>>>,
    tenant: TenantNo,
    snapshot: Box<dyn Snapshot>,
    turn: Option<Held>,
    seals: Seals,
    store: Store,
    fence: Option<u64>,
    /// For each mark: what was staged before, of all that was changed since, the oldest first.
    marks: Vec<Vec<Undo>>,
}

/// A key, and what was staged for it: nothing, that it is deleted, or a value.
type Undo = (Arc<[u8]>, Option<Option<Arc<[u8]>>>);

/// The tenant's turn, and the head of its chain when it came; none if the engine vouches for the head that it has at the end
/// ([`Engine::begin`](crate::Engine::begin)). The turn keeps this host's other writers away; that no other host has
/// committed since then is what the engine finds out by comparing the head.
pub(crate) struct Held {
    pub(crate) turn: Turn,
    pub(crate) follows: Option<Head>,
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("tenant", &self.tenant)
            .field("revision", &self.revision())
            .field("write", &self.is_write())
            .field("changes", &self.changes())
            .finish()
    }
}

/// Records with their cursors: the key bytes within the space, to be given as `after` for the next page.
pub type Page<R> = Vec<(Vec<u8>, R)>;

/// See [`Tx::wanted`].
#[derive(Debug)]
pub struct Wanted<'a> {
    tx: &'a Tx,
    keys: Vec<Vec<u8>>,
}

impl Wanted<'_> {
    /// Adds the record with this key, if there is one.
    pub fn add<R: Record>(&mut self, key: &R::Key) {
        let key = self.tx.key::<R>(key);
        if !self.tx.staged.contains_key(key.as_slice()) {
            self.keys.push(key);
        }
    }

    /// Reads them: [`Tx::get`] has them at hand from now on.
    ///
    /// # Errors
    /// What reading the state reports.
    pub fn read(self) -> Result<(), StoreError> {
        self.tx.snapshot.prefetch(&self.keys)
    }
}

impl Tx {
    pub(crate) fn new(store: Store, tenant: TenantNo, snapshot: Box<dyn Snapshot>, turn: Option<Held>) -> Self {
        let seals = Seals::new(store.engine().keyring(), tenant, turn.is_some());
        Self { staged: BTreeMap::new(), tenant, snapshot, turn, seals, store, fence: None, marks: Vec::new() }
    }

    /// Whose unit of work it is.
    #[must_use]
    pub fn tenant(&self) -> TenantNo {
        self.tenant
    }

    /// The revision that is read.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// Seals and opens personal data.
    #[must_use]
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    /// Whether it holds the tenant's turn and can be committed.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.turn.is_some()
    }

    /// The number in the tenant's chain that a commit of this unit of work will have, if it has one.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] for a unit of work for reading; what reading the state reports.
    pub fn commit_number(&self) -> Result<u64, StoreError> {
        let held = self.turn.as_ref().ok_or(StoreError::ReadOnly)?;
        let follows = held.follows.map_or_else(|| self.store.engine().head(self.tenant), Ok)?;
        Ok(follows.number + 1)
    }

    /// Lets the commit count only while the lease of the tenant's queue with this fence is the newest; else it is a conflict.
    pub fn set_fence(&mut self, fence: u64) {
        self.fence = Some(fence);
    }

    /// How many records are staged.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.staged.len()
    }

    /// The record with this key: as staged here, or else as in the snapshot.
    ///
    /// # Errors
    /// [`StoreError::Codec`] if it cannot be decoded; what reading the state reports.
    pub fn get<R: Record>(&self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let key = self.key::<R>(key);
        if let Some(staged) = self.staged.get(key.as_slice()) {
            return staged.as_deref().map(|value| self.decode(value)).transpose();
        }
        self.snapshot.get(&key)?.map(|value| self.decode(&value)).transpose()
    }

    /// Tells when what is seen here is durable, as [`Store::sequenced`] does.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if some of it was lost already.
    pub fn sequenced(&self) -> Result<Option<Ticket>, StoreError> {
        self.snapshot.sequenced()
    }

    /// Records to be read at once, where each reading alone would be a trip to a database.
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted<'_>> {
        self.snapshot.is_far().then_some(Wanted { tx: self, keys: Vec::new() })
    }

    /// As [`Tx::get`], but decoded only if `cache` does not have it with exactly the bytes that are read.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub fn get_kept<R: Record, T>(&self, key: &R::Key, cache: &Cache<R, T>) -> Result<Option<Arc<T>>, StoreError> {
        let key = self.key::<R>(key);
        let keep = |bytes: &[u8]| match cache.find(&key, bytes) {
            Some(made) => Ok(made),
            None => Ok(cache.keep(key.clone(), bytes, self.decode(bytes)?)),
        };
        if let Some(staged) = self.staged.get(key.as_slice()) {
            return staged.as_deref().map(keep).transpose();
        }
        self.snapshot.get(&key)?.as_deref().map(keep).transpose()
    }

    /// The total of an account, for who only looks at it: what most runs ask for, again and again, of the same few accounts.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub fn account_total(&self, account: &Id) -> Result<Option<Arc<AccountTotal>>, StoreError> {
        self.get_kept(account, self.store.totals())
    }

    /// Stages a record in place of any with the same key.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] over [`MAX_KEY`], [`MAX_VALUE`] or [`MAX_CHANGES`]; nothing is staged then.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), StoreError> {
        let key = self.key::<R>(&record.key());
        within("the key", key.len(), MAX_KEY)?;
        let value = Record::encode(record);
        within("the record", value.len(), MAX_VALUE)?;
        if value.is_empty() {
            let source = crate::CodecError::Empty;
            return Err(StoreError::Codec { tenant: self.tenant, space: R::SPACE, source });
        }
        within("the number of changes", self.staged.len() + 1, MAX_CHANGES)?;
        self.stage(key.into(), Some(value.into()));
        Ok(())
    }

    /// Stages that no record has this key.
    pub fn delete<R: Record>(&mut self, key: &R::Key) {
        let key = self.key::<R>(key);
        // No record can have a longer key.
        if key.len() <= MAX_KEY {
            self.stage(key.into(), None);
        }
    }

    fn stage(&mut self, key: Arc<[u8]>, value: Option<Arc<[u8]>>) {
        match self.marks.last_mut() {
            Some(mark) => {
                let before = self.staged.insert(Arc::clone(&key), value);
                mark.push((key, before));
            }
            None => drop(self.staged.insert(key, value)),
        }
    }

    /// Begins a part of the work that may be taken back by itself. Parts may be within parts.
    pub fn mark(&mut self) {
        self.marks.push(Vec::new());
    }

    /// Ends the part that was begun last, and keeps it. What is taken back of a part around it is taken back with it.
    pub fn keep_mark(&mut self) {
        if let (Some(changes), Some(around)) = (self.marks.pop(), self.marks.last_mut()) {
            around.extend(changes);
        }
    }

    /// Ends the part that was begun last, and takes everything back that was staged in it.
    pub fn undo_mark(&mut self) {
        for (key, before) in self.marks.pop().unwrap_or_default().into_iter().rev() {
            match before {
                Some(value) => drop(self.staged.insert(key, value)),
                None => drop(self.staged.remove(&key)),
            }
        }
    }

    /// Up to `limit` records whose key begins with `prefix`, in key order, from the first one behind the cursor `after`.
    /// `()` is the prefix of the whole space; the first parts of a tuple are a prefix of it.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub fn scan<R: Record>(
        &self,
        prefix: &impl RecordKey,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<R>, StoreError> {
        let (mut from, to) = self.prefix_range::<R>(prefix);
        if let Some(after) = after {
            let mut cursor = full_key(self.tenant, R::SPACE, &());
            cursor.extend_from_slice(after);
            if let Bound::Included(start) = &from
                && cursor >= *start
            {
                from = Bound::Excluded(cursor);
            }
        }
        self.page((from, to), false, limit)
    }

    /// Up to `limit` records with keys in the range, in key order.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub fn scan_range<R: Record>(
        &self,
        from: Bound<R::Key>,
        to: Bound<R::Key>,
        limit: usize,
    ) -> Result<Page<R>, StoreError> {
        let (start, end) = self.prefix_range::<R>(&());
        let bound = |bound: Bound<R::Key>, otherwise| match bound {
            Bound::Included(key) => Bound::Included(self.key::<R>(&key)),
            Bound::Excluded(key) => Bound::Excluded(self.key::<R>(&key)),
            Bound::Unbounded => otherwise,
        };
        self.page((bound(from, start), bound(to, end)), false, limit)
    }

    /// The record with the greatest key that begins with `prefix`.
    ///
    /// # Errors
    /// As [`Tx::get`].
    pub fn last<R: Record>(&self, prefix: &impl RecordKey) -> Result<Option<R>, StoreError> {
        Ok(self.page(self.prefix_range::<R>(prefix), true, 1)?.pop().map(|(_, record)| record))
    }

    /// Gives what is staged its place in the log, and the turn to the next writer. Does not wait for the disk: the reply
    /// to whoever asked must wait for the ticket. A commit without changes is an entry as well.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] for a unit of work for reading; [`StoreError::TooLarge`], [`StoreError::Busy`],
    /// [`StoreError::Conflict`] and [`StoreError::Unavailable`] as they say; [`StoreError::Io`] if the key of a new person cannot
    /// be written. Nothing was kept after any of them.
    pub fn commit(self, meta: Meta) -> Result<Committed, StoreError> {
        let Some(Held { turn, follows }) = self.turn else { return Err(StoreError::ReadOnly) };
        // Not needed any more: while this waits for room in the queues, its snapshot must not be what keeps them full.
        drop(self.snapshot);
        let follows = follows.map_or_else(|| self.store.engine().head(self.tenant), Ok)?;
        let changes = self.staged.into_iter().map(|(key, value)| Change { key, value }).collect();
        if let Some(fence) = self.fence {
            self.store.check_fence(Lease { tenant: self.tenant, fence })?;
        }
        let sealed = Sealed { fence: self.fence, ..Sealed::new(self.tenant, follows, &meta, changes)? };
        let head = sealed.head;
        // A key that the disk does not have would take everything with it that was sealed with it.
        self.seals.keep()?;
        let appended = self.store.engine().append(sealed)?;
        drop(turn);
        Ok(Committed { revision: appended.revision, number: head.number, hash: head.hash, ticket: appended.ticket })
    }

    fn key<R: Record>(&self, key: &R::Key) -> Vec<u8> {
        record_key::<R>(self.tenant, key)
    }

    fn decode<R: Record>(&self, value: &[u8]) -> Result<R, StoreError> {
        decode(self.tenant, value)
    }

    fn prefix_range<R: Record>(&self, prefix: &impl RecordKey) -> KeyRange {
        const { assert!(R::SPACE != SYSTEM_SPACE, "record space 0 is the store's own") };
        let start = full_key(self.tenant, R::SPACE, prefix);
        let end = prefix_end(&start).map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(start), end)
    }

    fn page<R: Record>(&self, range: KeyRange, reverse: bool, limit: usize) -> Result<Page<R>, StoreError> {
        if range_is_empty(&range) {
            return Ok(Vec::new());
        }
        let bounds = (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let staged = self.staged.range::<[u8], _>(bounds);
        let (forward, backward) = if reverse { (None, Some(staged.rev())) } else { (Some(staged), None) };
        let staged = forward.into_iter().flatten().chain(backward.into_iter().flatten());
        let upper = staged.map(|(key, value)| (Value::from(Arc::clone(key)), value.clone().map(Value::from)));
        Merge::new(upper, self.snapshot.scan(range.clone(), reverse, limit), reverse)
            .take(limit)
            .map(|pair| {
                let (key, value) = pair?;
                Ok((within_space(&key).to_vec(), self.decode(&value)?))
            })
            .collect()
    }
}

fn within(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge { what, size, limit }) } else { Ok(()) }
}

/// The full key of a record.
pub(crate) fn record_key<R: Record>(tenant: TenantNo, key: &R::Key) -> Vec<u8> {
    const { assert!(R::SPACE != SYSTEM_SPACE, "record space 0 is the store's own") };
    full_key(tenant, R::SPACE, key)
}

/// A record of a tenant as it stands in the state.
pub(crate) fn decode<R: Record>(tenant: TenantNo, value: &[u8]) -> Result<R, StoreError> {
    Record::decode(value).map_err(|source| StoreError::Codec { tenant, space: R::SPACE, source })
}
