//! The service: opened on a data directory or a database, asked through a router, closed in order.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use backroom_domain::Class;
use backroom_office::Failure;
use backroom_runtime::{CacheKey, CacheOptions, Runner, Runtime, RuntimeOptions};
use backroom_store::{PostgresOptions, Store, StoreError};

use tokio::sync::Notify;

use crate::admission::Admission;
use crate::clock;
use crate::keeper::{Backing, Keeper, Open, Opener, ServiceError};
use crate::limits::ServiceLimits;
use crate::problem::Problem;
use crate::routes;
use crate::secret;

/// Where everything is kept.
#[derive(Clone)]
pub enum Place {
    /// In a data directory of this host: `log`, `state`, `releases` and `compiled` stand below it. Created if it is not there.
    Folder(PathBuf),
    /// In a PostgreSQL database, which any number of hosts may share. A host keeps nothing of its own but the cache.
    Database {
        /// A connection string; it may hold a password.
        url: String,
        /// A folder for what is quicker to find there than in the database. It can be deleted at any time.
        cache: PathBuf,
    },
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => f.debug_tuple("Folder").field(path).finish(),
            Self::Database { cache, .. } => f.debug_struct("Database").field("cache", cache).finish_non_exhaustive(),
        }
    }
}

/// Where and how to open a service.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Where everything is kept.
    pub place: Place,
    /// Bounds of the store.
    pub store: backroom_store::Options,
    /// Bounds of the runtime.
    pub runtime: RuntimeOptions,
    /// Bounds of the service.
    pub limits: ServiceLimits,
    /// The name of this host, for others and for operators; made of the process id if none.
    pub host: Option<String>,
}

/// The service. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) admission: Admission,
    pub(crate) limits: ServiceLimits,
    /// The name of this host, for others and for operators.
    pub(crate) host: String,
    /// Something was queued here, or there is room for another queue.
    pub(crate) wake: Notify,
    /// How often another host had committed for a tenant first, and something was done again.
    pub(crate) conflicts: AtomicU64,
}

/// What every handler stands on.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) shared: Arc<Shared>,
    /// Every caller is the administrator `local`: for whoever has the data directory in their own hands.
    pub(crate) local: bool,
}

impl ServiceOptions {
    /// The defaults on the data directory `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self::at(Place::Folder(data.into()))
    }

    /// The defaults.
    pub fn at(place: Place) -> Self {
        Self {
            place,
            store: backroom_store::Options::default(),
            runtime: RuntimeOptions::default(),
            limits: ServiceLimits::default(),
            host: None,
        }
    }
}

impl Service {
    /// Opens the place and holds it until the last clone is dropped or [`Service::close`] ends. Blocks: on a data directory
    /// some seconds after a crash.
    ///
    /// # Errors
    /// [`StoreError::Locked`](backroom_store::StoreError::Locked), which names the holder, if another process has the directory open; what opening reports.
    pub fn open(options: ServiceOptions) -> Result<Self, ServiceError> {
        let runtime = Runtime::new(runtime_options(&options));
        let runtime = Arc::new(runtime.map_err(|error| ServiceError::Runtime(error.to_string()))?);
        let (limits, host) = (options.limits.clone(), options.host.clone());
        // The runtime outlives a failed store: compiled releases and the pool of instances have nothing to do with it.
        let opener: Opener = Box::new(move || {
            let (store, releases) = match &options.place {
                Place::Folder(data) => (Store::open(data, options.store.clone())?, data.join("releases")),
                Place::Database { url, cache } => {
                    let store = Store::open_postgres(url, &options.store, &PostgresOptions::default())?;
                    (store, cache.join("releases"))
                }
            };
            let runner = Runner::new(store.clone(), Arc::clone(&runtime), &releases);
            let runner = runner.map_err(|error| ServiceError::Runtime(error.to_string()))?;
            Ok(Backing { store, workflows: Arc::new(runner) })
        });
        Self::named(opener, limits, host)
    }

    /// A service on any backing, for tests: `opener` is called now, and again after each failure of the store.
    ///
    /// # Errors
    /// What `opener` reports.
    pub fn with_opener(opener: Opener, limits: ServiceLimits) -> Result<Self, ServiceError> {
        Self::named(opener, limits, None)
    }

