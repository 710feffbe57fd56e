//! A booking run that is stopped at every point of its way: nothing of it is kept.

use backroom_runtime::{FaultKind, Mode, Status};
use backroom_store::records::Limits;

use crate::books::Service;
use crate::guest::{Guest, OK, answer, post};

/// Points at which the fuel runs out.
const POINTS: u64 = 50;

/// Entry, stock and its entry, benefit, state and log, with some work between.
fn booking() -> Vec<u8> {
    let work =
        "(local.set $n (i32.const 20000)) (loop $w (br_if $w (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";
    let stock = post("e2").replace("(call $lines)", "(call $lines) (call $text (i32.const 1024) @\"1400\")");
    let run = format!(
        "(local $n i32) {work} {} {work} (call $move) {} {stock} {work} (call $benefit) {} {work} {} (call $log.write (i32.const 1) @\"done\")
         {work} {OK}",
        post("e1"),
        answer("stock.post-move", "(i32.const 1024)"),
        answer("benefits.record", "(i32.const 1024)"),
        answer("state.set", "@\"last\" (local.get $input) (local.get $length)"),
    );
    Guest { run: &run, ..Guest::default() }.plugin()
}

/// Runs it with these limits; what was kept is the record of the attempt alone.
fn stopped(service: &Service, limits: Limits, kind: FaultKind) {
    let bytes = booking();
    service.install(service.tenant, "test", &bytes, limits);
    let store = service.runner.store();
    let before = store.head(service.tenant).unwrap().number;
    let report = service.run(service.tenant, "test", None, Mode::Commit, "{}");
    assert_eq!(report.fault.as_ref().map(|fault| fault.kind), Some(kind), "{limits:?}: {report:#?}");
    let entry = store.entry(service.tenant, before + 1).unwrap().unwrap();
    assert_eq!((entry.changes.len(), entry.effects.len()), (1, 0), "{limits:?}");
    assert_eq!(store.head(service.tenant).unwrap().number, before + 1);
}

#[test]
fn fuel_that_runs_out_anywhere_leaves_nothing() {
    let service = Service::new();
    let bytes = booking();
    service.install(service.tenant, "test", &bytes, Limits::default());
    let whole = service.run(service.tenant, "test", None, Mode::DryRun, "{}");
    assert_eq!((whole.status, whole.effects.len()), (Status::Ok, 5), "{whole:#?}");
    for point in 1..=POINTS {
        let fuel = whole.fuel * point / (POINTS + 1);
        stopped(&service, Limits { fuel, ..Limits::default() }, FaultKind::Fuel);
    }
    // One unit too little is too little, and just enough is enough.
    stopped(&service, Limits { fuel: whole.fuel - 1, ..Limits::default() }, FaultKind::Fuel);
    service.install(service.tenant, "test", &bytes, Limits { fuel: whole.fuel, ..Limits::default() });
    let done = service.run(service.tenant, "test", None, Mode::Commit, "{}");
    assert_eq!((done.status, done.fuel, &done.effects.len()), (Status::Committed, whole.fuel, &5), "{done:#?}");
    assert!(service.runner.store().verify(&mut |_| {}).unwrap().is_sound());
}

#[test]
fn host_calls_that_run_out_anywhere_leave_nothing() {
    let service = Service::new();
    service.install(service.tenant, "test", &booking(), Limits::default());
    let whole = service.run(service.tenant, "test", None, Mode::DryRun, "{}");
    for host_calls in 0..whole.host_calls {
        stopped(&service, Limits { host_calls, ..Limits::default() }, FaultKind::HostCalls);
    }
    for effects in 0..u32::try_from(whole.effects.len()).unwrap() {
        stopped(&service, Limits { effects, ..Limits::default() }, FaultKind::Effects);
    }
}
