//! Which threads go first where there are more of them than processors.
//!
//! Linux lets a thread that computes end its slice, some milliseconds, before one that wakes up on its processor gets it, and
//! where the clock ticks 250 times a second, it looks at that every 4 ms only. A short run wakes up some four times until it is on
//! disk, and each time somebody's long run, or the store's own work behind the scenes, may be there. And whoever of those wakes up
//! may take its processor away in the middle.
//!
//! So whatever somebody waits for is [`Pace::Prompt`]: short runs, the log, the clock of time limits. What takes long in any case is
//! [`Pace::Patient`]. What a thread gets in all is not changed by that, so nobody starves.

use std::cell::Cell;
use std::time::Duration;

/// How a thread takes its turn beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Soon done, and waited for: slices of 0.1 ms, the shortest that Linux gives. From Linux 6.12 on it goes before whoever
    /// computes in longer ones; older kernels take the request and do nothing about it.
    Prompt,
    /// Computes: the kernel's own slices (0.7 to 2.8 ms by the number of processors), and nobody who runs is
    /// interrupted when it wakes up (`SCHED_BATCH`, on every kernel).
    Patient,
}

impl Pace {
    /// Of the thread that calls, from now on. The system is asked only if that changes anything; if it refuses, everything
    /// is as before.
    pub fn take(self) {
        thread_local! {
            static TAKEN: Cell<Option<Pace>> = const { Cell::new(None) };
        }
        if TAKEN.replace(Some(self)) != Some(self) {
            ask(self);
        }
    }
}

/// Sets it, and leaves all else as it is: the call wants the niceness as well.
fn ask(pace: Pace) {
    let size = u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(0);
    let mut attr = libc::sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    #[expect(unsafe_code, reason = "no crate has this call in a safe form")]
    // SAFETY: 0 is the thread that calls. The kernel writes at most as many bytes as it is told that there are.
    let read = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) };
    let [usual, batch] = [libc::SCHED_OTHER, libc::SCHED_BATCH].map(i32::cast_unsigned);
    // Threads that somebody gave another policy are left alone.
    if read != 0 || ![usual, batch].contains(&attr.sched_policy) {
        return;
    }
    // Nanoseconds; 0 is the kernel's own slice.
    (attr.sched_policy, attr.sched_runtime) = match pace {
        Pace::Prompt => (usual, 100_000),
        Pace::Patient => (batch, 0),
    };
    #[expect(unsafe_code, reason = "no crate has this call in a safe form")]
    // SAFETY: 0 is the thread that calls, and the kernel reads as many bytes as `attr.size` says.
    unsafe {
        libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0)
    };
}

/// The processor time that the thread that calls has used; `None` where it is not counted.
pub fn thread_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "the safe forms are in crates that nothing else is wanted of")]
    // SAFETY: the kernel writes one structure of this type.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if failed != 0 {
        return None;
    }
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Policy, and slice in nanoseconds, as the kernel says them in the thread's own file. Some kernels are built without it.
    fn told() -> Option<(u32, u64)> {
        let text = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let of = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split(':').nth(1)?.trim().parse::<u64>().ok()
        };
        Some((u32::try_from(of("policy")?).ok()?, of("se.slice")?))
    }

    /// Does it know slices of a thread's own?
    fn is_new_enough() -> bool {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut parts = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap(), parts.next().unwrap()) >= (6, 12)
    }

    #[test]
    fn time_is_that_of_this_thread() {
        let before = thread_time().unwrap();
        let other = std::thread::spawn(|| while thread_time().unwrap() < Duration::from_millis(20) {});
        other.join().unwrap();
        let waited = thread_time().unwrap() - before;
        while thread_time().unwrap() - before < waited + Duration::from_millis(5) {}
        assert!(waited < Duration::from_millis(20), "{waited:?}");
    }

    #[test]
    fn it_comes_and_goes() {
        // A thread of its own: whatever it asks for goes with it.
        let asks = || {
            let usual = told();
            Pace::Prompt.take();
            let prompt = told();
            Pace::Patient.take();
            (usual, prompt, told())
        };
        let (usual, prompt, patient) = std::thread::spawn(asks).join().unwrap();
        let own = usual.map(|(_, slice)| slice);
        assert_eq!(prompt, own.map(|own| (0, if is_new_enough() { 100_000 } else { own })));
        assert_eq!(patient, own.map(|own| (3, own)));
    }
}
