//! Bringing the state index up to the log when a store is opened, and checking that both are of the same store.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::core::Core;
use super::disk::Disk;
use super::overlay::cost;
use super::segment;
use super::sequence::Queued;
use super::state::Index;
use crate::engine::LogItem;
use crate::entry::{Change, Entry};
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::types::{Head, Revision, TenantNo};

/// Bytes of entries that are applied at once.
const BATCH: usize = 8 << 20;

/// The log as it was found.
pub(super) struct Log<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) segments: &'a [Revision],
    pub(super) last: Revision,
    /// That one, where it is to be compared with the index.
    pub(super) last_entry: Option<&'a Entry>,
    /// What is played at least.
    pub(super) until: Revision,
}

/// An index, what it does not have yet, and how far it is.
pub(super) struct Played {
    pub(super) index: Index,
    pub(super) rest: VecDeque<Queued>,
    pub(super) applied: Revision,
}

/// Plays the entries after `applied` into the index. The last of them, up to `keep` bytes, come back instead: reading them is
/// quick, and the applier can do them while the service is running already.
///
/// # Errors
/// [`StoreError::Corrupt`] if the log is damaged, has a gap, ends before what the index has, or is not the log of this
/// index.
pub(super) fn replay(log: &Log<'_>, index: Index, applied: Revision, keep: usize) -> Result<Played, StoreError> {
    if applied > log.last {
        let what = format!(
            "it ends at revision {}, and the state index has revision {applied}: acknowledged entries are missing",
            log.last
        );
        return Err(StoreError::corrupt("the log", what));
    }
    if applied >= log.until {
        return same_store(&index, log.last_entry).map(|()| Played { index, rest: VecDeque::new(), applied });
    }
    if applied == 0 && log.until > 1 {
        tracing::info!(entries = log.until, "building the state index from the log");
    }
    let rest = Replay::new(&index, applied, log.until, keep).play(log.disk, log.segments)?;
    let applied = rest.front().map_or(log.until, |queued| queued.revision - 1);
    Ok(Played { index, rest, applied })
}

/// Plays the durable entries after `from` up to `to` into an index that has everything before.
///
/// # Errors
/// As [`replay`].
pub(super) fn catch_up(core: &Core, index: &Index, from: Revision, to: Revision) -> Result<(), StoreError> {
    if from == to {
        return Ok(());
    }
    let segments = core.segments.read().clone();
    let rest = Replay::new(index, from, to, 0).play(&*core.disk, &segments)?;
    index.apply(rest.iter().flat_map(|queued| queued.changes.iter()), to)
}

/// Nothing to play: the last entry must be the one that the index has as its tenant's head.
fn same_store(index: &Index, last_entry: Option<&Entry>) -> Result<(), StoreError> {
    let Some(entry) = last_entry else { return Ok(()) };
    let head = tip_in(index, entry.tenant)?.head;
    if head == (Head { number: entry.number, hash: entry.hash }) {
        return Ok(());
    }
    let what = format!(
        "its last entry is number {} of tenant {}, the state index has number {} with another hash: they are not of the \
         same store. If the log is the right one, move the folder `state` away and it is built again",
        entry.number, entry.tenant, head.number
    );
    Err(StoreError::corrupt("the log", what))
}

fn tip_in(index: &Index, tenant: TenantNo) -> Result<Tip, StoreError> {
    let Some(bytes) = index.get(&head_key(tenant))? else { return Ok(Tip::default()) };
    Tip::decode(&bytes).ok_or_else(|| StoreError::corrupt(format!("the head of tenant {tenant}"), "it is no head"))
}

struct Replay<'a> {
    index: &'a Index,
    expected: Revision,
    last: Revision,
    tips: HashMap<TenantNo, Tip>,
    /// Read, and not applied.
    entries: VecDeque<Queued>,
    /// Their bytes.
    bytes: usize,
    /// So many of them are left when the rest is applied.
    keep: usize,
    failed: Option<StoreError>,
}

impl<'a> Replay<'a> {
    fn new(index: &'a Index, applied: Revision, last: Revision, keep: usize) -> Self {
        let (tips, entries) = (HashMap::new(), VecDeque::new());
        Self { index, expected: applied + 1, last, tips, entries, bytes: 0, keep, failed: None }
    }

