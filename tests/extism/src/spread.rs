//! Figures out of measured times.

use std::time::Duration;

/// How long something takes: median and the slowest of a hundred, in microseconds.
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Spread {
    /// By nearest rank; there has to be one time at least.
    pub(crate) fn of<'a>(times: impl IntoIterator<Item = &'a Duration>) -> Self {
        let mut sorted: Vec<Duration> = times.into_iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e6;
        Self { p50: at(50), p99: at(99) }
    }
}
