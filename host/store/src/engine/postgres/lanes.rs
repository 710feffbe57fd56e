//! Lanes: what this host knows of each tenant, beginning with the end of its chain as sequenced.
//!
//! A record read from the database is right for the head that stood in the database at that moment. So every read brings
//! the head along, and whatever is kept here is right for the lane's own head or thrown away. Who holds the tenant's turn
//! is alone in its lane, but for the committer, which tells what became durable.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::engine::{KeyRange, Value, range_is_empty};
use crate::entry::Change;
use crate::error::StoreError;
use crate::ticket::Ticket;
use crate::types::{Head, TenantNo};

/// What a kept record costs beside key and value.
const OVERHEAD: usize = 120;

/// All lanes. Like turns, they are never taken away; what they keep is.
pub(super) struct Lanes {
    lanes: Mutex<HashMap<TenantNo, Arc<Mutex<Lane>>>>,
    bytes: AtomicUsize,
    limit: usize,
    clock: AtomicU64,
}

/// One tenant.
#[derive(Default)]
pub(super) struct Lane {
    /// The end of the chain as sequenced here.
    head: Head,
    /// Whether this unit of work has found the database's head on this lane, or follows an entry that is on its way.
    checked: bool,
    /// The heads that the database may show during this unit of work: the durable one, and those on their way.
    chain: VecDeque<Head>,
    /// The number of the last entry known to be durable.
    durable: u64,
    /// As it was when the unit of work began. What changed after it may not be in the database when that is read.
    floor: u64,
    /// Of the last entry that got its place here.
    last: Option<Ticket>,
    kept: BTreeMap<Arc<[u8]>, Kept>,
    bytes: usize,
    /// Counts how often the lane had to be begun anew, because another host came first or a commit failed.
    generation: u64,
    /// The generation that the unit of work began with.
    session: u64,
    used: u64,
}

struct Kept {
    value: Option<Arc<[u8]>>,
    /// The number of the entry that set it; 0 if it was only read.
    changed: u64,
}

/// What a lane says about a key.
pub(super) enum Known {
    /// This.
    Value(Option<Arc<[u8]>>),
    /// The database has to be asked.
    Ask,
}

