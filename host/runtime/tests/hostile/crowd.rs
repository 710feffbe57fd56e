//! Good guests among bad ones, on one runtime with every processor busy: they are neither stopped nor held up for ever.

use std::sync::atomic::{AtomicBool, Ordering};

use backroom_office::MAX_LIMITS;
use backroom_runtime::{FaultKind, Mode, Status};
use backroom_store::records::Limits;

use crate::books::{Service, clerk};
use crate::guest::{Guest, OK};
use crate::harness::LIMITS;

/// Guests that go wrong in every way that takes time or room: loop, memory, stack, host calls, time.
const BAD: [(&str, FaultKind); 5] = [
    ("(loop $spin (br $spin)) unreachable", FaultKind::Fuel),
    ("(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable", FaultKind::Memory),
    ("(drop (call $run (i32.const 0) (i32.const 0))) unreachable", FaultKind::Trap),
    ("(loop $more (drop (call $clock.now)) (br $more)) unreachable", FaultKind::HostCalls),
    ("(loop $spin (br $spin)) (drop (i32.const 1)) unreachable", FaultKind::Deadline),
];

#[test]
fn good_guests_are_served_among_bad_ones() {
    let service = Service::new();
    for (at, (run, kind)) in BAD.iter().enumerate() {
        let limits = match kind {
            FaultKind::Deadline => Limits { wall_ms: 50, fuel: MAX_LIMITS.fuel, ..LIMITS },
            _ => LIMITS,
        };
        service.install(service.other, &format!("bad-{at}"), &Guest { run, ..Guest::default() }.plugin(), limits);
    }
    service.install(service.tenant, "clerk", clerk(), LIMITS);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (service, done) = (&service, &done);
        let bad: Vec<_> = BAD
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| {
                scope.spawn(move || {
                    let mut ended = 0;
                    while ended < 3 || !done.load(Ordering::Relaxed) {
                        let report = service.run(service.other, &format!("bad-{at}"), None, Mode::DryRun, "{}");
                        assert_eq!(report.fault.map(|fault| fault.kind), Some(*kind), "bad-{at}");
                        ended += 1;
                    }
                })
            })
            .collect();
        for n in 0..200 {
            let report = service.run(service.tenant, "clerk", None, Mode::Commit, &format!("[{n}]"));
            assert_eq!(report.status, Status::Committed, "{report:#?}");
        }
        done.store(true, Ordering::Relaxed);
        bad.into_iter().for_each(|bad| bad.join().unwrap());
    });
    assert!(service.runner.store().verify(&mut |_| {}).unwrap().is_sound());
}

/// A guest that needs its time and has enough of it is not stopped because the machine is busy.
#[test]
fn nobody_is_stopped_before_the_time() {
    let service = Service::new();
    let work = format!(
        "(local $n i32) (loop $w (br_if $w (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3000000)))) {OK}"
    );
    let limits = Limits { fuel: 1_000_000_000, ..LIMITS };
    service.install(service.tenant, "worker", &Guest { run: &work, ..Guest::default() }.plugin(), limits);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let report = service.run(service.tenant, "worker", None, Mode::DryRun, "{}");
                    assert_eq!(report.status, Status::Ok, "{report:#?}");
                }
            });
        }
    });
}
