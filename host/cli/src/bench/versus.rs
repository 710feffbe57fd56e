//! The full run beside bare wasmtime, in one process, in blocks that alternate, so that noise of the machine hits both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use backroom_runtime::Mode;
use backroom_runtime::bare::Bare;
use serde::Serialize;

use super::ground::Ground;
use super::stats::{Spread, ratio};

/// Calls in one block: some milliseconds.
const BLOCK: usize = 100;
/// Host calls of a lookup run; a run may make 10,000.
const LOOKUPS: u32 = 1_000;
/// Calls before anything is counted.
const WARM_UP: usize = 500;

/// A run without effects.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct NoEffects {
    pub(crate) bare: Spread,
    pub(crate) full: Spread,
    /// Of the medians.
    pub(crate) ratio: f64,
}

/// A host call that reads one record.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct OneRead {
    pub(crate) calls_a_run: u32,
    /// Microseconds of one call with its grant check, by medians.
    pub(crate) full_us: f64,
    /// Microseconds of the same call to a host function that only answers.
    pub(crate) bare_us: f64,
}

/// Measures runs without effects for as long as `time`.
pub(crate) fn no_effects(ground: &Ground, time: Duration) -> anyhow::Result<NoEffects> {
    let input = ground.reading();
    let sides = Sides::new(ground)?;
    let [mut bare, mut full] = alternate(time, [&|| sides.bare(&input), &|| sides.full(&input)])?;
    let (bare, full) = (Spread::of(&mut bare), Spread::of(&mut full));
    Ok(NoEffects { bare, full, ratio: ratio(full.p50_us, bare.p50_us) })
}

/// Measures lookups for as long as `time`: runs with many of them less runs with none.
pub(crate) fn one_read(ground: &Ground, time: Duration) -> anyhow::Result<OneRead> {
    let (many, none) = (ground.lookups(LOOKUPS), ground.lookups(0));
    let sides = Sides::new(ground)?;
    let measured =
        alternate(time, [&|| sides.full(&many), &|| sides.full(&none), &|| sides.bare(&many), &|| sides.bare(&none)])?;
    let [full_many, full_none, bare_many, bare_none] = measured.map(|mut times| Spread::of(&mut times).p50_us);
    let each = |many: f64, none: f64| (many - none) / f64::from(LOOKUPS);
    Ok(OneRead { calls_a_run: LOOKUPS, full_us: each(full_many, full_none), bare_us: each(bare_many, bare_none) })
}

/// The same component both ways, each call on a fresh store and instance.
struct Sides<'a> {
    ground: &'a Ground,
    bare: Bare,
    prepared: backroom_runtime::bare::BarePlugin,
}

impl<'a> Sides<'a> {
    fn new(ground: &'a Ground) -> anyhow::Result<Self> {
        let bare = Bare::new(ground.runtime.clone())?;
        let prepared = bare.prepare(&ground.plugin)?;
        Ok(Self { ground, bare, prepared })
    }

    fn bare(&self, input: &str) -> anyhow::Result<()> {
        let returned = self.bare.run(&self.prepared, input);
        returned.map(drop).map_err(|why| anyhow!("the bare run ended badly: {why}"))
    }

    fn full(&self, input: &Arc<str>) -> anyhow::Result<()> {
        let tenant = self.ground.tenants.first().copied().unwrap_or_default();
        self.ground.run(tenant, input, Mode::DryRun).map(drop)
    }
}

type Work<'a> = &'a dyn Fn() -> anyhow::Result<()>;

/// Times of each kind of work, in blocks that take turns until `time` is over.
fn alternate<const N: usize>(time: Duration, work: [Work<'_>; N]) -> anyhow::Result<[Vec<Duration>; N]> {
    for one in work {
        let began = Instant::now();
        for _ in 0..WARM_UP {
            one()?;
            // Slow work is warm after a few calls.
            if began.elapsed() > time / 10 {
                break;
            }
        }
    }
    let mut times = std::array::from_fn(|_| Vec::new());
    let began = Instant::now();
    while began.elapsed() < time {
        for (one, times) in work.iter().zip(&mut times) {
            for _ in 0..BLOCK {
                let start = Instant::now();
                one()?;
                times.push(start.elapsed());
            }
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_turns_and_a_failure_ends_it() {
        let count = std::cell::Cell::new(0);
        let counted = || {
            count.set(count.get() + 1);
            std::thread::sleep(Duration::from_micros(10));
            Ok(())
        };
        let [a, b] = alternate(Duration::from_millis(5), [&counted, &|| Ok(())]).unwrap();
        assert_eq!(a.len(), b.len());
        assert!(a.len() >= BLOCK && a.len() % BLOCK == 0);
        assert!(alternate(Duration::from_millis(5), [&|| Err(anyhow!("no"))]).is_err());
    }
}
