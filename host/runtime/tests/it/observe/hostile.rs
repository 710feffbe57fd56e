//! Guests that abuse what they see of a system: each ends with its own fault, and nothing else happens.

use backroom_runtime::{FaultKind, Mode, Status};
use backroom_store::records::Limits;

use super::system::{WANTS, built, guest};
use super::{installed, run};
use crate::common::OK;

/// A guest, and how it ends.
struct Row {
    what: &'static str,
    fields: &'static str,
    run: &'static str,
    kind: FaultKind,
    part: &'static str,
}

fn row(what: &'static str, run: &'static str, kind: FaultKind, part: &'static str) -> Row {
    Row { what, fields: "", run, kind, part }
}

fn handles() -> [Row; 9] {
    use FaultKind::{Handles, Output};
    [
        row("streams without end", "(loop $more (drop (call $stdout)) (br $more)) unreachable", Handles, "1000"),
        row(
            "timers without end",
            "(loop $more (drop (call $after (i64.const 1))) (br $more)) unreachable",
            Handles,
            "drop those",
        ),
        row(
            "a forged handle of a stream",
            "(call $write (i32.const 77) (i32.const 256) (i32.const 1) (i32.const 512)) unreachable",
            Output,
            "unknown handle",
        ),
        row("a handle of zero", "(call $block (i32.const 0)) unreachable", Output, "unknown handle"),
        row("the largest handle", "(call $drop-output (i32.const -1)) unreachable", FaultKind::Output, "handle"),
        row("a stream as a timer", "(call $block (call $stdout)) unreachable", Output, "wrong type"),
        row(
            "a handle that was given back",
            "(local $out i32) (local.set $out (call $stdout)) (call $drop-output (local.get $out))
             (call $write (local.get $out) (i32.const 256) (i32.const 1) (i32.const 512)) unreachable",
            Output,
            "unknown handle",
        ),
        row(
            "a handle that is given back twice",
            "(local $out i32) (local.set $out (call $stdout)) (call $drop-output (local.get $out))
             (call $drop-output (local.get $out)) unreachable",
            Output,
            "unknown handle",
        ),
        row(
            "a forged folder and a deep path",
            "(memory.fill (i32.const 4096) (i32.const 47) (i32.const 50000))
             (call $readlink (i32.const 3) (i32.const 4096) (i32.const 50000) (i32.const 512)) unreachable",
            Output,
            "unknown handle",
        ),
    ]
}

fn sizes() -> [Row; 8] {
    use FaultKind::{Fuel, Output, Trap};
    [
        row("random bytes, a GiB of them", "(call $bytes (i64.const 1073741824) (i32.const 512)) unreachable", Output, "1 MiB"),
        row("random bytes without end", "(call $bytes (i64.const -1) (i32.const 512)) unreachable", Output, "1 MiB"),
        row("zeroes without end", "(call $zeroes (call $stdout) (i64.const -1) (i32.const 512)) unreachable", Output, "1 MiB"),
        row(
            "two MiB of output at once",
            "(drop (memory.grow (i32.const 40)))
             (call $write (call $stdout) (i32.const 0) (i32.const 2097152) (i32.const 512)) unreachable",
            Output,
            "1 MiB",
        ),
        row(
            "output from beyond its memory",
            "(call $write (call $stdout) (i32.const 65000) (i32.const 1000) (i32.const 512)) unreachable",
            Output,
            "out of bounds",
        ),
        row("waiting for nothing", "(call $poll (i32.const 0) (i32.const 0) (i32.const 512)) unreachable", Trap, "never end"),
        row(
            "waiting for one thing five thousand times",
            "(local $timer i32) (local $at i32) (local.set $timer (call $after (i64.const 1)))
             (loop $more (i32.store offset=4096 (local.get $at) (local.get $timer))
               (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 20000))))
             (call $poll (i32.const 4096) (i32.const 5000) (i32.const 512)) unreachable",
            Output,
            "handle limit",
        ),
        row(
            "output until the work is too much",
            "(local $out i32) (local.set $out (call $stdout))
             (loop $more (call $write (local.get $out) (i32.const 0) (i32.const 60000) (i32.const 512)) (br $more)) unreachable",
            Fuel,
            "1000000",
        ),
    ]
}

