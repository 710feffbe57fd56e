//! Groups on their way to the database. While one has only its commit left, which is waiting for the disk, the next one is
//! written on another connection. It cannot come first: the one that commits holds the end of the log.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::core::Core;
use super::failure::Failure;
use super::pool::Connection;
use super::queue::Pending;
use super::write;
use crate::types::Revision;

/// One that commits and one that is written meanwhile.
pub(super) const CONNECTIONS: usize = 2;

/// See the module. The order is that in which they were sent.
#[derive(Default)]
pub(super) struct Flights {
    under_way: VecDeque<Flight>,
    /// How long the last commit took.
    commit: Duration,
}

struct Flight {
    landing: Pin<Box<dyn Future<Output = Landed> + Send>>,
    /// Since when only the commit is left.
    committing: Arc<OnceLock<Instant>>,
    entries: usize,
}

/// What may be sent behind the others: a group of so many entries now, or any once it is that time.
pub(super) struct Room {
    pub(super) entries: usize,
    pub(super) until: Instant,
}

/// A group and what became of it: the revision of its first entry.
pub(super) struct Landed {
    pub(super) group: Vec<Pending>,
    pub(super) outcome: Result<Revision, Failure>,
}

impl Flights {
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// What may be sent now, if anything may. Half of the time that a commit takes is enough for writing the next group: the
    /// other half is for callers to come together. Without that, one group would be small and the next one large.
    pub(super) fn room(&self) -> Option<Room> {
        let Some(last) = self.under_way.back() else { return Some(Room { entries: 1, until: Instant::now() }) };
        let since = *last.committing.get().filter(|_| self.under_way.len() < CONNECTIONS)?;
        Some(Room { entries: last.entries, until: since + self.commit / 2 })
    }

    /// Sends a group behind the others, on a connection that none of them is on.
    pub(super) fn send(&mut self, core: Arc<Core>, connection: Arc<Connection>, mut group: Vec<Pending>) {
        let (committing, entries) = (Arc::new(OnceLock::new()), group.len());
        let says = Arc::clone(&committing);
        let landing = Box::pin(async move {
            let outcome = write::commit(&connection, &core, &mut group, &says).await;
            Landed { group, outcome }
        });
        self.under_way.push_back(Flight { landing, committing, entries });
    }

    /// What became of the first one.
    pub(super) fn poll_land(&mut self, context: &mut Context<'_>) -> Poll<Landed> {
        if let Some(first) = self.under_way.front_mut()
            && let Poll::Ready(landed) = first.landing.as_mut().poll(context)
        {
            self.commit = first.committing.get().map_or(Duration::ZERO, Instant::elapsed);
            self.under_way.pop_front();
            return Poll::Ready(landed);
        }
        // What is sent behind it has its outcome later: its commit waits for the first one's, and what must be done again if
        // that fails is known only then.
        for behind in self.under_way.iter_mut().skip(1) {
            if let Poll::Ready(landed) = behind.landing.as_mut().poll(context) {
                behind.landing = Box::pin(std::future::ready(landed));
            }
        }
        Poll::Pending
    }
}
