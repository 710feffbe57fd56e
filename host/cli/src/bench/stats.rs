//! Figures out of measured times.

use std::time::Duration;

use serde::Serialize;

/// How long something takes: median and the slowest of a hundred, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) samples: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

impl Spread {
    /// Out of single times; all zero if there are none.
    pub(crate) fn of(times: &mut [Duration]) -> Self {
        times.sort_unstable();
        Self { samples: times.len(), p50_us: percentile(times, 50), p99_us: percentile(times, 99) }
    }
}

/// The nearest-rank percentile of sorted times, in microseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

/// `above / below`, or zero if there is nothing below.
pub(crate) fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let spread = Spread::of(&mut times);
        assert_eq!((spread.samples, spread.p50_us.round(), spread.p99_us.round()), (200, 100.0, 198.0));
        let one = Spread::of(&mut [Duration::from_micros(7)]);
        assert_eq!((one.p50_us.round(), one.p99_us.round()), (7.0, 7.0));
        assert_eq!(Spread::of(&mut []), Spread { samples: 0, p50_us: 0.0, p99_us: 0.0 });
        assert_eq!((ratio(3.0, 2.0), ratio(1.0, 0.0)), (1.5, 0.0));
    }
}
