//! Durable runs a second: many callers, each waiting until its own run is on disk before it asks for the next.
//!
//! As in the service, no thread waits for a caller: not while another run has the tenant's turn, and not while the disk
//! syncs. A few guest threads make all runs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use backroom_store::{StoreError, TenantNo};
use parking_lot::{Condvar, Mutex};
use serde::Serialize;

use super::ground::Ground;
use super::stats::Spread;

/// Callers at once.
pub(crate) const CALLERS: usize = 64;
/// Guest threads for each processor: one runs while another one waits for a page of memory or for a lock.
const GUESTS: usize = 2;
/// A run wants 2 MiB of stack; the rest is for the thread's own frames.
const STACK: usize = 4 << 20;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Durable {
    pub(crate) callers: usize,
    pub(crate) tenants: usize,
    pub(crate) guest_threads: usize,
    pub(crate) per_second: f64,
    /// From the request until it is on disk.
    #[serde(flatten)]
    pub(crate) each: Spread,
    /// `fdatasync` calls of the log meanwhile: how many runs shared one.
    pub(crate) runs_a_sync: f64,
}

/// Where callers wait: for their tenant's turn, and then for the disk.
struct Desk {
    state: Mutex<State>,
    more: Condvar,
}

struct State {
    lanes: Vec<Lane>,
    /// Lanes where somebody waits and nobody runs, in the order in which they came to be so.
    ready: VecDeque<usize>,
    /// How long each run took whose caller was told that it is on disk.
    times: Vec<Duration>,
    /// Reference of the next order.
    next: u64,
    over: bool,
    failed: Option<anyhow::Error>,
}

/// Callers of one tenant.
struct Lane {
    tenant: TenantNo,
    /// Since when each of them waits.
    waiting: VecDeque<Instant>,
    running: bool,
}

impl State {
    /// A caller asks; whether its run may begin at once.
    fn ask(&mut self, lane: usize) -> bool {
        let Some(place) = self.lanes.get_mut(lane) else { return false };
        place.waiting.push_back(Instant::now());
        let first = !place.running && place.waiting.len() == 1;
        if first {
            self.ready.push_back(lane);
        }
        first
    }

    /// The next run that may begin: its lane, its tenant, since when it is waited for, its order's number.
    fn take(&mut self) -> Option<(usize, TenantNo, Instant, u64)> {
        let lane = self.ready.pop_front()?;
        let place = self.lanes.get_mut(lane)?;
        let since = place.waiting.pop_front()?;
        place.running = true;
        self.next += 1;
        Some((lane, place.tenant, since, self.next))
    }

    /// The tenant's turn goes to whoever waits for it.
    fn pass_on(&mut self, lane: usize) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        place.running = false;
        if !place.waiting.is_empty() {
            self.ready.push_back(lane);
        }
    }
}

impl Desk {
    fn open(tenants: &[TenantNo], first: u64) -> Arc<Self> {
        let lane = |tenant: &TenantNo| Lane { tenant: *tenant, waiting: VecDeque::new(), running: false };
        let mut state = State {
            lanes: tenants.iter().map(lane).collect(),
            ready: VecDeque::new(),
            times: Vec::new(),
            next: first,
            over: false,
            failed: None,
        };
        for caller in 0..CALLERS {
            state.ask(caller % tenants.len().max(1));
        }
        Arc::new(Self { state: Mutex::new(state), more: Condvar::new() })
    }

    /// A guest thread, until it is over.
    fn serve(self: &Arc<Self>, ground: &Ground) {
        loop {
            let mut state = self.state.lock();
            let (lane, tenant, since, number) = loop {
                if state.over {
                    return;
                }
                match state.take() {
                    Some(next) => break next,
                    None => self.more.wait(&mut state),
                }
            };
            drop(state);
            if let Err(error) = self.run(ground, lane, tenant, since, number) {
                self.fail(error);
            }
        }
    }

    fn run(
        self: &Arc<Self>,
        ground: &Ground,
        lane: usize,
        tenant: TenantNo,
        since: Instant,
        number: u64,
    ) -> anyhow::Result<()> {
        let (report, ticket) = ground.run_unproven(tenant, &ground.booking(&format!("B-{number}")))?;
        self.state.lock().pass_on(lane);
        if report.effects.len() != 2 {
            let found = report.effects.len();
            return Err(anyhow!("a run had {found} effects where one entry and one move were asked for"));
        }
        let desk = Arc::clone(self);
        ticket.on_durable(Box::new(move |outcome| desk.tell(lane, since, outcome)));
        Ok(())
    }

    /// The caller hears that it is on disk, and asks for the next.
    fn tell(&self, lane: usize, since: Instant, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome {
            return self.fail(error.into());
        }
        let mut state = self.state.lock();
        state.times.push(since.elapsed());
        let first = state.ask(lane);
        drop(state);
        if first {
            self.more.notify_one();
        }
    }

    fn fail(&self, error: anyhow::Error) {
        let mut state = self.state.lock();
        state.over = true;
        state.failed.get_or_insert(error);
        drop(state);
        self.more.notify_all();
    }

    /// Waits for so long, and ends it.
    fn watch(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.state.lock().over && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.state.lock().over = true;
        self.more.notify_all();
    }
}

/// Measures for as long as `time`, after a beginning that does not count: until every guest thread has had its stack, its
/// place in the pool of instances and its part of the caches. Every run posts one journal entry and one move, and is checked
/// to have done so.
pub(crate) fn durable(ground: &Ground, time: Duration) -> anyhow::Result<Durable> {
    let mut first = 0;
    measure(ground, time / 5, &mut first)?;
    measure(ground, time, &mut first)
}

fn measure(ground: &Ground, time: Duration, first: &mut u64) -> anyhow::Result<Durable> {
    let guest_threads = GUESTS * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let desk = Desk::open(&ground.tenants, *first);
    let syncs = ground.runner.store().status().syncs;
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..guest_threads {
            let guest = std::thread::Builder::new().name("guest".to_owned()).stack_size(STACK);
            if let Err(error) = guest.spawn_scoped(scope, || desk.serve(ground)) {
                desk.fail(anyhow!("cannot start {guest_threads} threads: {error}"));
                return;
            }
        }
        desk.watch(time);
    });
    let took = began.elapsed();
    let syncs = ground.runner.store().status().syncs.saturating_sub(syncs).max(1);
    let mut state = desk.state.lock();
    if let Some(error) = state.failed.take() {
        return Err(error);
    }
    *first = state.next;
    let mut times = std::mem::take(&mut state.times);
    let runs = times.len() as f64;
    Ok(Durable {
        callers: CALLERS,
        tenants: ground.tenants.len(),
        guest_threads,
        per_second: runs / took.as_secs_f64(),
        each: Spread::of(&mut times),
        runs_a_sync: runs / syncs as f64,
    })
}
