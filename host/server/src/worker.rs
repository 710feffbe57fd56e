//! The worker: does the runs that wait, of any tenant, as far as this host has room.
//!
//! ```text
//! wake or poll -> lease queues (no more than can be begun) -> for each: admission, run, durable, next -> release
//! ```
//!
//! Runs of the queue go through the same gates as requests, one of a tenant at a time, so that they never starve these. A
//! thread of its own renews the leases: were it to stop with the process, another host takes over, and the fence keeps this
//! one from committing afterwards. Nothing is lost whatever happens here: a run stays queued until its own commit.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use backroom_domain::Id;
use backroom_runtime::{Held, RunnerError};
use backroom_store::{Lease, Leases as _, TenantNo, Ticket};
use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::admission::Task;
use crate::clock;
use crate::keeper::Open;
use crate::service::Shared;
use crate::session::blocking;

/// How often it is looked for runs that other hosts have queued. What this host queues wakes it at once.
const POLL: Duration = Duration::from_secs(1);
/// After so many runs of one tenant others have their turn.
const RUNS_PER_LEASE: u32 = 16;
/// Before a tenant's queue is tried again when the service could not do a run; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a run is begun anew because another host committed for the tenant first, before others have their turn.
const RERUNS: u32 = 16;

/// A worker. Dropping it lets it end as [`Worker::stop`] does, without anybody waiting.
pub(crate) struct Worker {
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Worker {
    /// Starts one; none if this host is to serve requests alone.
    pub(crate) fn start(shared: &Arc<Shared>) -> Option<Self> {
        if shared.limits.workers == 0 {
            return None;
        }
        let (stop, stopped) = watch::channel(false);
        let crew = Arc::new(Crew {
            shared: Arc::clone(shared),
            stopped,
            held: Arc::new(Leased::default()),
            failures: Mutex::default(),
        });
        if let Err(error) = Leased::keep(&crew.held, Arc::downgrade(shared)) {
            tracing::error!(%error, "no thread for the leases; this host does no queued runs");
            return None;
        }
        Some(Self { stop, ended: tokio::spawn(crew.work()) })
    }

    /// Takes no further leases, lets the runs under way end, and gives the leases back.
    pub(crate) async fn stop(self, patience: Duration) {
        self.stop.send_replace(true);
        if timeout(patience, self.ended).await.is_err() {
            tracing::warn!("some queued runs did not end in time; another host does them when their lease is over");
        }
    }
}

struct Crew {
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
    held: Arc<Leased>,
    /// How often in a row the service could not do a run of the tenant.
    failures: Mutex<HashMap<TenantNo, u32>>,
}

/// What came of looking at a queue.
enum Step {
    /// A run was done.
    Done,
    /// Nothing waits.
    Empty,
    /// Another host committed for the tenant first.
    Conflict,
    /// The service cannot do it now.
    Later,
}

impl Crew {
    async fn work(self: Arc<Self>) {
        let room = Arc::new(Semaphore::new(self.shared.limits.workers));
        let mut queues = JoinSet::new();
        let mut stopped = self.stopped.clone();
        while !*stopped.borrow() {
            let places = room.available_permits();
            if places > 0 {
                for lease in self.lease(places).await {
                    let Ok(place) = Arc::clone(&room).try_acquire_owned() else { break };
                    queues.spawn(Arc::clone(&self).queue(lease, place));
                }
            }
            tokio::select! {
                () = self.shared.wake.notified() => {}
                () = sleep(POLL) => {}
                Some(_ended) = queues.join_next(), if !queues.is_empty() => {}
                _ = stopped.changed() => {}
            }
        }
        while queues.join_next().await.is_some() {}
    }

    async fn lease(&self, places: usize) -> Vec<Lease> {
        let Ok(open) = self.shared.keeper.current() else { return Vec::new() };
        let (host, ttl) = (self.shared.host.clone(), self.shared.limits.lease_time);
        let leased = tokio::task::spawn_blocking(move || open.office.store().lease(&host, places, ttl)).await;
        match leased {
            Ok(Ok(leases)) => {
                leases.iter().for_each(|lease| self.held.add(*lease));
                leases
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "no leases");
                Vec::new()
            }
            Err(panic) => {
                tracing::error!(%panic, "leasing panicked");
                Vec::new()
            }
        }
    }

    /// Works through one tenant's queue for as long as it has its turn.
    async fn queue(self: Arc<Self>, lease: Lease, place: OwnedSemaphorePermit) {
        let mut conflicts = 0;
        let mut pause = Duration::ZERO;
        let mut done = 0;
        // What a run has sent that begins anew: held, so that nothing is sent twice.
        let mut sent = None;
        while done < RUNS_PER_LEASE && conflicts < RERUNS && !*self.stopped.borrow() && self.held.has(lease) {
            match self.step(lease, &mut sent).await {
                Step::Done => {
                    done += 1;
                    conflicts = 0;
                    self.failures.lock().remove(&lease.tenant);
                }
                Step::Empty => break,
                Step::Conflict => {
                    conflicts += 1;
                    sleep(Duration::from_millis(u64::from(conflicts) * 5)).await;
                }
                Step::Later => {
                    pause = self.pause(lease.tenant);
                    break;
                }
            }
        }
        self.release(lease, pause).await;
        drop(place);
        // There is room for another one.
        self.shared.wake.notify_one();
    }