    fn named(opener: Opener, limits: ServiceLimits, host: Option<String>) -> Result<Self, ServiceError> {
        let keeper = Keeper::open(opener)?;
        // Two below the capacity, so that the pool of instances never errors.
        let capacity = keeper.current()?.workflows.capacity().saturating_sub(2).max(1);
        let limits = ServiceLimits { guests: limits.guests.min(capacity), ..limits };
        let host = host.unwrap_or_else(|| format!("process-{}", std::process::id()));
        let (admission, wake) = (Admission::new(limits.clone()), Notify::new());
        Ok(Self { shared: Arc::new(Shared { keeper, admission, limits, host, wake, conflicts: AtomicU64::new(0) }) })
    }

    /// Every route, for callers with a key.
    pub fn router(&self) -> Router {
        routes::router(Api { shared: Arc::clone(&self.shared), local: false })
    }

    /// The same routes, where every caller is the administrator `local`. Never to be bound to a port: it is for the command
    /// line, on a data directory that no server holds.
    pub fn local_router(&self) -> Router {
        routes::router(Api { shared: Arc::clone(&self.shared), local: true })
    }

    /// On a place without any key: makes an administrator's key named `admin` and gives its secret, which is not
    /// kept and cannot be shown again. Blocks until it is on disk.
    ///
    /// # Errors
    /// What the store reports.
    pub fn create_first_key(&self) -> Result<Option<String>, ServiceError> {
        let open = self.shared.keeper.current()?;
        loop {
            if open.office.has_keys()? {
                return Ok(None);
            }
            match first_key(&open) {
                // Another host did something first: perhaps just this.
                Err(
                    ServiceError::Store(StoreError::Conflict)
                    | ServiceError::Office(Failure::Store(StoreError::Conflict)),
                ) => {}
                made => return made,
            }
        }
    }

    /// Ends the service: work under way gets [`ServiceLimits::drain_time`], further requests are answered `unavailable`, then
    /// the store is closed.
    ///
    /// # Errors
    /// What closing the store reports. Nothing that was acknowledged is lost in any case.
    pub async fn close(&self) -> Result<(), ServiceError> {
        self.shared.keeper.close(self.shared.limits.drain_time).await
    }
}

/// Compiled code is kept beside the releases that it was made of.
fn runtime_options(options: &ServiceOptions) -> RuntimeOptions {
    let mut runtime = options.runtime.clone();
    let folder = match &options.place {
        Place::Folder(data) => data.join("compiled"),
        Place::Database { cache, .. } => cache.join("compiled"),
    };
    let key = options.store.master_key.as_ref().map(|key| CacheKey::new(key.derive(CacheKey::PURPOSE)));
    runtime.compile.cache.get_or_insert_with(|| CacheOptions::new(folder, key));
    runtime
}

fn first_key(open: &Open) -> Result<Option<String>, ServiceError> {
    let secret = draw_secret()?;
    let Some(written) = open.office.create_first_key(clock::now(), &secret)? else { return Ok(None) };
    if let Some(ticket) = written.ticket {
        ticket.wait()?;
    }
    Ok(Some(secret))
}

/// A new secret of an API key.
pub(crate) fn draw_secret() -> Result<String, ServiceError> {
    secret::draw().map_err(|error| ServiceError::Io {
        what: "drawing random numbers for a key".to_owned(),
        source: std::io::Error::other(error.to_string()),
    })
}

impl Api {
    /// What is open now, or 503.
    pub(crate) fn current(&self) -> Result<Arc<Open>, Problem> {
        Ok(self.shared.keeper.current()?)
    }

    /// If the store has stopped, opening it again begins.
    pub(crate) fn check(&self, open: &Arc<Open>) {
        if let Some(why) = open.failed() {
            self.shared.keeper.lost(open, &why);
        }
    }

    /// The problem that a failure is to the caller. If it means that the store has stopped, opening it again begins.
    pub(crate) fn failure(&self, open: &Arc<Open>, failure: Failure) -> Problem {
        match failure {
            // The runtime says so of a store that failed it.
            Failure::Business(error) if error.class == Class::Unavailable => {
                tracing::warn!(%error, "unavailable");
                self.check(open);
                Problem::unavailable(
                    "unavailable",
                    "the service cannot do it now; send the same again, with the same id: it is done at most once",
                    2,
                )
            }
            Failure::Business(error) => error.into(),
            Failure::Store(error) => {
                // Not for every `Unavailable`: a store without room refuses for a while, and reading goes on.
                self.check(open);
                error.into()
            }
        }
    }
}
