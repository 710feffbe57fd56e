//! Processors among runs that take long: they have all but one of them, some ticks each at a time, in turn.
//!
//! A run that computes for less than a tick never comes here. One that takes longer has to ask at each tick, and waits where others
//! are before it. So however many guests of whomever spin, there is a processor for runs that are short, for the log, and for
//! everybody who reads; and none of those that spin is left behind by the others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long whoever has a processor keeps it while others wait who had one before. Linux puts who is woken where nobody computes, and
/// that is where the short runs are, while the processor that was given up lies idle: so not at each tick.
pub(crate) const TURN: Duration = Duration::from_millis(5);

/// The processors that there are for runs that take long.
pub(crate) struct Slices {
    line: Mutex<Line>,
    turn: Duration,
}

struct Line {
    free: usize,
    /// The first one first.
    waiting: VecDeque<Waiting>,
    next: u64,
}

struct Waiting {
    number: u64,
    thread: Thread,
    /// Did it have a processor before?
    again: bool,
}

/// A processor; given back when dropped.
pub(crate) struct Slice {
    of: Arc<Slices>,
    since: Instant,
}

impl Slices {
    /// On a machine with so many processors; who has one keeps it for a `turn` if somebody waits for it.
    pub(crate) fn new(processors: usize, turn: Duration) -> Arc<Self> {
        let line = Line { free: processors.saturating_sub(1).max(1), waiting: VecDeque::new(), next: 0 };
        Arc::new(Self { line: Mutex::new(line), turn })
    }

    /// The next tick: gives `held` to whoever waits, if it is time to, and waits for another; whoever had none goes first, and at once.
    /// None if `until` came before.
    pub(crate) fn tick(self: &Arc<Self>, held: Option<Slice>, until: Instant) -> Option<Slice> {
        let again = held.is_some();
        if let Some(slice) = held {
            let turn_is_over = slice.since.elapsed() >= self.turn;
            let goes = |first: &Waiting| turn_is_over || !first.again;
            if !self.line.lock().waiting.front().is_some_and(goes) {
                return Some(slice);
            }
        }
        let mut line = self.line.lock();
        let number = line.next;
        line.next += 1;
        let own = Waiting { number, thread: thread::current(), again };
        // Most of those who come for the first time are as good as done.
        if again {
            line.waiting.push_back(own);
        } else {
            line.waiting.push_front(own);
        }
        while line.free == 0 || line.waiting.front().is_none_or(|first| first.number != number) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                line.waiting.retain(|waits| waits.number != number);
                // Whoever came behind may be the first one now.
                line.call();
                return None;
            }
            drop(line);
            thread::park_timeout(left);
            line = self.line.lock();
        }
        line.waiting.pop_front();
        line.free -= 1;
        line.call();
        Some(Slice { of: Arc::clone(self), since: Instant::now() })
    }
}

impl Line {
    /// Wakes whoever is first, if there is a processor. Nobody else: all others would find nothing, and keep a processor busy.
    fn call(&self) {
        if let Some(first) = self.waiting.front().filter(|_| self.free > 0) {
            first.thread.unpark();
        }
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let mut line = self.of.line.lock();
        line.free += 1;
        line.call();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn all_but_one_processor_are_given_out_and_one_of_one() {
        for (processors, most) in [(1, 1), (2, 1), (4, 3)] {
            let slices = Slices::new(processors, Duration::ZERO);
            let held: Vec<_> = (0..most).map(|_| slices.tick(None, soon())).collect();
            assert!(held.iter().all(Option::is_some));
            assert!(slices.tick(None, Instant::now() + Duration::from_millis(5)).is_none());
            assert!(slices.line.lock().waiting.is_empty());
            drop(held);
            assert!(slices.tick(None, soon()).is_some());
        }
    }

    /// Within a turn it is given up for who had none yet, and for nobody else.
    #[test]
    fn who_had_one_waits_for_the_end_of_a_turn() {
        let slices = &Slices::new(2, Duration::from_secs(3_600));
        let one_waits = || {
            while slices.line.lock().waiting.len() != 1 {
                std::thread::yield_now();
            }
        };
        let first = slices.tick(None, soon());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let second = slices.tick(None, soon());
                one_waits();
                let second = slices.tick(second, soon());
                assert!(second.is_some());
                assert_eq!(slices.line.lock().waiting.len(), 1);
            });
            one_waits();
            assert!(slices.tick(first, soon()).is_some());
        });
    }

    /// Whoever has one keeps it while nobody waits, and has to line up behind those who do.
    #[test]
    fn they_go_round_in_turn() {
        let slices = Slices::new(2, Duration::ZERO);
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