    /// The first run of the queue.
    async fn step(&self, lease: Lease, sent: &mut Option<Held>) -> Step {
        let Ok(permit) = self.shared.admission.enter(lease.tenant, Task::Run).await else { return Step::Later };
        let Ok(open) = self.shared.keeper.current() else { return Step::Later };
        let ran = blocking(permit, move || run_first(&open, lease)).await;
        let ticket = match ran {
            Ok(Ok(First::Done(ticket, held))) => {
                *sent = held.or(sent.take());
                ticket
            }
            Ok(Ok(First::Gone)) => return Step::Done,
            Ok(Ok(First::None)) => return Step::Empty,
            Ok(Err(error)) => return self.judge(&error),
            // A panic of the service is no reason to do the same again at once.
            Err(_) => return Step::Later,
        };
        let Some(ticket) = ticket else { return Step::Done };
        let (told, tells) = oneshot::channel();
        ticket.on_durable(Box::new(move |outcome| drop(told.send(outcome))));
        match tells.await {
            Ok(Ok(())) => {
                if let Some(sent) = sent.take() {
                    sent.recorded();
                }
                Step::Done
            }
            Ok(Err(error)) => self.judge(&error.into()),
            Err(_) => Step::Later,
        }
    }

    fn judge(&self, error: &RunnerError) -> Step {
        if matches!(error, RunnerError::Conflict) {
            self.shared.conflicts.fetch_add(1, Ordering::Relaxed);
            return Step::Conflict;
        }
        tracing::warn!(%error, "a queued run could not be done; it stays queued");
        self.shared.keeper.check();
        Step::Later
    }

    fn pause(&self, tenant: TenantNo) -> Duration {
        let mut failures = self.failures.lock();
        let count = failures.entry(tenant).or_default();
        let pause = FIRST_PAUSE.saturating_mul(1 << (*count).min(6)).min(LONGEST_PAUSE);
        *count += 1;
        pause
    }

    async fn release(&self, lease: Lease, pause: Duration) {
        self.held.remove(lease);
        let Ok(open) = self.shared.keeper.current() else { return };
        let released = tokio::task::spawn_blocking(move || open.office.store().release(lease, pause)).await;
        if let Ok(Err(error)) = released {
            tracing::debug!(%error, "a lease was not given back; it ends by itself");
        }
    }
}

/// What became of the run that came next.
enum First {
    /// It was done, and is durable when the ticket says so. What it sent is to be held until then.
    Done(Option<Ticket>, Option<Held>),
    /// Somebody did it in between.
    Gone,
    /// Nothing waits.
    None,
}

/// Does the run that comes next.
fn run_first(open: &Open, lease: Lease) -> Result<First, RunnerError> {
    let first: Option<Id> = {
        let tx = open.office.store().read(lease.tenant)?;
        backroom_office::queue::first(&tx)?.map(|place| place.id)
    };
    let Some(id) = first else { return Ok(First::None) };
    match open.workflows.run_queued(lease, &id, clock::now())? {
        Some(handle) => {
            tracing::info!(tenant = lease.tenant.0, run = %id, status = ?handle.report.status, "a queued run was done");
            Ok(First::Done(handle.ticket, handle.sent))
        }
        None => Ok(First::Gone),
    }
}

/// The leases of this host, and the thread that renews them.
#[derive(Default)]
struct Leased {
    leases: Mutex<HashSet<Lease>>,
    ended: Condvar,
}

impl Leased {
    fn add(&self, lease: Lease) {
        self.leases.lock().insert(lease);
    }

    fn has(&self, lease: Lease) -> bool {
        self.leases.lock().contains(&lease)
    }

    fn remove(&self, lease: Lease) {
        self.leases.lock().remove(&lease);
    }

    /// Starts the thread. It ends when the service or the worker does.
    fn keep(held: &Arc<Self>, shared: Weak<Shared>) -> std::io::Result<()> {
        let held = Arc::downgrade(held);
        thread::Builder::new().name("leases".to_owned()).spawn(move || {
            while let (Some(held), Some(shared)) = (held.upgrade(), shared.upgrade()) {
                let pause = shared.limits.lease_time / 3;
                held.renew(&shared);
                drop(shared);
                let mut leases = held.leases.lock();
                held.ended.wait_for(&mut leases, pause);
            }
        })?;
        Ok(())
    }

    fn renew(&self, shared: &Shared) {
        let leases: Vec<Lease> = self.leases.lock().iter().copied().collect();
        if leases.is_empty() {
            return;
        }
        let Ok(open) = shared.keeper.current() else { return };
        match open.office.store().renew(&shared.host, &leases, shared.limits.lease_time) {
            Ok(still) => {
                for lost in leases.iter().filter(|lease| !still.contains(lease)) {
                    // The run under way ends at its commit, which the fence refuses.
                    tracing::warn!(tenant = lost.tenant.0, "another host has taken the lease");
                    self.remove(*lost);
                }
            }
            Err(error) => tracing::warn!(%error, "the leases were not renewed"),
        }
    }
}
