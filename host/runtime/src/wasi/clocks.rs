//! `wasi:clocks`: the run's time, and one that moves when it is looked at.

use wasmtime::component::Resource;

use super::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use super::poll::Pollable;
use crate::guest::Guest;

/// Every look at the monotonic clock takes a millisecond: a loop that looks until a second is over comes to its end, and ten
/// thousand host calls see ten seconds.
const STEP: u64 = 1_000_000;

/// Nanoseconds since the run began, as the guest sees them. Nothing of it depends on how long anything takes.
#[derive(Default)]
pub(super) struct Monotonic(u64);

impl Monotonic {
    /// The time now, which is later the next time.
    pub(super) fn read(&mut self) -> u64 {
        let now = self.0;
        self.0 = now.saturating_add(STEP);
        now
    }

    pub(super) fn has_reached(&self, moment: u64) -> bool {
        moment <= self.0
    }

    /// Never back.
    pub(super) fn jump_to(&mut self, moment: u64) {
        self.0 = self.0.max(moment);
    }
}

impl monotonic_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.observe(8)?.monotonic.read())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.observe(8)?;
        Ok(STEP)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<Pollable>> {
        self.hand_out(Pollable::At(when))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<Pollable>> {
        // As handing out makes it, so it counts once.
        let now = self.wasi.as_ref().map_or(0, |wasi| wasi.monotonic.0);
        self.hand_out(Pollable::At(now.saturating_add(duration)))
    }
}

impl wall_clock::Host for Guest {
    /// The same for the whole run, as the contract's clock.
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.observe(16)?;
        let microseconds = self.names.now.0;
        let nanoseconds = u32::try_from(microseconds % 1_000_000).unwrap_or(0) * 1_000;
        Ok(wall_clock::Datetime { seconds: microseconds / 1_000_000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.observe(16)?;
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_ends() {
        let mut clock = Monotonic::default();
        assert_eq!((clock.read(), clock.read()), (0, STEP));
        clock.jump_to(STEP);
        assert!(clock.has_reached(2 * STEP) && !clock.has_reached(2 * STEP + 1));
        clock.jump_to(u64::MAX);
        assert_eq!((clock.read(), clock.read()), (u64::MAX, u64::MAX));
    }
}
