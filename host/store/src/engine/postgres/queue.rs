//! The queue: entries that have their place on this host and wait for the committer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::failure::unavailable;
use crate::engine::Appended;
use crate::entry::Change;
use crate::error::StoreError;
use crate::index::STRIDE;
use crate::records::sql::Datum;
use crate::ticket::Group;
use crate::types::{Head, Revision, TenantNo};

/// Entries that are committed at once: within so many revisions each tenant gets at most one index record, which one
/// statement can decide.
pub(super) const ENTRIES: usize = STRIDE as usize;
/// Bytes of payloads that are committed at once. A larger entry goes alone.
const BYTES: usize = 16 << 20;

/// An entry on its way.
pub(super) struct Pending {
    pub(super) tenant: TenantNo,
    pub(super) follows: Head,
    pub(super) head: Head,
    /// Of the lease under which it is committed.
    pub(super) fence: Option<u64>,
    pub(super) payload: Vec<u8>,
    pub(super) rows: Vec<Row>,
    /// It was sent once, and the answer was lost: it may be committed.
    pub(super) in_doubt: bool,
    pub(super) outcome: Arc<Group>,
}

/// Whatever becomes of an entry, a panic included: nobody waits for ever. The first outcome stands.
impl Drop for Pending {
    fn drop(&mut self) {
        self.outcome.finish(Err(unavailable("the committer ended")));
    }
}

/// A change, with its table and the values of the promoted columns.
pub(super) struct Row {
    pub(super) change: Change,
    pub(super) segment: usize,
    pub(super) columns: Vec<Datum>,
}

/// What the committer and the writers share.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes writers that wait for room.
    room: Condvar,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Pending>,
    bytes: usize,
    sequenced: Revision,
    /// Why no entry is ever taken again.
    closed: Option<String>,
    /// Why none is taken for now.
    down: Option<String>,
    /// Wakes the committer, if it waits until there are so many entries.
    committer: Option<(usize, Waker)>,
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        match (&self.closed, &self.down) {
            (Some(why), _) => Err(StoreError::Unavailable(why.clone())),
            (None, Some(why)) => {
                Err(unavailable(&format!("{why}. Nothing was kept; it goes on by itself once it is back")))
            }
            (None, None) => Ok(()),
        }
    }
}

impl Queue {
    /// Refuses while nothing can be taken.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.state.lock().check()
    }

    /// Waits until there is room for `bytes` more.
    pub(super) fn wait_for_room(&self, bytes: usize, limit: usize, patience: Duration) -> Result<(), StoreError> {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock();
        loop {
            state.check()?;
            if state.bytes == 0 || state.bytes + bytes <= limit {
                return Ok(());
            }
            if self.room.wait_until(&mut state, deadline).timed_out() {
                return Err(StoreError::Busy("the database does not keep up".into()));
            }
        }
    }

    /// Takes an entry. The revision is the one it gets if no other host commits in between.
    pub(super) fn push(&self, entry: Pending, durable: Revision) -> Result<Appended, StoreError> {
        let mut state = self.state.lock();
        state.check()?;
        let revision = state.sequenced.max(durable) + 1;
        state.sequenced = revision;
        state.bytes += entry.payload.len();
        let ticket = entry.outcome.ticket();
        state.entries.push_back(entry);
        let entries = state.entries.len();
        let committer = state.committer.take_if(|(least, _)| *least <= entries);
        drop(state);
        if let Some((_, committer)) = committer {
            committer.wake();
        }
        Ok(Appended { revision, ticket })
    }

    /// What is to be committed next, once there are at least so many entries, and at most so many of them; none once it is
    /// closed and empty.
    pub(super) fn poll_take(&self, least: usize, most: usize, context: &Context<'_>) -> Poll<Option<Vec<Pending>>> {
        let mut state = self.state.lock();
        if state.entries.len() < least && state.closed.is_none() {
            state.committer = Some((least, context.waker().clone()));
            return Poll::Pending;
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(entry) = state
            .entries
            .pop_front_if(|entry| group.is_empty() || (group.len() < most && bytes + entry.payload.len() <= BYTES))
        {
            bytes += entry.payload.len();
            group.push(entry);
        }
        if group.is_empty() {
            return Poll::Ready(None);
        }
        state.bytes -= bytes;
        self.room.notify_all();
        Poll::Ready(Some(group))
    }

    /// Puts entries back that come before all others.
    pub(super) fn put_back(&self, entries: Vec<Pending>) {
        let mut state = self.state.lock();
        state.bytes += entries.iter().map(|entry| entry.payload.len()).sum::<usize>();
        for entry in entries.into_iter().rev() {
            state.entries.push_front(entry);
        }
    }

    /// Every group has its outcome. Once nothing waits either, the next place is behind the last durable revision.
    pub(super) fn done(&self, durable: Revision) {
        let mut state = self.state.lock();
        if state.entries.is_empty() {
            state.sequenced = durable;
        }
    }

    /// Takes the entries out that `doomed` says.
    pub(super) fn purge(&self, doomed: impl Fn(TenantNo) -> bool) -> Vec<Pending> {
        let mut state = self.state.lock();
        let (gone, left): (Vec<_>, Vec<_>) = state.entries.drain(..).partition(|entry| doomed(entry.tenant));
        state.entries = left.into();
        state.bytes -= gone.iter().map(|entry| entry.payload.len()).sum::<usize>();
        self.room.notify_all();
        gone
    }

    /// Takes no entries until it is told that the database is back.
    pub(super) fn set_down(&self, why: Option<String>) {
        self.state.lock().down = why;
        self.room.notify_all();
    }

    pub(super) fn is_down(&self) -> bool {
        self.state.lock().down.is_some()
    }

    /// Takes no more entries, ever. The first reason stands.
    pub(super) fn close(&self, why: &str) {
        let mut state = self.state.lock();
        state.closed.get_or_insert_with(|| why.to_owned());
        if let Some((_, committer)) = state.committer.take() {
            committer.wake();
        }
        self.room.notify_all();
    }

    /// The last revision given out, or the durable one.
    pub(super) fn sequenced(&self, durable: Revision) -> Revision {
        self.state.lock().sequenced.max(durable)
    }

    /// Why no entries are taken, and the bytes that wait.
    pub(super) fn status(&self) -> (Option<String>, usize) {
        let state = self.state.lock();
        (state.closed.clone().or_else(|| state.down.clone()), state.bytes)
    }
}
