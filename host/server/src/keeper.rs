//! Keeps the store open: hands out what is open now, and opens it again after a failure.
//!
//! A store whose write or sync failed has stopped for good and nobody guesses what is on disk. Every handle of it is let go,
//! then the directory is opened again, by the same path as at the start, until that works. Meanwhile every request that
//! needs the store is answered `unavailable`.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use backroom_office::Office;
use backroom_store::{Store, StoreError};
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::problem::Problem;
use crate::workflows::Workflows;

/// Between two attempts to open: quick at first, since most causes are short; then no load on a machine in trouble.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether the last request has let the old store go.
const LET_GO_POLL: Duration = Duration::from_millis(10);

/// Why the service cannot be opened or closed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store, with what to do about it. [`StoreError::Locked`] names who holds the directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A use case failed.
    #[error(transparent)]
    Office(#[from] backroom_office::Failure),
    /// The runtime did not start.
    #[error("the runtime for plugins does not start: {0}")]
    Runtime(String),
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The store failed and is being opened again, or the service was closed.
    #[error("the service is not serving: {0}")]
    NotServing(&'static str),
}

/// What the service stands on.
pub struct Backing {
    /// The store.
    pub store: Store,
    /// The runtime over the same store.
    pub workflows: Arc<dyn Workflows>,
}

/// Opens the backing, at the start and after each failure of the store. It blocks.
pub type Opener = Box<dyn Fn() -> Result<Backing, ServiceError> + Send + Sync>;

/// One opening of the store, shared by the requests that began while it lasted.
pub(crate) struct Open {
    pub(crate) office: Office,
    pub(crate) workflows: Arc<dyn Workflows>,
}

enum State {
    Serving(Arc<Open>),
    Recovering,
    Closed,
}

pub(crate) struct Keeper {
    opener: Opener,
    state: RwLock<State>,
}

impl Open {
    fn new(backing: Backing) -> Arc<Self> {
        Arc::new(Self { office: Office::new(backing.store), workflows: backing.workflows })
    }

    /// Why the store has stopped, if it has.
    pub(crate) fn failed(&self) -> Option<String> {
        self.office.store().status().failed
    }
}

impl Keeper {
    /// Opens. Blocks.
    pub(crate) fn open(opener: Opener) -> Result<Arc<Self>, ServiceError> {
        let open = Open::new(opener()?);
        Ok(Arc::new(Self { opener, state: RwLock::new(State::Serving(open)) }))
    }

    /// What is open now.
    pub(crate) fn current(&self) -> Result<Arc<Open>, ServiceError> {
        match &*self.state.read() {
            State::Serving(open) => Ok(Arc::clone(open)),
            State::Recovering => Err(ServiceError::NotServing("the store has stopped and is being opened again")),
            State::Closed => Err(ServiceError::NotServing("the service is shutting down")),
        }
    }

    /// Takes a failed store out of service and begins to open it again. Called by everyone who sees the failure; the first
    /// call counts. Needs a tokio runtime.
    pub(crate) fn lost(self: &Arc<Self>, open: &Arc<Open>, why: &dyn fmt::Display) {
        {
            let mut state = self.state.write();
            if !matches!(&*state, State::Serving(current) if Arc::ptr_eq(current, open)) {
                return;
            }
            *state = State::Recovering;
        }
        tracing::error!(%why, "the store has stopped; it is taken out of service and opened again");
        // Without a runtime there is no server that could serve again.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(Arc::clone(self).reopen(Arc::downgrade(open)));
        }
    }

    /// Checks what nobody may have met yet: a store that failed while no request used it.
    pub(crate) fn check(self: &Arc<Self>) {
        if let Ok(open) = self.current()
            && let Some(why) = open.failed()
        {
            self.lost(&open, &why);
        }
    }

    async fn reopen(self: Arc<Self>, old: Weak<Open>) {
        wait_until_dropped(&old, None).await;
        let mut pause = FIRST_PAUSE;
        loop {
            let keeper = Arc::clone(&self);
            let opened = tokio::task::spawn_blocking(move || (keeper.opener)()).await;
            match opened {
                Ok(Ok(backing)) => {
                    let mut state = self.state.write();
                    if matches!(&*state, State::Recovering) {
                        *state = State::Serving(Open::new(backing));
                        tracing::info!("the store is open again");
                    }
                    return;
                }
                Ok(Err(error)) => tracing::error!(%error, "the store does not open; trying again"),
                Err(panic) => tracing::error!(%panic, "opening the store panicked; trying again"),
            }
            if matches!(&*self.state.read(), State::Closed) {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes the store out of service for good, gives the work under way `patience` to end, and closes the store.
    pub(crate) async fn close(&self, patience: Duration) -> Result<(), ServiceError> {
        let State::Serving(open) = std::mem::replace(&mut *self.state.write(), State::Closed) else { return Ok(()) };
        let (store, old) = (open.office.store().clone(), Arc::downgrade(&open));
        drop(open);
        wait_until_dropped(&old, Some(patience)).await;
        match tokio::task::spawn_blocking(move || store.close()).await {
            Ok(closed) => Ok(closed?),
            Err(panic) => Err(ServiceError::Runtime(panic.to_string())),
        }
    }
}

/// Requests and runs hold what was open when they began; a store cannot be opened again before the last one let it go.
async fn wait_until_dropped(open: &Weak<Open>, patience: Option<Duration>) {
    let begun = Instant::now();
    while open.strong_count() > 0 && patience.is_none_or(|patience| begun.elapsed() < patience) {
        sleep(LET_GO_POLL).await;
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Office(backroom_office::Failure::Store(error)) => error.into(),
            ServiceError::Office(backroom_office::Failure::Business(error)) => error.into(),
            ServiceError::NotServing(why) => Self::unavailable("unavailable", format!("{why}; try again"), 2),
            other @ (ServiceError::Runtime(_) | ServiceError::Io { .. }) => Self::internal(&other),
        }
    }
}
