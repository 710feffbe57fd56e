//! Bringing the state index up to the log when a store is opened, and checking that both are of the same store.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::disk::Disk;
use super::recover::Recovered;
use super::segment;
use super::state::State;
use crate::engine::LogItem;
use crate::entry::{Change, Entry};
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::types::{Head, Revision, TenantNo};

/// Changes in one batch. Larger than in service: nobody is reading.
const BATCH: usize = 16_384;

/// Plays the entries after `applied` into the index.
///
/// # Errors
/// [`StoreError::Corrupt`] if the log is damaged, has a gap, ends before what the index has, or is not the log of this
/// index.
pub(super) fn replay(
    disk: &dyn Disk,
    state: &State,
    recovered: &Recovered,
    applied: Revision,
) -> Result<(), StoreError> {
    let last = recovered.last;
    if applied > last {
        let what = format!(
            "it ends at revision {last}, and the state index has revision {applied}: acknowledged entries are missing"
        );
        return Err(StoreError::corrupt("the log", what));
    }
    if applied == last {
        return same_store(state, recovered.last_entry.as_ref());
    }
    if applied == 0 && last > 1 {
        tracing::info!(entries = last, "building the state index from the log");
    }
    let mut replay = Replay { state, expected: applied + 1, tips: HashMap::new(), changes: Vec::new(), failed: None };
    let begin = recovered.segments.partition_point(|first| *first <= applied + 1).saturating_sub(1);
    for first in recovered.segments.iter().skip(begin) {
        let segment = segment::read(disk, *first)?;
        let flow = segment::walk(&segment, applied + 1, &mut |item| replay.item(&item));
        if flow.is_break() {
            break;
        }
    }
    replay.finish(last)
}

/// Nothing to play: the last entry must be the one that the index has as its tenant's head.
fn same_store(state: &State, last_entry: Option<&Entry>) -> Result<(), StoreError> {
    let Some(entry) = last_entry else { return Ok(()) };
    let head = tip_in(state, entry.tenant)?.head;
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

fn tip_in(state: &State, tenant: TenantNo) -> Result<Tip, StoreError> {
    let Some(bytes) = state.get(&head_key(tenant))? else { return Ok(Tip::default()) };
    Tip::decode(&bytes).ok_or_else(|| StoreError::corrupt(format!("the head of tenant {tenant}"), "it is no head"))
}

struct Replay<'a> {
    state: &'a State,
    expected: Revision,
    tips: HashMap<TenantNo, Tip>,
    changes: Vec<Change>,
    failed: Option<StoreError>,
}

impl Replay<'_> {
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
            None => tip_in(self.state, entry.tenant)?,
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
        self.changes.extend(changes.chain(own));
        if self.changes.len() >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.state.apply(self.changes.iter(), self.expected - 1)?;
        self.changes.clear();
        Ok(())
    }

    fn finish(mut self, last: Revision) -> Result<(), StoreError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.expected != last + 1 {
            let what = format!("revision {} is missing; the last one is {last}", self.expected);
            return Err(StoreError::corrupt("the log", what));
        }
        self.flush()
    }
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
