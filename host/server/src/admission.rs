//! Admission: who may take a thread, and who waits or is sent away.
//!
//! Waiting happens here, in async land, and costs no thread. A permit moves into the work it was given for, so that work
//! that goes on after its caller went away still counts. Tenants wait for each other only if all guests together are more
//! than the machine has room for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backroom_store::TenantNo;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::limits::ServiceLimits;
use crate::problem::Problem;

/// What a request is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Reads the store.
    Read,
    /// Writes to the store without a guest: takes the tenant's turn.
    Write,
    /// Runs a guest that may commit: takes the tenant's turn.
    Run,
    /// Runs a guest, or compiles one, without the tenant's turn.
    Plan,
    /// Reads or writes a whole log: a backup, a tenant that leaves or arrives. One at a time, and in nobody's way.
    Archive,
}

/// Held while the work lasts.
#[derive(Debug)]
pub(crate) struct Permit {
    _held: Vec<OwnedSemaphorePermit>,
}

/// The gates of one tenant.
struct Lane {
    /// Runs and writes, waiting and under way.
    queue: Arc<Semaphore>,
    /// Of one: whoever waits for the turn waits here, not on a thread in the store.
    turn: Arc<Semaphore>,
    plans: Arc<Semaphore>,
    /// Reads, waiting and under way.
    read_queue: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    /// Of one: a tenant that sends slowly takes one place of those for all, not every one.
    large_body: Arc<Semaphore>,
    archive: Arc<Semaphore>,
}

/// The gates of the service.
pub(crate) struct Admission {
    limits: ServiceLimits,
    guests: Arc<Semaphore>,
    store: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
    /// One lane per tenant that ever asked: some 500 bytes each, never taken away.
    lanes: Mutex<HashMap<TenantNo, Arc<Lane>>>,
    turned_away: AtomicU64,
    gave_up: AtomicU64,
}

/// Who did not get in since the start, and what there is room for now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AdmissionFigures {
    /// Requests that found the queue of their tenant full: 429.
    turned_away: u64,
    /// Requests that waited for as long as one may: 503.
    gave_up: u64,
    /// Guests that could begin at once.
    free_guests: usize,
}

impl Admission {
    pub(crate) fn new(limits: ServiceLimits) -> Self {
        let gate = |permits: usize| Arc::new(Semaphore::new(permits));
        let (guests, store, large_bodies) =
            (gate(limits.guests), gate(limits.store_threads), gate(limits.large_bodies));
        let (turned_away, gave_up) = Default::default();
        Self { limits, guests, store, large_bodies, lanes: Mutex::default(), turned_away, gave_up }
    }

    pub(crate) fn figures(&self) -> AdmissionFigures {
        AdmissionFigures {
            turned_away: self.turned_away.load(Ordering::Relaxed),
            gave_up: self.gave_up.load(Ordering::Relaxed),
            free_guests: self.guests.available_permits(),
        }
    }

    /// Waits until the work may begin.
    ///
    /// # Errors
    /// 429 if the tenant's queue is full; 503 after [`ServiceLimits::queue_time`].
    pub(crate) async fn enter(&self, tenant: TenantNo, task: Task) -> Result<Permit, Problem> {
        let lane = self.lane(tenant);
        let (queue, own, shared) = match task {
            Task::Read => (&lane.read_queue, &lane.reads, &self.store),
            Task::Write => (&lane.queue, &lane.turn, &self.store),
            Task::Run => (&lane.queue, &lane.turn, &self.guests),
            Task::Plan => (&lane.queue, &lane.plans, &self.guests),
            Task::Archive => (&lane.queue, &lane.archive, &self.store),
        };
        let Ok(place) = Arc::clone(queue).try_acquire_owned() else {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(Problem::too_many(
                "too many requests are under way or waiting for this tenant, or for the provider if it is about no tenant; try \
                 again later",
            ));
        };
        let own = self.wait(own).await?;
        let shared = self.wait(shared).await?;
        Ok(Permit { _held: vec![place, own, shared] })
    }

    /// For looking up a key or a tenant, before it is known whose lane it is.
    pub(crate) async fn enter_lookup(&self) -> Result<Permit, Problem> {
        Ok(Permit { _held: vec![self.wait(&self.store).await?] })
    }

    /// For keeping a large body in memory.
    pub(crate) async fn enter_large_body(&self, tenant: TenantNo) -> Result<Permit, Problem> {
        let own = self.wait(&self.lane(tenant).large_body).await?;
        Ok(Permit { _held: vec![own, self.wait(&self.large_bodies).await?] })
    }

    async fn wait(&self, gate: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(self.limits.queue_time, Arc::clone(gate).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(Problem::internal(&closed)),
            Err(_) => {
                self.gave_up.fetch_add(1, Ordering::Relaxed);
                Err(Problem::unavailable("busy", "the service is busy; nothing was done, try again", 5))
            }
        }
    }

    fn lane(&self, tenant: TenantNo) -> Arc<Lane> {
        let gate = |permits: usize| Arc::new(Semaphore::new(permits));
        let lane = || {
            Arc::new(Lane {
                queue: gate(self.limits.queue_per_tenant),
                turn: gate(1),
                plans: gate(self.limits.plans_per_tenant),
                read_queue: gate(self.limits.queue_per_tenant + self.limits.reads_per_tenant),
                reads: gate(self.limits.reads_per_tenant),
                large_body: gate(1),
                archive: gate(1),
            })
        };
        Arc::clone(self.lanes.lock().entry(tenant).or_insert_with(lane))
    }
}