    /// Plays, and gives back what was gathered and not applied.
    fn play(mut self, disk: &dyn Disk, segments: &[Revision]) -> Result<VecDeque<Queued>, StoreError> {
        let (from, last) = (self.expected, self.last);
        let begin = segments.partition_point(|first| *first <= from).saturating_sub(1);
        for first in segments.iter().skip(begin).take_while(|first| **first <= last) {
            let segment = segment::read(disk, *first)?;
            if segment::walk(&segment, from, &mut |item| self.item(&item)).is_break() {
                break;
            }
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.expected != self.last + 1 {
            let what = format!("revision {} is missing; the last one is {}", self.expected, self.last);
            return Err(StoreError::corrupt("the log", what));
        }
        Ok(self.entries)
    }

    fn item(&mut self, item: &LogItem<'_>) -> ControlFlow<()> {
        let outcome = match item {
            LogItem::Damage { place, what, .. } => Err(StoreError::corrupt(place.to_string(), what)),
            LogItem::Entry { place, revision, payload } => match Entry::decode(*revision, payload) {
                Err(why) => Err(StoreError::corrupt(place.to_string(), why)),
                Ok(entry) => self.entry(entry).map_err(|why| match why {
                    Wrong::Entry(what) => StoreError::corrupt(place.to_string(), what),
                    Wrong::Store(error) => error,
                }),
            },
        };
        match outcome {
            // Behind the last one there may be what is being written.
            Ok(()) if self.expected > self.last => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn entry(&mut self, entry: Entry) -> Result<(), Wrong> {
        if entry.revision != self.expected {
            return Err(Wrong::Entry(format!("revision {} stands where {} should", entry.revision, self.expected)));
        }
        self.expected += 1;
        let tip = match self.tips.get(&entry.tenant) {
            Some(tip) => *tip,
            None => tip_in(self.index, entry.tenant)?,
        };
        if (entry.number, entry.prev) != (tip.head.number + 1, tip.head.hash) {
            return Err(Wrong::Entry(format!(
                "entry {} of tenant {} does not follow entry {}, the last of its chain",
                entry.number, entry.tenant, tip.head.number
            )));
        }
        let head = Head { number: entry.number, hash: entry.hash };
        let (tip, own) = tip.advance(entry.tenant, head, entry.revision);
        self.tips.insert(entry.tenant, tip);
        let changes =
            entry.changes.into_iter().map(|(key, value)| Change { key: key.into(), value: value.map(Into::into) });
        let changes: Arc<[Change]> = changes.chain(own).collect();
        let queued = Queued { revision: entry.revision, changes };
        self.bytes += cost_of(&queued);
        self.entries.push_back(queued);
        if self.bytes > self.keep.saturating_add(BATCH) {
            self.apply_oldest()?;
        }
        Ok(())
    }

    /// Applies all but what is to be kept.
    fn apply_oldest(&mut self) -> Result<(), StoreError> {
        let mut oldest = Vec::new();
        while self.bytes > self.keep
            && let Some(queued) = self.entries.pop_front()
        {
            self.bytes -= cost_of(&queued);
            oldest.push(queued);
        }
        let applied = oldest.last().map_or(self.expected - 1, |queued| queued.revision);
        self.index.apply(oldest.iter().flat_map(|queued| queued.changes.iter()), applied)
    }
}

fn cost_of(queued: &Queued) -> usize {
    queued.changes.iter().map(|change| cost(&change.key, change.value.as_deref())).sum()
}

/// An entry that does not fit, or an index that cannot be used.
enum Wrong {
    Entry(String),
    Store(StoreError),
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{disk::Folder, home::Home, recover, state_open};
    use super::*;
    use crate::{Meta, Options, Record, Store};

    #[derive(minicbor::Encode, minicbor::Decode)]
    struct Page {
        #[n(0)]
        number: u32,
        #[n(1)]
        text: String,
    }

    impl Record for Page {
        const SPACE: u8 = 1;
        type Key = u32;
        fn key(&self) -> u32 {
            self.number
        }
    }

    const ENTRIES: u64 = 400;

    #[test]
    fn the_last_entries_are_kept_back_and_all_before_them_are_applied() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options { upkeep_every: None, ..Options::default() }).unwrap();
        for number in 1..=ENTRIES as u32 {
            let mut tx = store.write(TenantNo(1)).unwrap();
            tx.put(&Page { number, text: "x".repeat(60_000) }).unwrap();
            drop(tx.commit(Meta::default()).unwrap());
        }
        store.close().unwrap();
        let home = Home::open(dir.path(), &[]).unwrap();
        let disk = Folder(home.dir.open_dir(super::super::LOG).unwrap());
        let recovered = recover::recover(&disk).unwrap();
        assert_eq!(recovered.last, ENTRIES);
        let (segments, last_entry) = (&recovered.segments, recovered.last_entry.as_ref());
        for (keep, some, all) in [(0, true, false), (BATCH, true, false), (usize::MAX, false, true)] {
            let index = state_open::empty(&home, 1 << 20).unwrap();
            let log = Log { disk: &disk, segments, last: ENTRIES, last_entry, until: ENTRIES };
            let Played { index, rest, applied } = replay(&log, index, 0, keep).unwrap();
            let bytes: usize = rest.iter().map(cost_of).sum();
            assert!(bytes <= keep.saturating_add(BATCH), "{bytes} bytes are kept, {keep} were to be");
            assert!(rest.iter().map(|queued| queued.revision).eq(applied + 1..=ENTRIES));
            assert_eq!((applied > 0, applied == 0), (some, all), "{keep}");
            // One tenant: its numbers are the revisions.
            assert_eq!(tip_in(&index, TenantNo(1)).unwrap().head.number, applied);
        }
    }
}