impl Lanes {
    pub(super) fn new(limit: usize) -> Self {
        Self { lanes: Mutex::default(), bytes: AtomicUsize::new(0), limit, clock: AtomicU64::new(0) }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The lane of a tenant.
    pub(super) fn of(&self, tenant: TenantNo) -> Arc<Mutex<Lane>> {
        Arc::clone(self.lanes.lock().entry(tenant).or_default())
    }

    /// Begins a unit of work; gives its generation. The caller holds the tenant's turn.
    pub(super) fn begin(&self, tenant: TenantNo) -> u64 {
        if self.bytes() > self.limit {
            self.make_room();
        }
        let lane = self.of(tenant);
        let mut lane = lane.lock();
        lane.used = self.clock.fetch_add(1, Ordering::Relaxed);
        lane.begin()
    }

    /// Works on a lane and keeps count of the bytes.
    pub(super) fn with<T>(&self, lane: &Mutex<Lane>, work: impl FnOnce(&mut Lane) -> T) -> T {
        let mut lane = lane.lock();
        let before = lane.bytes;
        let result = work(&mut lane);
        self.bytes.fetch_add(lane.bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        result
    }

    /// Throws away what was kept for tenants that were not used for longest, until half of the bound is free. Between units
    /// of work only: those in progress rely on what they read.
    fn make_room(&self) {
        let mut lanes: Vec<_> = self.lanes.lock().values().cloned().collect();
        lanes.sort_by_cached_key(|lane| lane.try_lock().map_or(u64::MAX, |lane| lane.used));
        for lane in lanes {
            if self.bytes() <= self.limit / 2 {
                return;
            }
            self.with(&lane, Lane::forget);
        }
    }
}

impl Lane {
    fn begin(&mut self) -> u64 {
        self.session = self.generation;
        while self.chain.front().is_some_and(|head| head.number < self.durable) {
            self.chain.pop_front();
        }
        self.floor = self.durable;
        self.checked = self.head.number > self.durable;
        self.session
    }

    /// Whether the unit of work still stands on what it has read.
    fn stands(&self, session: u64) -> Result<(), StoreError> {
        if self.generation == session { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// What is known about a key within a unit of work.
    pub(super) fn get(&self, key: &[u8], session: u64) -> Result<Known, StoreError> {
        self.stands(session)?;
        let kept = self.kept.get(key).filter(|_| self.checked);
        Ok(kept.map_or(Known::Ask, |kept| Known::Value(kept.value.clone())))
    }

    /// Whether nothing at all is known of the key's record.
    pub(super) fn lacks(&self, key: &[u8]) -> bool {
        !self.kept.contains_key(key)
    }

    /// Whether the key's record is known if only the head is still the same.
    pub(super) fn keeps(&self, key: &[u8]) -> bool {
        !self.checked && self.kept.contains_key(key)
    }

    /// Takes note of the head that the database had when it was read. The first one of a unit of work may be a new one;
    /// after that another one means that another host came first.
    pub(super) fn seen(&mut self, head: Head, session: u64) -> Result<(), StoreError> {
        self.stands(session)?;
        if self.chain.contains(&head) {
            self.checked = true;
            return Ok(());
        }
        if self.checked {
            self.reset();
            return Err(StoreError::Conflict);
        }
        self.clear();
        self.head = head;
        self.chain = VecDeque::from([head]);
        self.durable = head.number;
        self.floor = head.number;
        self.checked = true;
        Ok(())
    }

    /// Keeps a record that was read, for as long as the head stands.
    pub(super) fn keep(&mut self, key: &[u8], value: Option<Arc<[u8]>>) {
        if !self.kept.contains_key(key) {
            self.bytes += cost(key, value.as_deref());
            self.kept.insert(key.into(), Kept { value, changed: 0 });
        }
    }

    /// The head of the unit of work in progress, or `None` if the database has to be asked first.
    pub(super) fn head(&self) -> Result<Option<Head>, StoreError> {
        self.stands(self.session)?;
        Ok(self.checked.then_some(self.head))
    }

    /// Tells when what was seen since this generation is durable, if nothing of it was lost yet.
    pub(super) fn sequenced(&self, generation: u64) -> Result<Ticket, StoreError> {
        self.stands(generation)?;
        let last = self.last.clone().filter(|_| self.head.number > self.durable);
        Ok(last.unwrap_or_else(Ticket::durable))
    }

    /// Counts how often the lane had to be begun anew.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The unit of work in progress.
    pub(super) fn session(&self) -> u64 {
        self.session
    }

    /// Refuses an entry that does not follow the head.
    pub(super) fn check(&self, follows: Head) -> Result<(), StoreError> {
        self.stands(self.session)?;
        if self.checked && self.head == follows { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Adds an entry that got its place.
    pub(super) fn publish(&mut self, head: Head, changes: &[Change], ticket: Ticket) {
        self.head = head;
        self.last = Some(ticket);
        self.chain.push_back(head);
        for Change { key, value } in changes {
            self.bytes += cost(key, value.as_deref());
            let kept = Kept { value: value.clone(), changed: head.number };
            if let Some(before) = self.kept.insert(Arc::clone(key), kept) {
                self.bytes -= cost(key, before.value.as_deref());
            }
        }
    }

    /// Changes that the database may not show yet, in key order.
    pub(super) fn changes(
        &self,
        range: &KeyRange,
        reverse: bool,
        session: u64,
    ) -> Result<Vec<(Value, Option<Value>)>, StoreError> {
        self.stands(session)?;
        if range_is_empty(range) {
            return Ok(Vec::new());
        }
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) =
            (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let changed = self.kept.range::<[u8], _>(bounds).filter(|(_, kept)| kept.changed > self.floor);
        let mut changes: Vec<_> =
            changed.map(|(key, kept)| (Arc::clone(key).into(), kept.value.clone().map(Value::from))).collect();
        if reverse {
            changes.reverse();
        }
        Ok(changes)
    }

    /// Everything up to this entry is durable.
    pub(super) fn now_durable(&mut self, number: u64) {
        self.durable = self.durable.max(number);
    }

    /// Another host has told of an entry of its own. A unit of work that stands on what was before cannot be committed.
    pub(super) fn foreign(&mut self, number: u64) {
        if self.checked && self.head.number < number && self.head.number == self.durable {
            self.reset();
        }
    }

    /// Begins anew: units of work in progress end with a conflict, the next one asks the database.
    pub(super) fn reset(&mut self) {
        self.generation += 1;
        self.clear();
        self.head = Head::default();
        self.chain.clear();
        self.durable = 0;
        self.floor = 0;
        self.checked = false;
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }

    /// Drops what the database has as well.
    fn forget(&mut self) {
        let floor = self.floor;
        let mut bytes = 0;
        self.kept.retain(|key, kept| {
            let keep = kept.changed > floor;
            if keep {
                bytes += cost(key, kept.value.as_deref());
            }
            keep
        });
        self.bytes = bytes;
    }
}

fn cost(key: &[u8], value: Option<&[u8]>) -> usize {
    OVERHEAD + key.len() + value.map_or(0, <[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Hash;

    fn head(number: u64, hash: u8) -> Head {
        Head { number, hash: Hash([hash; 32]) }
    }

    fn change(key: u8, value: u8) -> Change {
        Change { key: Arc::from([0, 0, 0, 1, 1, key].as_slice()), value: Some(Arc::from([value].as_slice())) }
    }

    fn kept(lane: &Lane, key: u8, session: u64) -> Option<u8> {
        match lane.get(&[0, 0, 0, 1, 1, key], session).unwrap() {
            Known::Value(value) => value.map(|value| value[0]),
            Known::Ask => None,
        }
    }

    #[test]
    fn what_is_kept_is_right_for_the_head_or_gone() {
        let mut lane = Lane::default();
        let session = lane.begin();
        assert_eq!(lane.head().unwrap(), None, "the database must be asked");
        lane.seen(head(3, 1), session).unwrap();
        lane.keep(&change(1, 0).key, Some(Arc::from([7].as_slice())));
        assert_eq!(kept(&lane, 1, session), Some(7));
        lane.publish(head(4, 2), &[change(2, 8)], crate::ticket::Group::open().ticket());
        let session = lane.begin();
        assert_eq!(lane.head().unwrap(), Some(head(4, 2)), "it is on its way: nobody has to be asked");
        lane.seen(head(3, 1), session).unwrap();
        lane.now_durable(4);
        lane.seen(head(4, 2), session).unwrap();
        lane.seen(head(3, 1), session).unwrap();
        assert_eq!(lane.changes(&(Bound::Included(vec![0]), Bound::Unbounded), false, session).unwrap().len(), 1);
        let session = lane.begin();
        assert_eq!(kept(&lane, 2, session), None, "not before the head was compared");
        lane.seen(head(4, 2), session).unwrap();
        assert_eq!((kept(&lane, 1, session), kept(&lane, 2, session)), (Some(7), Some(8)));
        assert!(lane.changes(&(Bound::Included(vec![0]), Bound::Unbounded), false, session).unwrap().is_empty());
        assert!(matches!(lane.seen(head(5, 9), session), Err(StoreError::Conflict)), "another host came first");
        assert!(matches!(lane.head(), Err(StoreError::Conflict)), "and it stays so");
        let session = lane.begin();
        lane.seen(head(5, 9), session).unwrap();
        assert_eq!((kept(&lane, 1, session), lane.bytes), (None, 0));
    }
}
