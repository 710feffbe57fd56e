//! Groups on their way to the database. While one has only its commit left, which is waiting for the disk, the next one is
//! written on another connection. It cannot come first: the one that commits holds the end of the log.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

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
pub(super) struct Flights(VecDeque<Flight>);

struct Flight {
    under_way: Pin<Box<dyn Future<Output = Landed> + Send>>,
    /// Only the commit is left.
    committing: Arc<AtomicBool>,
}

/// A group and what became of it: the revision of its first entry.
pub(super) struct Landed {
    pub(super) group: Vec<Pending>,
    pub(super) outcome: Result<Revision, Failure>,
}

impl Flights {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one more may be sent.
    pub(super) fn has_room(&self) -> bool {
        let committing = self.0.back().is_none_or(|last| last.committing.load(Ordering::Relaxed));
        self.0.len() < CONNECTIONS && committing
    }

    /// Sends a group behind the others, on a connection that none of them is on.
    pub(super) fn send(&mut self, core: Arc<Core>, connection: Arc<Connection>, mut group: Vec<Pending>) {
        let committing = Arc::new(AtomicBool::new(false));
        let says = Arc::clone(&committing);
        let under_way = Box::pin(async move {
            let outcome = write::commit(&connection, &core, &mut group, &says).await;
            Landed { group, outcome }
        });
        self.0.push_back(Flight { under_way, committing });
    }

    /// What became of the first one.
    pub(super) fn poll_land(&mut self, context: &mut Context<'_>) -> Poll<Landed> {
        if let Some(first) = self.0.front_mut()
            && let Poll::Ready(landed) = first.under_way.as_mut().poll(context)
        {
            self.0.pop_front();
            return Poll::Ready(landed);
        }
        // What is sent behind it has its outcome later: its commit waits for the first one's, and what must be done again if
        // that fails is known only then.
        for behind in self.0.iter_mut().skip(1) {
            if let Poll::Ready(landed) = behind.under_way.as_mut().poll(context) {
                behind.under_way = Box::pin(std::future::ready(landed));
            }
        }
        Poll::Pending
    }
}
