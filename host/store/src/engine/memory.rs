//! The strict twin: everything in memory, every rule of the contract checked on each commit.
//!
//! For tests. It keeps every version of every key, so it is no engine for service. Unlike an embedded engine it holds an
//! entry durable at once: whoever forgets to wait for a ticket is caught by the tests with a slow disk, not here.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use parking_lot::RwLock;

use super::{
    Appended, At, Engine, KeyRange, Keyring, LogItem, MemoryKeyring, Pairs, Place, Snapshot, Status, Value,
    range_is_empty,
};
use crate::entry::{Change, Entry, Sealed};
use crate::error::StoreError;
use crate::index::Tip;
use crate::key::{full_key, split_key};
use crate::ticket::Group;
use crate::types::{Hash, Head, Revision, TenantNo};

/// An engine without a disk.
#[derive(Default)]
pub struct Memory(Arc<RwLock<Contents>>, Arc<MemoryKeyring>);

/// From which revision on, and what; `None` is deleted.
type Version = (Revision, Option<Arc<[u8]>>);

#[derive(Default)]
struct Contents {
    versions: BTreeMap<Arc<[u8]>, Vec<Version>>,
    tips: HashMap<TenantNo, Tip>,
    log: Vec<Vec<u8>>,
    closed: bool,
}

impl Contents {
    fn revision(&self) -> Revision {
        self.log.len() as u64
    }

    fn visible(&self, key: &[u8], at: Revision) -> Option<Arc<[u8]>> {
        let versions = self.versions.get(key)?;
        versions.iter().rev().find(|(revision, _)| *revision <= at)?.1.clone()
    }
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Engine for Memory {
    fn snapshot(&self, _at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        let revision = self.0.read().revision();
        Ok(Box::new(View { contents: Arc::clone(&self.0), revision }))
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        Ok(self.0.read().tips.get(&tenant).copied().unwrap_or_default().head)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let mut contents = self.0.write();
        if contents.closed {
            return Err(StoreError::Unavailable("it was closed".into()));
        }
        let tip = contents.tips.get(&sealed.tenant).copied().unwrap_or_default();
        if tip.head != sealed.follows {
            return Err(StoreError::Conflict);
        }
        let revision = contents.revision() + 1;
        check(&sealed, revision)?;
        let (tip, own) = tip.advance(sealed.tenant, sealed.head, revision);
        contents.tips.insert(sealed.tenant, tip);
        contents.log.push(sealed.payload);
        for change in sealed.changes.into_iter().chain(own) {
            contents.versions.entry(change.key).or_default().push((revision, change.value));
        }
        drop(contents);
        let group = Group::open();
        group.finish(Ok(()));
        Ok(Appended { revision, ticket: group.ticket() })
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let last = self.0.read().revision();
        for revision in from.max(1)..=last {
            // Cloned, so that the visitor may commit.
            let at = usize::try_from(revision - 1).unwrap_or(usize::MAX);
            let Some(payload) = self.0.read().log.get(at).cloned() else { break };
            let place = Place { segment: "memory".into(), offset: revision };
            if visit(LogItem::Entry { place: &place, revision, payload: &payload }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        Arc::<MemoryKeyring>::clone(&self.1)
    }

    fn status(&self) -> Status {
        let contents = self.0.read();
        let revision = contents.revision();
        let failed = contents.closed.then(|| "it was closed".to_owned());
        Status { durable: revision, sequenced: revision, applied: revision, failed, ..Status::default() }
    }

    fn close(&self) -> Result<(), StoreError> {
        self.0.write().closed = true;
        Ok(())
    }
}

/// What [`Sealed::new`] promises, checked from the bytes.
fn check(sealed: &Sealed, revision: Revision) -> Result<(), StoreError> {
    let wrong = |what: &str| StoreError::corrupt(format!("the entry for revision {revision}"), what);
    let entry = Entry::decode(revision, &sealed.payload).map_err(|why| wrong(&why.to_string()))?;
    if (entry.tenant, entry.number, entry.prev) != (sealed.tenant, sealed.follows.number + 1, sealed.follows.hash) {
        return Err(wrong("it does not follow what it says it follows"));
    }
    if sealed.head != (Head { number: entry.number, hash: Hash::of(&sealed.payload) }) {
        return Err(wrong("its head is not its own hash"));
    }
    let same = |(change, (key, value)): (&Change, &(Vec<u8>, Option<Vec<u8>>))| {
        *change.key == **key && change.value.as_deref() == value.as_deref()
    };
    if sealed.changes.len() != entry.changes.len() || !sealed.changes.iter().zip(&entry.changes).all(same) {
        return Err(wrong("its changes are not those of its payload"));
    }
    if !entry.changes.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(wrong("its changes are not sorted, or name a key twice"));
    }
    let own = |key: &[u8]| split_key(key).is_some_and(|(tenant, space, _)| tenant == sealed.tenant && space != 0);
    if !entry.changes.iter().all(|(key, _)| own(key)) {
        return Err(wrong("it changes a record of another tenant, or of the store itself"));
    }
    Ok(())
}

struct View {
    contents: Arc<RwLock<Contents>>,
    revision: Revision,
}

impl Snapshot for View {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.contents.read().visible(key, self.revision).map(Value::from))
    }

    fn scan(&self, range: KeyRange, reverse: bool, _wanted: usize) -> Pairs<'_> {
        if range_is_empty(&range) {
            return Box::new(std::iter::empty());
        }
        let bounds = (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let contents = self.contents.read();
        let keys = contents.versions.range::<[u8], _>(bounds).map(|(key, _)| Arc::clone(key));
        let mut pairs: Vec<_> = keys
            .filter_map(|key| contents.visible(&key, self.revision).map(|value| Ok((key.into(), value.into()))))
            .collect();
        drop(contents);
        if reverse {
            pairs.reverse();
        }
        Box::new(pairs.into_iter())
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let contents = self.contents.read();
        let start = full_key(from, 0, &());
        let mut keys = contents.versions.range::<[u8], _>((Bound::Included(start.as_slice()), Bound::Unbounded));
        let found = keys.find(|(key, _)| contents.visible(key, self.revision).is_some());
        Ok(found.and_then(|(key, _)| split_key(key)).map(|(tenant, ..)| tenant))
    }
}
