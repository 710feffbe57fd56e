//! Groups on their way to the database. While one has only its commit left, the next one is sent behind it on the same
//! connection: the server begins on it as soon as it is done with the first, and gathering it costs nobody any time. One
//! that is no smaller is sent at once: it gains nothing by waiting, and the server never has to wait for this host.

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

/// One that is committed and one behind it.
const MOST: usize = 2;

/// See the module. The order is that in which they were sent.
#[derive(Default)]
pub(super) struct Flights(VecDeque<Flight>);

struct Flight {
    under_way: Pin<Box<dyn Future<Output = Landed> + Send>>,
    progress: Arc<Progress>,
    entries: usize,
}

/// How far a group is.
#[derive(Default)]
pub(super) struct Progress {
    /// Its statements are on their way, and what is sent from now on comes behind them. Before that they may have to be
    /// prepared, and nothing else may be sent: a group that has less to prepare would be there first.
    pub(super) sent: AtomicBool,
    /// Only the commit is left.
    pub(super) committing: AtomicBool,
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

    /// How many entries a group must have to be sent now; none if no group may be.
    pub(super) fn room_for(&self) -> Option<usize> {
        let Some(last) = self.0.back() else { return Some(1) };
        let may = self.0.len() < MOST && last.progress.sent.load(Ordering::Relaxed);
        let least = if last.progress.committing.load(Ordering::Relaxed) { 1 } else { last.entries };
        may.then_some(least)
    }

    /// Sends a group behind the others. They are all on one connection: what becomes of one cannot be known before what
    /// became of those before it.
    pub(super) fn send(&mut self, core: Arc<Core>, connection: Arc<Connection>, mut group: Vec<Pending>) {
        let (progress, entries) = (Arc::new(Progress::default()), group.len());
        let says = Arc::clone(&progress);
        let under_way = Box::pin(async move {
            let outcome = write::commit(&connection, &core, &mut group, &says).await;
            Landed { group, outcome }
        });
        self.0.push_back(Flight { under_way, progress, entries });
    }

    /// What became of the first one.
    pub(super) fn poll_land(&mut self, context: &mut Context<'_>) -> Poll<Landed> {
        if let Some(first) = self.0.front_mut()
            && let Poll::Ready(landed) = first.under_way.as_mut().poll(context)
        {
            self.0.pop_front();
            return Poll::Ready(landed);
        }
        // Those behind are not looked at but to send them: their answers come behind those of the first.
        for behind in self.0.iter_mut().skip(1) {
            if let Poll::Ready(landed) = behind.under_way.as_mut().poll(context) {
                behind.under_way = Box::pin(std::future::ready(landed));
            }
        }
        Poll::Pending
    }
}
