//! The sequence: what has its place in the log and is on its way to the disk and to the state index.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::core::stopped;
use crate::entry::{Change, Sealed};
use crate::error::StoreError;
use crate::index::Tip;
use crate::ticket::{Group, Ticket};
use crate::types::{Revision, TenantNo};

/// What `Core::sequence` guards.
pub(super) struct Sequence {
    next: Revision,
    pub(super) tips: HashMap<TenantNo, Tip>,
    /// For the log thread.
    pending: Vec<Pending>,
    pub(super) pending_bytes: usize,
    group: Arc<Group>,
    /// For the applier: in order of revisions, up to the last one given out.
    pub(super) queue: VecDeque<Queued>,
    /// Why no more commits are taken, for good.
    pub(super) stopped: Option<String>,
    /// Why none are taken for now.
    pub(super) held: Option<String>,
    pub(super) phase: Phase,
}

/// How far closing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The log thread writes what is pending and ends.
    Closing,
    /// The log thread has ended; the applier applies what is durable and ends.
    Draining,
}

/// An entry on its way to the disk.
pub(super) struct Pending {
    pub(super) revision: Revision,
    pub(super) payload: Vec<u8>,
    pub(super) crc: u32,
}

/// An entry on its way to the state index, with the store's own records.
#[derive(Clone)]
pub(super) struct Queued {
    pub(super) revision: Revision,
    pub(super) changes: Arc<[Change]>,
}

/// What the log thread writes and syncs at once.
pub(super) struct Work {
    pub(super) entries: Vec<Pending>,
    pub(super) group: Arc<Group>,
}

impl Sequence {
    /// What comes after revision `last`.
    pub(super) fn after(last: Revision) -> Self {
        Self {
            next: last + 1,
            tips: HashMap::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            group: Group::open(),
            queue: VecDeque::new(),
            stopped: None,
            held: None,
            phase: Phase::Open,
        }
    }

    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        match (&self.stopped, &self.held) {
            (Some(why), _) => Err(stopped(why)),
            (None, Some(why)) => Err(StoreError::Unavailable(why.clone())),
            (None, None) => Ok(()),
        }
    }

    /// Whether the log thread has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Gives an entry the next place. `crc` is the checksum of its payload.
    pub(super) fn place(&mut self, sealed: Sealed, crc: u32) -> Result<(Queued, Ticket), StoreError> {
        let tip = self.tips.get(&sealed.tenant).copied().unwrap_or_default();
        if tip.head != sealed.follows {
            return Err(StoreError::Conflict);
        }
        let revision = self.next;
        self.next += 1;
        let (tip, own) = tip.advance(sealed.tenant, sealed.head, revision);
        self.tips.insert(sealed.tenant, tip);
        let changes: Arc<[Change]> = sealed.changes.into_iter().chain(own).collect();
        let queued = Queued { revision, changes };
        self.queue.push_back(queued.clone());
        self.pending_bytes += sealed.payload.len();
        self.pending.push(Pending { revision, payload: sealed.payload, crc });
        Ok((queued, self.group.ticket()))
    }

    /// Everything that waits for the log thread. The next entry begins a new group.
    pub(super) fn take_pending(&mut self) -> Work {
        self.pending_bytes = 0;
        Work { entries: std::mem::take(&mut self.pending), group: std::mem::replace(&mut self.group, Group::open()) }
    }
}
