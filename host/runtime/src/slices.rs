//! Processors among runs that take long: they have all but one of them, a tick each at a time, in turn.
//!
//! A run that is over within a tick never comes here. One that takes longer has to ask at each tick, and waits where others are before
//! it. So however many guests of whomever spin, there is a processor for runs that are short, for the log, and for everybody who
//! reads; and none of those that spin is left behind by the others.
//!
//! Many runs of some milliseconds would fill all processors with their first ticks. So a tenant whose last run was of that kind asks
//! before its next one begins.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use backroom_store::TenantNo;
use parking_lot::{Condvar, Mutex};

/// A run of more units of work takes long: about a millisecond, as one unit is an instruction of the guest.
const LONG: u64 = 1_000_000;

/// The processors that there are for runs that take long.
pub(crate) struct Slices {
    line: Mutex<Line>,
    moved: Condvar,
    /// Tenants whose last run took long.
    long: Mutex<HashSet<TenantNo>>,
}

struct Line {
    free: usize,
    /// Who waits, the first one first.
    waiting: VecDeque<u64>,
    next: u64,
}

/// A processor; given back when dropped.
pub(crate) struct Slice(Arc<Slices>);

impl Slices {
    /// On a machine with so many processors.
    pub(crate) fn new(processors: usize) -> Arc<Self> {
        let line = Line { free: processors.saturating_sub(1).max(1), waiting: VecDeque::new(), next: 0 };
        Arc::new(Self { line: Mutex::new(line), moved: Condvar::new(), long: Mutex::default() })
    }

    /// Before a run of a tenant begins: a processor if it is going to take long, as far as anybody can tell. None if it need
    /// not have one; an error if `until` came before there was one.
    pub(crate) fn begin(self: &Arc<Self>, tenant: TenantNo, until: Instant) -> Result<Option<Slice>, TimedOut> {
        if !self.long.lock().contains(&tenant) {
            return Ok(None);
        }
        self.wait(true, until).map(Some).ok_or(TimedOut)
    }

    /// After a run of a tenant, with the work that it made.
    pub(crate) fn ended(&self, tenant: TenantNo, fuel: u64) {
        let mut long = self.long.lock();
        if fuel > LONG {
            long.insert(tenant);
        } else {
            long.remove(&tenant);
        }
    }

    /// The next tick: gives `held` to whoever waits, if somebody does, and waits for another; whoever had none goes first. None if
    /// `until` came before.
    pub(crate) fn tick(self: &Arc<Self>, held: Option<Slice>, until: Instant) -> Option<Slice> {
        let again = held.is_some();
        if again && self.line.lock().waiting.is_empty() {
            return held;
        }
        drop(held);
        // Most of those who come for the first time are as good as done.
        self.wait(again, until)
    }

    /// Waits for a processor, behind the others or before them.
    fn wait(self: &Arc<Self>, behind: bool, until: Instant) -> Option<Slice> {
        let mut line = self.line.lock();
        let own = line.next;
        line.next += 1;
        if behind {
            line.waiting.push_back(own);
        } else {
            line.waiting.push_front(own);
        }
        while line.free == 0 || line.waiting.front() != Some(&own) {
            if self.moved.wait_until(&mut line, until).timed_out() {
                line.waiting.retain(|waits| *waits != own);
                // Whoever came behind may be the first one now.
                self.moved.notify_all();
                return None;
            }
        }
        line.waiting.pop_front();
        line.free -= 1;
        if line.free > 0 {
            self.moved.notify_all();
        }
        Some(Slice(Arc::clone(self)))
    }
}

/// There was no processor in time.
pub(crate) struct TimedOut;

impl Drop for Slice {
    fn drop(&mut self) {
        self.0.line.lock().free += 1;
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn all_but_one_processor_are_given_out_and_one_of_one() {
        for (processors, most) in [(1, 1), (2, 1), (4, 3)] {
            let slices = Slices::new(processors);
            let held: Vec<_> = (0..most).map(|_| slices.tick(None, soon())).collect();
            assert!(held.iter().all(Option::is_some));
            assert!(slices.tick(None, Instant::now() + Duration::from_millis(5)).is_none());
            assert!(slices.line.lock().waiting.is_empty());
            drop(held);
            assert!(slices.tick(None, soon()).is_some());
        }
    }

    /// Whoever took long waits before the next run, until one was short again; others are not kept from beginning.
    #[test]
    fn who_takes_long_asks_before_the_next_run() {
        let slices = Slices::new(2);
        let (one, other) = (TenantNo(1), TenantNo(2));
        slices.ended(one, LONG + 1);
        slices.ended(other, LONG);
        assert!(matches!(slices.begin(other, soon()), Ok(None)));
        let held = slices.begin(one, soon());
        assert!(matches!(held, Ok(Some(_))));
        assert!(slices.begin(one, Instant::now() + Duration::from_millis(5)).is_err());
        drop(held);
        slices.ended(one, LONG);
        assert!(matches!(slices.begin(one, soon()), Ok(None)));
    }

    /// Whoever has one keeps it while nobody waits, and has to line up behind those who do.
    #[test]
    fn they_go_round_in_turn() {
        let slices = Slices::new(2);
        let held = slices.tick(slices.tick(None, soon()), soon());
        assert!(held.is_some());
        let (most, now, turns) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for at in 0..3 {
                let (slices, most, now, turns) = (&slices, &most, &now, &turns);
                scope.spawn(move || {
                    let mut held = None;
                    for _ in 0..20 {
                        held = slices.tick(held, soon());
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        turns.lock().push(at);
                        // Until the two others wait, or have ended.
                        let begun = Instant::now();
                        while slices.line.lock().waiting.len() < 2 && begun.elapsed() < Duration::from_millis(20) {
                            std::thread::yield_now();
                        }
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
            drop(held);
        });
        assert_eq!(most.into_inner(), 1);
        let turns = turns.into_inner();
        assert_eq!(turns.len(), 60);
        for at in 0..3 {
            assert!(turns[..12].contains(&at), "{at} did not have its turn: {turns:?}");
        }
    }
}