fn loops() -> [Row; 5] {
    use FaultKind::{HostCalls, Trap};
    let clock = "(loop $more (drop (call $monotonic)) (br $more)) unreachable";
    [
        row("reading the clock for ever", clock, HostCalls, "400"),
        row(
            "asking for a moment that never comes",
            "(local $never i32) (local.set $never (call $after (i64.const -1)))
             (loop $more (br_if $more (i32.eqz (call $ready (local.get $never))))) unreachable",
            HostCalls,
            "400",
        ),
        row("leaving as if all were well", "(call $exit (i32.const 0)) unreachable", Trap, "exit(0)"),
        row("leaving with an error", "(call $exit (i32.const 1)) unreachable", Trap, "exit(1)"),
        Row {
            fields: "(func $start (call $exit (i32.const 0))) (start $start)",
            ..row("leaving before it began", OK, Trap, "exit(0)")
        },
    ]
}

#[test]
fn each_abuse_ends_with_its_own_fault() {
    for Row { what, fields, run: body, kind, part } in handles().into_iter().chain(sizes()).chain(loops()) {
        let host_calls = if kind == FaultKind::HostCalls { 400 } else { 10_000 };
        let fuel = if kind == FaultKind::Fuel { 1_000_000 } else { Limits::default().fuel };
        let service = installed(&guest(fields, body), Limits { host_calls, fuel, ..Limits::default() });
        let planned = run(&service, service.request(Mode::DryRun, "{}"));
        let before = service.runner.store().head(service.tenant()).unwrap().number;
        let report = run(&service, service.request(Mode::Commit, "{}"));
        let fault = report.fault.clone().unwrap_or_else(|| panic!("{what}: {report:?}"));
        assert_eq!((report.status, fault.kind), (Status::Failed, kind), "{what}: {fault}");
        assert!(fault.message.contains(part), "{what}: {fault}");
        assert_eq!(
            (planned.fault, planned.fuel, planned.host_calls),
            (report.fault, report.fuel, report.host_calls),
            "{what}"
        );
        let entry = service.runner.store().entry(service.tenant(), before + 1).unwrap().unwrap();
        assert_eq!((entry.changes.len(), entry.effects.len()), (1, 0), "{what}");
        let replayed = service.runner.replay(&service.tenant, &report.id, &mut |_| {}).unwrap();
        assert!(replayed.identical, "{what}: {replayed:#?}");
    }
}

#[test]
fn what_is_handed_over_goes_where_the_guest_says_or_the_run_ends() {
    // Its reallocation names a place that is not there, and one that loops.
    let draw = "(call $bytes (i64.const 16) (i32.const 512)) unreachable";
    let rows = [("(i32.const -8)", FaultKind::Output), ("(loop $spin (br $spin)) unreachable", FaultKind::Fuel)];
    for (realloc, kind) in rows {
        let limits = Limits { fuel: 1_000_000, ..Limits::default() };
        let service = installed(&built("", draw, Some(realloc), WANTS), limits);
        let report = run(&service, service.request(Mode::Commit, "{}"));
        assert_eq!(report.fault.as_ref().map(|fault| fault.kind), Some(kind), "{realloc}: {report:?}");
    }
}

#[test]
fn handles_that_are_given_back_are_no_more() {
    let body = format!(
        "(local $n i32) (loop $more (call $drop-output (call $stdout)) (call $drop-pollable (call $after (i64.const 1)))
         (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 4000)))) {OK}"
    );
    let service = installed(&guest("", &body), Limits::default());
    let report = run(&service, service.request(Mode::Commit, "{}"));
    assert_eq!((report.status, report.host_calls), (Status::Committed, 8_000));
}
