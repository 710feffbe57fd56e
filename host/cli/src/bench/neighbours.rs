//! What a tenant that takes all it may is to another one: the other one's durable runs, alone and beside it, in blocks that
//! alternate, so that noise of the machine hits both.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use backroom_runtime::Mode;
use backroom_server::ServiceLimits;
use backroom_store::TenantNo;
use serde::Serialize;

use super::ground::Ground;
use super::stats::{Spread, ratio};

/// One block: some dozens of durable runs.
const BLOCK: Duration = Duration::from_millis(200);
/// After the crowd was let in or sent away: what it had begun comes to an end meanwhile, and does not count for either.
const SETTLE: Duration = Duration::from_millis(100);
/// Host calls of one run of the crowd: it keeps a processor for some ten milliseconds.
const LOOKUPS: u32 = 10_000;
/// A run wants 2 MiB of stack; the rest is for the caller's own frames.
const STACK: usize = 4 << 20;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Neighbours {
    /// Runs of the crowding tenant at a time: as many as a tenant is let in with.
    pub(crate) crowd: usize,
    /// Runs that it made meanwhile.
    pub(crate) crowd_runs: u64,
    pub(crate) alone: Spread,
    pub(crate) beside: Spread,
    /// Of the slowest of a hundred.
    pub(crate) p99_ratio: f64,
}

/// Measures for as long as `time`.
pub(crate) fn measure(ground: &Ground, time: Duration) -> anyhow::Result<Neighbours> {
    let [quiet, crowding] = *ground.tenants.first_chunk::<2>().ok_or_else(|| anyhow!("two tenants are needed"))?;
    // All plans of a tenant, and its one writer.
    let crowd = ServiceLimits::default().plans_per_tenant + 1;
    let (stop, let_in, runs) = (&AtomicBool::new(false), &AtomicBool::new(false), &AtomicU64::new(0));
    let failed = &Mutex::new(None);
    let spreads = std::thread::scope(|scope| {
        for at in 0..crowd {
            let work = move || {
                if let Err(error) = press(ground, crowding, at, stop, let_in, runs) {
                    stop.store(true, Ordering::Relaxed);
                    *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                }
            };
            let thread =
                std::thread::Builder::new().name("crowd".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
            if let Err(error) = thread {
                stop.store(true, Ordering::Relaxed);
                return Err(error.into());
            }
        }
        let measured = alternate(ground, quiet, time, let_in);
        stop.store(true, Ordering::Relaxed);
        measured
    });
    let failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let (mut alone, mut beside) = failed.map_or(spreads, Err)?;
    let (alone, beside) = (Spread::of(&mut alone), Spread::of(&mut beside));
    let p99_ratio = ratio(beside.p99_us, alone.p99_us);
    Ok(Neighbours { crowd, crowd_runs: runs.load(Ordering::Relaxed), alone, beside, p99_ratio })
}

/// One place of the crowd: the first one writes, all others plan, without a pause for as long as they are let in.
fn press(
    ground: &Ground,
    tenant: TenantNo,
    at: usize,
    stop: &AtomicBool,
    let_in: &AtomicBool,
    runs: &AtomicU64,
) -> anyhow::Result<()> {
    let mode = if at == 0 { Mode::Commit } else { Mode::DryRun };
    while !stop.load(Ordering::Relaxed) {
        if !let_in.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        ground.run(tenant, &ground.lookups(LOOKUPS), mode)?;
        runs.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Times alone, and beside the crowd.
fn alternate(
    ground: &Ground,
    tenant: TenantNo,
    time: Duration,
    let_in: &AtomicBool,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let (mut alone, mut beside, mut number) = (Vec::new(), Vec::new(), 0_u64);
    let began = Instant::now();
    // The first pair is for stacks, caches and places in the pool.
    let mut warm = false;
    while began.elapsed() < time || beside.is_empty() {
        for (crowded, times) in [(false, &mut alone), (true, &mut beside)] {
            let_in.store(crowded, Ordering::Relaxed);
            std::thread::sleep(SETTLE);
            let block = Instant::now();
            while block.elapsed() < BLOCK {
                number += 1;
                let input = ground.booking(&format!("N-{number}"));
                let start = Instant::now();
                ground.run(tenant, &input, Mode::Commit)?;
                if warm {
                    times.push(start.elapsed());
                }
            }
        }
        warm = true;
    }
    let_in.store(false, Ordering::Relaxed);
    Ok((alone, beside))
}
