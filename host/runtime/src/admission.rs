//! Places to run: as many as the pool of instances has, so that the pool itself never refuses.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// A bounded number of places; whoever finds none waits for one, but not for ever.
pub(crate) struct Admission {
    free: Mutex<u32>,
    freed: Condvar,
    patience: Duration,
}

/// A place; given back when dropped.
pub(crate) struct Place<'a>(&'a Admission);

impl Admission {
    pub(crate) fn new(places: u32, patience: Duration) -> Self {
        Self { free: Mutex::new(places), freed: Condvar::new(), patience }
    }

    /// A place, or `None` if none became free in time.
    pub(crate) fn enter(&self) -> Option<Place<'_>> {
        let mut free = self.free.lock();
        if *free == 0 {
            let deadline = Instant::now() + self.patience;
            while *free == 0 {
                if self.freed.wait_until(&mut free, deadline).timed_out() && *free == 0 {
                    return None;
                }
            }
        }
        *free -= 1;
        Some(Place(self))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_enters_beyond_the_places_and_waiting_ends() {
        let admission = Admission::new(2, Duration::from_millis(20));
        let first = admission.enter().unwrap();
        let _second = admission.enter().unwrap();
        let began = Instant::now();
        assert!(admission.enter().is_none());
        assert!(began.elapsed() >= Duration::from_millis(20));
        drop(first);
        assert!(admission.enter().is_some());
    }

    #[test]
    fn whoever_waits_gets_the_place_that_is_given_back() {
        let admission = Admission::new(1, Duration::from_secs(30));
        let place = admission.enter().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| admission.enter().is_some());
            drop(place);
            assert!(waiting.join().unwrap());
        });
    }
}
