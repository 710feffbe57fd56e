//! Turns: writers of one tenant go one after the other, writers of different tenants never wait for each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::types::TenantNo;

/// One per tenant that ever wrote. They are never taken away: a tenant costs some hundred bytes.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<TenantNo, Arc<Place>>>);

/// Where writers of one tenant wait. No plain lock: a turn lasts for a whole run, so those who wait must neither spin nor
/// be passed by somebody who came later.
#[derive(Default)]
struct Place {
    state: Mutex<State>,
    next: Condvar,
}

#[derive(Default)]
struct State {
    taken: bool,
    waiting: usize,
    /// The turn was given to those who wait, and none of them has taken it up yet.
    given: bool,
}

/// A tenant's turn. It ends when this is dropped.
pub(crate) struct Turn(Arc<Place>);

impl Turns {
    /// Waits for the turn, but not longer than `timeout`.
    pub(crate) fn take(&self, tenant: TenantNo, timeout: Duration) -> Option<Turn> {
        let place = Arc::clone(self.0.lock().entry(tenant).or_default());
        let came = place.wait(timeout);
        came.then(|| Turn(place))
    }
}

impl Place {
    fn wait(&self, timeout: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.taken {
            state.taken = true;
            return true;
        }
        let deadline = Instant::now() + timeout;
        state.waiting += 1;
        let mut late = false;
        while !state.given && !late {
            late = self.next.wait_until(&mut state, deadline).timed_out();
        }
        state.waiting -= 1;
        std::mem::take(&mut state.given)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if state.waiting > 0 {
            state.given = true;
            self.0.next.notify_one();
        } else {
            state.taken = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const ONE: TenantNo = TenantNo(1);
    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_turn_is_waited_for_and_given_on() {
        let turns = Turns::default();
        let turn = turns.take(ONE, SOON).unwrap();
        assert!(turns.take(ONE, SOON).is_none(), "it is taken");
        assert!(turns.take(TenantNo(2), SOON).is_some(), "another tenant's is not");
        drop(turn);
        let turn = turns.take(ONE, SOON).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| turns.take(ONE, LONG).is_some());
            std::thread::sleep(SOON);
            drop(turn);
            assert!(waits.join().unwrap());
        });
        assert!(turns.take(ONE, SOON).is_some());
    }

    #[test]
    fn there_is_only_ever_one() {
        let (turns, inside) = (Turns::default(), AtomicU32::new(0));
        let came: usize = std::thread::scope(|scope| {
            let (turns, inside) = (&turns, &inside);
            let work = move |thread: u64| {
                let take = |round: u64| {
                    // Some give up at once: a turn that was given to one of them must not be lost.
                    let timeout = if (thread + round).is_multiple_of(3) { Duration::from_micros(20) } else { LONG };
                    let turn = turns.take(ONE, timeout)?;
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(turn);
                    Some(())
                };
                (0..500).filter_map(take).count()
            };
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || work(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(came >= 8 * 500 * 2 / 3, "only {came} came");
        assert!(turns.take(ONE, SOON).is_some(), "none is left over");
    }
}
