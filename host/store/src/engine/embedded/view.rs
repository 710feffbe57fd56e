//! A snapshot: the overlay above the state index, at one revision.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::core::Core;
use super::overlay::Chunk;
use super::snapshots::Registered;
use crate::engine::{KeyRange, Pairs, Snapshot, Value, range_is_empty};
use crate::error::StoreError;
use crate::merge::Merge;
use crate::types::{Revision, TenantNo};

/// Keys that are read at once by a scan: at first as many as are wanted and no more than this (most scans are short), then twice as
/// many each time.
const FIRST_CHUNK: usize = 64;
/// The fewest after the first.
const NEXT_CHUNK: usize = 16;
/// The most.
const LARGEST_CHUNK: usize = 512;

/// A registered snapshot.
pub(super) struct View {
    core: Arc<Core>,
    registered: Registered,
}

impl View {
    pub(super) fn new(core: Arc<Core>, registered: Registered) -> Self {
        Self { core, registered }
    }

    /// A read is right if the index had not moved past this snapshot when it was done.
    fn checked<T>(&self, read: T) -> Result<T, StoreError> {
        if self.registered.is_expired() { Err(StoreError::Expired) } else { Ok(read) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.core.snapshots.release(&self.registered);
    }
}

impl Snapshot for View {
    fn revision(&self) -> Revision {
        self.registered.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        // The overlay first: what leaves it meanwhile is in the index before.
        match self.core.overlay.get(key, self.registered.revision) {
            Some(version) => self.checked(version.map(Value::from)),
            None => {
                let value = self.core.read_state(|index| index.get(key))?;
                self.checked(value.map(Value::from))
            }
        }
    }

    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_> {
        Box::new(Scan {
            view: self,
            rest: Some(range),
            reverse,
            ready: VecDeque::new(),
            chunk: wanted.clamp(1, FIRST_CHUNK),
        })
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let above = self.core.overlay.next_tenant(from, self.registered.revision);
        let below = self.core.read_state(|index| index.next_tenant(from))?;
        self.checked(above.into_iter().chain(below).min())
    }
}

/// Reads a range piece by piece: of each piece first the overlay, then the index.
struct Scan<'a> {
    view: &'a View,
    rest: Option<KeyRange>,
    reverse: bool,
    ready: VecDeque<(Value, Value)>,
    chunk: usize,
}

impl Scan<'_> {
    /// Reads the next piece. It ends at the first place where overlay or index were cut, so that nothing between is missed.
    fn fill(&mut self, range: KeyRange) -> Result<(), StoreError> {
        let core = &self.view.core;
        let limit = self.chunk;
        self.chunk = (limit * 2).clamp(NEXT_CHUNK, LARGEST_CHUNK);
        let Chunk { mut changes, cut } = core.overlay.range(&range, self.reverse, self.view.registered.revision, limit);
        let (mut piece, mut rest) = split(range, cut, self.reverse);
        let mut below = Vec::new();
        if !range_is_empty(&piece) {
            below = core.read_state(|index| index.chunk(piece.clone(), self.reverse, limit))?;
        }
        if below.len() == limit
            && let Some((last, _)) = below.last()
        {
            let cut = last.to_vec();
            changes.retain(|(key, _)| if self.reverse { **key >= *cut } else { **key <= *cut });
            let behind;
            (piece, behind) = split(piece, Some(cut), self.reverse);
            rest = rejoin(behind, rest, self.reverse);
        }
        drop(piece);
        if changes.is_empty() {
            self.ready = below.into();
        } else {
            for pair in Merge::new(changes.into_iter(), below.into_iter().map(Ok), self.reverse) {
                self.ready.push_back(pair?);
            }
        }
        self.rest = self.view.checked(rest)?.filter(|rest| !range_is_empty(rest));
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<(Value, Value), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(pair) = self.ready.pop_front() {
                return Some(Ok(pair));
            }
            let range = self.rest.take()?;
            if let Err(error) = self.fill(range) {
                self.ready.clear();
                return Some(Err(error));
            }
        }
    }
}

/// Cuts a range behind `cut`, in reading direction: what is read now, and what is left.
fn split(range: KeyRange, cut: Option<Vec<u8>>, reverse: bool) -> (KeyRange, Option<KeyRange>) {
    let Some(cut) = cut else { return (range, None) };
    let (from, to) = range;
    if reverse {
        ((Bound::Included(cut.clone()), to), Some((from, Bound::Excluded(cut))))
    } else {
        ((from, Bound::Included(cut.clone())), Some((Bound::Excluded(cut), to)))
    }
}

/// The rest of a piece and the rest behind that piece are one range again.
fn rejoin(near: Option<KeyRange>, far: Option<KeyRange>, reverse: bool) -> Option<KeyRange> {
    match (near, far) {
        (Some(near), Some(far)) if reverse => Some((far.0, near.1)),
        (Some(near), Some(far)) => Some((near.0, far.1)),
        (near, far) => near.or(far),
    }
}
