//! Tickets: how a caller learns that its commit is on disk.
//!
//! Commits that one sync covers share a [`Group`]. Each group wakes only its own waiters: with one condition for all, each
//! sync would also wake those who wait for the next one.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::error::StoreError;
use crate::types::{Hash, Revision};

type Callback = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What a commit gives back at once. Its number and hash are certain if it is kept; that it is, only [`Ticket::wait`] says.
#[derive(Debug)]
pub struct Committed {
    /// Its place in the physical log. Where several hosts share a database, it is later by what others committed in between.
    pub revision: Revision,
    /// Its place in the tenant's chain.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Tells when it is durable. Dropping it changes nothing.
    pub ticket: Ticket,
}

/// Tells when a commit is durable.
#[derive(Clone)]
pub struct Ticket(Arc<Group>);

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.0.state.lock().outcome).finish()
    }
}

impl Ticket {
    /// Of what is durable already.
    #[must_use]
    pub fn durable() -> Self {
        let group = Group::open();
        group.finish(Ok(()));
        group.ticket()
    }

    /// Blocks until the commit is on disk. A sync that hangs is waited for: nobody could say what became of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the store failed first: the commit may or may not be there after a restart.
    /// [`StoreError::Conflict`] where several hosts share a database and another one committed first: nothing was kept, run
    /// the unit of work again.
    pub fn wait(&self) -> Result<(), StoreError> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            self.0.done.wait(&mut state);
        }
    }

    /// Calls `then` once the outcome is known: from the log thread, or from here if it is known already. `then` must be
    /// cheap and must not panic or block: while it runs, nobody's commit gets to disk.
    pub fn on_durable(self, then: Callback) {
        let mut state = self.0.state.lock();
        match &state.outcome {
            None => state.callbacks.push(then),
            Some(outcome) => {
                let outcome = outcome.clone();
                drop(state);
                then(outcome);
            }
        }
    }
}

/// The commits that one sync makes durable. For engines.
pub struct Group {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    outcome: Option<Result<(), StoreError>>,
    callbacks: Vec<Callback>,
}

impl Group {
    /// A group whose outcome is not known yet.
    #[must_use]
    pub fn open() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::default()), done: Condvar::new() })
    }

    /// A ticket of this group.
    #[must_use]
    pub fn ticket(self: &Arc<Self>) -> Ticket {
        Ticket(Arc::clone(self))
    }

    /// Sets the outcome, wakes everyone who waits and calls back everyone who asked for it. The first outcome stands.
    pub fn finish(&self, outcome: Result<(), StoreError>) {
        let callbacks = {
            let mut state = self.state.lock();
            if state.outcome.is_some() {
                return;
            }
            state.outcome = Some(outcome.clone());
            std::mem::take(&mut state.callbacks)
        };
        self.done.notify_all();
        for callback in callbacks {
            // One caller's bug must not keep the others from hearing, nor end the log thread.
            let outcome = outcome.clone();
            if catch_unwind(AssertUnwindSafe(move || callback(outcome))).is_err() {
                tracing::error!("a callback for a durable commit panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn counting(calls: &Arc<AtomicU32>) -> Callback {
        let calls = Arc::clone(calls);
        Box::new(move |outcome| {
            assert!(outcome.is_ok());
            calls.fetch_add(1, Ordering::SeqCst);
        })
    }

    #[test]
    fn callbacks_run_once_before_or_after_the_outcome() {
        let calls = Arc::new(AtomicU32::new(0));
        let group = Group::open();
        group.ticket().on_durable(counting(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        group.finish(Ok(()));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        group.ticket().on_durable(counting(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_callback_that_panics_does_not_stop_the_others() {
        let calls = Arc::new(AtomicU32::new(0));
        let group = Group::open();
        group.ticket().on_durable(Box::new(|_| panic!("on purpose")));
        group.ticket().on_durable(counting(&calls));
        group.finish(Ok(()));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_first_outcome_stands() {
        let group = Group::open();
        group.finish(Err(StoreError::Unavailable("disk".into())));
        group.finish(Ok(()));
        assert!(matches!(group.ticket().wait(), Err(StoreError::Unavailable(_))));
    }
}
