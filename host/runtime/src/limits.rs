//! The budgets of one run: memory of the instance, host calls, deterministic work of the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backroom_office::runs::{Fault, FaultKind};
use backroom_store::records::Limits;
use wasmtime::ResourceLimiter;

/// The most that one host call, the input or the output may carry, in bytes.
pub(crate) const MAX_CARRIED: usize = 1 << 20;

/// What wasmtime may copy out of the guest in one call: [`MAX_CARRIED`] and room for the frames of lists and records.
pub(crate) const HOSTCALL_FUEL: usize = MAX_CARRIED + (64 << 10);

/// Handles alive at a time of resources that the host makes.
pub(crate) const MAX_HANDLES: usize = 1_000;

/// What wasmtime counts: these, those of resources that a component makes itself, and each once more while it is lent to a call.
pub(crate) const MAX_COUNTED_HANDLES: usize = 2 * MAX_HANDLES;

/// Work of one host call in units of fuel, whatever it does. A call that reads one record takes the time of some thousand
/// instructions.
const FUEL_PER_CALL: u64 = 2_000;
/// And for each KiB (or part of one) that it carries: copying, checking, encoding.
const FUEL_PER_KIB: u64 = 500;

/// An element of a table takes a pointer's worth of memory.
const TABLE_ELEMENT: u64 = 8;

/// Time in host calls: measured, and so different each time.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostTime(Arc<AtomicU64>);

impl HostTime {
    /// A host call begins.
    pub(crate) fn enter(&self) -> InHost {
        InHost { began: Instant::now(), total: Arc::clone(&self.0) }
    }

    /// What all calls that have ended took.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A host call under way: counted until it is dropped, however the call ends.
#[must_use = "what is dropped at once counts for nothing"]
pub(crate) struct InHost {
    began: Instant,
    total: Arc<AtomicU64>,
}

impl Drop for InHost {
    fn drop(&mut self) {
        let nanos = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.total.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// The fault of more than `limits` allow.
pub(crate) fn out_of_host_time(limits: &Limits) -> Fault {
    let message =
        format!("its host calls took longer than {} ms; do less in one run, or raise the limit", limits.host_ms);
    Fault::new(FaultKind::HostTime, message)
}

/// Host calls and the work that they made. The same calls always count the same, on every machine.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) calls: u32,
    pub(crate) fuel: u64,
    /// The call that fails on purpose, if one is to.
    pub(crate) fails_at: Option<u32>,
}

impl Meter {
    /// Counts a call that carries `bytes` into the host.
    pub(crate) fn enter(&mut self, limits: &Limits, bytes: usize) -> Result<(), Fault> {
        self.calls = self.calls.saturating_add(1);
        if self.calls > limits.host_calls {
            let message = format!("more than {} host calls; do the work in fewer, larger calls", limits.host_calls);
            return Err(Fault::new(FaultKind::HostCalls, message));
        }
        if self.fails_at == Some(self.calls) {
            let message = format!("host call {} was made to fail", self.calls);
            return Err(Fault::new(FaultKind::Store, message));
        }
        self.fuel = self.fuel.saturating_add(FUEL_PER_CALL);
        self.carry(limits, bytes)
    }

    /// Counts `bytes` that a call carries.
    pub(crate) fn carry(&mut self, limits: &Limits, bytes: usize) -> Result<(), Fault> {
        let kib = u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX);
        self.fuel = self.fuel.saturating_add(kib.saturating_mul(FUEL_PER_KIB));
        if self.fuel > limits.fuel { Err(out_of_fuel(limits)) } else { Ok(()) }
    }
}

pub(crate) fn out_of_fuel(limits: &Limits) -> Fault {
    let message =
        format!("the budget of {} units of work is used up; do less in one run, or raise the limit", limits.fuel);
    Fault::new(FaultKind::Fuel, message)
}

/// Memory of an instance: all of its memories and tables together.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: u64,
    used: u64,
    /// The most that was in use.
    pub(crate) peak: u64,
    /// Whether more was asked for and refused. A guest may live with that, but most give up.
    pub(crate) refused: bool,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0, peak: 0, refused: false }
    }

    pub(crate) fn fault(&self) -> Fault {
        let message = format!(
            "it needs more than its {} KiB of memory; work on less at a time, or raise the limit",
            self.limit >> 10
        );
        Fault::new(FaultKind::Memory, message)
    }

    /// A memory or table grows from `current` to `desired` bytes.
    fn grow(&mut self, current: u64, desired: u64) -> bool {
        let wanted = self.used.saturating_add(desired.saturating_sub(current));
        if wanted > self.limit {
            self.refused = true;
            return false;
        }
        self.used = wanted;
        self.peak = self.peak.max(wanted);
        true
    }
}

fn bytes(count: usize, each: u64) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(each)
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(bytes(current, 1), bytes(desired, 1)))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // Counted but not given: the run is near its end anyway, so the count is left as it is.
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(bytes(current, TABLE_ELEMENT), bytes(desired, TABLE_ELEMENT)))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_together() {
        let mut memory = Memory::new(100_000);
        let rows = [
            // (is a memory, current, desired, allowed, peak after)
            (true, 0, 65_536, true, 65_536),
            (false, 0, 1_000, true, 73_536),
            (true, 0, 30_000, false, 73_536),
            (false, 1_000, 4_000, true, 97_536),
            (true, 0, usize::MAX, false, 97_536),
        ];
        for (at, (is_memory, current, desired, allowed, peak)) in rows.into_iter().enumerate() {
            let grown = match is_memory {
                true => memory.memory_growing(current, desired, None),
                false => memory.table_growing(current, desired, None),
            };
            assert_eq!((grown.unwrap(), memory.peak), (allowed, peak), "row {at}");
        }
        assert!(memory.refused);
    }

    #[test]
    fn calls_and_their_bytes_are_counted_and_bounded() {
        let limits = Limits { host_calls: 2, fuel: 6_000, ..Limits::default() };
        let mut meter = Meter::default();
        meter.enter(&limits, 0).unwrap();
        assert_eq!((meter.calls, meter.fuel), (1, 2_000));
        meter.enter(&limits, 1_025).unwrap();
        assert_eq!((meter.calls, meter.fuel), (2, 5_000));
        meter.carry(&limits, 2_048).unwrap();
        assert_eq!(meter.carry(&limits, 1).unwrap_err().kind, FaultKind::Fuel);
        assert_eq!(meter.enter(&limits, 0).unwrap_err().kind, FaultKind::HostCalls);
    }

    #[test]
    fn a_call_fails_on_purpose_as_with_a_store_that_gave_up() {
        let (limits, mut meter) = (Limits::default(), Meter { fails_at: Some(2), ..Meter::default() });
        meter.enter(&limits, 0).unwrap();
        let fault = meter.enter(&limits, 0).unwrap_err();
        assert!(fault.kind.is_passing(), "{fault}");
    }
}
