//! Durable runs a second: many callers, each waiting until its own run is on disk before it asks for the next.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use backroom_runtime::Mode;
use serde::Serialize;

use super::ground::Ground;
use super::stats::Spread;

/// Callers at once.
pub(crate) const CALLERS: usize = 64;
/// A run wants 2 MiB of stack; the rest is for the caller's own frames.
const STACK: usize = 4 << 20;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Durable {
    pub(crate) callers: usize,
    pub(crate) tenants: usize,
    pub(crate) per_second: f64,
    /// From the request until it is on disk.
    #[serde(flatten)]
    pub(crate) each: Spread,
    /// `fdatasync` calls of the log meanwhile: how many runs shared one.
    pub(crate) runs_a_sync: f64,
}

/// Measures for as long as `time`, after a beginning that does not count: until every caller has had its stack, its place
/// in the pool of instances and its part of the caches. Every run posts one journal entry and one move, and is checked to
/// have done so.
pub(crate) fn durable(ground: &Ground, time: Duration) -> anyhow::Result<Durable> {
    let number = AtomicU64::new(0);
    measure(ground, time / 5, &number)?;
    measure(ground, time, &number)
}

fn measure(ground: &Ground, time: Duration, number: &AtomicU64) -> anyhow::Result<Durable> {
    let stop = &AtomicBool::new(false);
    let (all, failed) = (&Mutex::new(Vec::new()), &Mutex::new(None));
    let syncs = ground.runner.store().status().syncs;
    let began = Instant::now();
    let took = std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let work = move || {
                let ended = call(ground, caller, stop, number);
                match ended {
                    Ok(times) => lock(all).extend(times),
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        *lock(failed) = Some(error);
                    }
                }
            };
            let thread =
                std::thread::Builder::new().name("caller".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
            if let Err(error) = thread {
                stop.store(true, Ordering::Relaxed);
                return Err(anyhow!("cannot start {CALLERS} callers: {error}"));
            }
        }
        while began.elapsed() < time && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        Ok(began.elapsed())
    })?;
    if let Some(error) = lock(failed).take() {
        return Err(error);
    }
    let mut times = std::mem::take(&mut *lock(all));
    let syncs = ground.runner.store().status().syncs.saturating_sub(syncs).max(1);
    let runs = times.len() as f64;
    Ok(Durable {
        callers: CALLERS,
        tenants: ground.tenants.len(),
        per_second: runs / took.as_secs_f64(),
        each: Spread::of(&mut times),
        runs_a_sync: runs / syncs as f64,
    })
}

/// One caller, until it is told to stop.
fn call(ground: &Ground, caller: usize, stop: &AtomicBool, number: &AtomicU64) -> anyhow::Result<Vec<Duration>> {
    let tenant = ground.tenants.iter().cycle().nth(caller).copied().unwrap_or_default();
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let input = ground.booking(&format!("B-{}", number.fetch_add(1, Ordering::Relaxed)));
        let start = Instant::now();
        let report = ground.run(tenant, &input, Mode::Commit)?;
        times.push(start.elapsed());
        if report.effects.len() != 2 {
            return Err(anyhow!(
                "a run had {} effects where one entry and one move were asked for",
                report.effects.len()
            ));
        }
    }
    Ok(times)
}

/// A caller that panicked leaves the times of the others as they are.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
