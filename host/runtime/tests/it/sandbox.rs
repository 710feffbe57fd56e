//! One hostile guest for each limit: the run ends with the right fault, nothing is kept, and the next run is fine.

use backroom_office::MAX_LIMITS;
use std::time::{Duration, Instant};

use crate::common::{Guest, OK, STATE_FIELDS, Service, plugin, state_guest, then_ok};
use backroom_runtime::{FaultKind, Mode, RunReport, Status};
use backroom_store::records::Limits;

const WANTS_STATE: &str = "[[wants]]\nwhy = \"Test.\"\nstate = true\n";

/// Runs a guest once in both modes, and checks that both say the same and that nothing was kept.
fn run(bytes: &[u8], limits: Limits) -> RunReport {
    let service = Service::new();
    service.install(bytes, limits);
    let planned = service.runner.run(service.request(Mode::DryRun, "{}")).unwrap().wait().unwrap();
    let before = service.runner.store().head(service.tenant()).unwrap().number;
    let report = service.runner.run(service.request(Mode::Commit, "{}")).unwrap().wait().unwrap();
    assert_eq!(report.fault, planned.fault);
    assert_eq!((report.fuel, report.host_calls), (planned.fuel, planned.host_calls));
    assert_eq!(report.number, Some(before + 1));
    if report.status != Status::Committed {
        let entry = service.runner.store().entry(service.tenant(), before + 1).unwrap().unwrap();
        // The record of the attempt, and nothing else.
        assert_eq!((entry.changes.len(), entry.effects.len()), (1, 0));
        assert!(report.effects.is_empty() && report.output.is_none());
    }
    report
}

fn fault(guest: &Guest<'_>, limits: Limits) -> (FaultKind, String) {
    let report = run(&plugin(guest, WANTS_STATE), limits);
    assert_eq!(report.status, Status::Failed);
    let fault = report.fault.unwrap();
    (fault.kind, fault.message)
}

fn body(run: &str) -> Guest<'_> {
    Guest { run, ..Guest::default() }
}

fn fields<'a>(fields: &'a str, run: &'a str) -> Guest<'a> {
    Guest { fields, run, ..Guest::default() }
}

#[test]
fn a_guest_that_behaves_is_committed() {
    let report = run(&plugin(&body(OK), ""), Limits::default());
    assert_eq!(report.status, Status::Committed);
    assert_eq!(report.output.unwrap().get(), "{}");
    assert!(report.fuel > 0 && report.host_calls == 0);
}

#[test]
fn traps_are_told_by_their_names() {
    let recursion = "(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    let rows = [
        (body("unreachable"), "unreachable"),
        (body("(i32.div_u (i32.const 1) (i32.const 0))"), "divide by zero"),
        (body("(i32.load (i32.const -4))"), "out of bounds memory access"),
        (fields(recursion, "(call $deeper (i32.const 0))"), "call stack exhausted"),
        (fields("(func $sad (export \"sad\") unreachable)", "(call $sad) (i32.const 0)"), "in "),
    ];
    for (guest, part) in rows {
        let (kind, message) = fault(&guest, Limits::default());
        assert_eq!(kind, FaultKind::Trap, "{message}");
        assert!(message.contains(part), "{message} should say {part}");
    }
}

#[test]
fn loops_end_with_their_fuel_wherever_they_are() {
    let spin = "(loop $spin (br $spin))";
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    let in_run = format!("{spin} unreachable");
    let in_start = format!("(func $start {spin}) (start $start)");
    let in_realloc = format!("{spin} unreachable");
    let rows = [
        ("run", body(&in_run)),
        ("start", fields(&in_start, OK)),
        ("realloc", Guest { run: OK, realloc: Some(&in_realloc), ..Guest::default() }),
    ];
    for (place, guest) in rows {
        let (kind, message) = fault(&guest, limits);
        assert_eq!(kind, FaultKind::Fuel, "{place}: {message}");
        assert!(message.contains("1000000"), "{message}");
    }
}

#[test]
fn loops_end_with_their_wall_time() {
    let began = Instant::now();
    let limits = Limits { fuel: MAX_LIMITS.fuel, wall_ms: 100, ..Limits::default() };
    let service = Service::new();
    service.install(&plugin(&body("(loop $spin (br $spin)) unreachable"), ""), limits);
    let report = service.runner.run(service.request(Mode::Commit, "{}")).unwrap().wait().unwrap();
    assert_eq!(report.fault.unwrap().kind, FaultKind::Deadline);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(100), "{took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn one_spinning_guest_does_not_stop_another() {
    let service = Service::new();
    let limits = Limits { fuel: MAX_LIMITS.fuel, wall_ms: 1_500, ..Limits::default() };
    service.install(&plugin(&body("(loop $spin (br $spin)) unreachable"), ""), limits);
    let other = Service::new();
    other.install(&plugin(&body(OK), ""), Limits::default());
    std::thread::scope(|scope| {
        let spinning = scope.spawn(|| service.runner.run(service.request(Mode::DryRun, "{}")).unwrap().report);
        let began = Instant::now();
        let mut good = 0;
        while !spinning.is_finished() && began.elapsed() < Duration::from_secs(1) {
            let report = other.runner.run(other.request(Mode::DryRun, "{}")).unwrap().report;
            assert_eq!(report.status, Status::Ok);
            good += 1;
        }
        assert!(good > 10, "{good}");
        assert_eq!(spinning.join().unwrap().fault.unwrap().kind, FaultKind::Deadline);
    });
}

#[test]
fn memory_is_refused_and_giving_up_over_it_is_told_as_that() {
    let limits = Limits { memory: 1 << 20, ..Limits::default() };
    let eat = "(block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $more)))";
    let (kind, message) = fault(&body(&format!("{eat} unreachable")), limits);
    assert_eq!(kind, FaultKind::Memory);
    assert!(message.contains("1024 KiB"), "{message}");
    // A guest that lives with it is left alone.
    assert_eq!(run(&plugin(&body(&then_ok(eat)), ""), limits).status, Status::Committed);
    // So much to begin with that there is no instance at all.
    let (kind, _) = fault(&fields("(memory $large 32)", OK), limits);
    assert_eq!(kind, FaultKind::Memory);
    // Tables count as well: 150,000 pointers are more than a MiB.
    let (kind, _) = fault(&fields("(table $large 90000 funcref) (table $other 60000 funcref)", OK), limits);
    assert_eq!(kind, FaultKind::Memory);
}

#[test]
fn the_peak_is_that_of_all_memories_together() {
    let runtime = crate::common::runtime();
    let guest = Guest { fields: "(memory $mine 3) (table $t 1000 funcref)", run: OK, ..Guest::default() };
    let plugin = runtime.load(&plugin(&guest, "")).unwrap();
    let service = Service::new();
    let caller = backroom_office::Caller { actor: "a".into(), layers: vec![], installation: None, run: None };
    let work = service.office.read(service.tenant(), caller, crate::common::NOW).unwrap();
    let setup = backroom_runtime::Setup {
        config: Default::default(),
        limits: Limits::default(),
        input: "{}".into(),
        apart: false,
    };
    let execution = runtime.execute(&plugin, work, setup);
    assert_eq!(execution.peak_memory, 4 * 65_536 + 8_000);
}

#[test]
fn host_calls_are_counted_and_cost_fuel() {
    let guest = |run| Guest {
        imports: r#"(import "backroom:host/clock@0.1.0" (instance $clock
            (type $i (record (field "microseconds" u64))) (export "instant" (type $instant (eq $i)))
            (export "now" (func (result $instant)))))"#,
        lowered: r#"(core func $now (canon lower (func $clock "now")))"#,
        env: r#"(export "now" (func $now))"#,
        fields: r#"(import "env" "now" (func $now (result i64)))"#,
        run,
        realloc: None,
    };
    let flood = "(loop $more (drop (call $now)) (br $more)) unreachable";
    let (kind, message) = fault(&guest(flood), Limits { host_calls: 50, ..Limits::default() });
    assert_eq!(kind, FaultKind::HostCalls);
    assert!(message.contains("50"), "{message}");
    let (kind, _) =
        fault(&guest(flood), Limits { fuel: 100_000, host_calls: MAX_LIMITS.host_calls, ..Limits::default() });
    assert_eq!(kind, FaultKind::Fuel);
    // The run's time, whatever the machine's clock says.
    let check = "(if (i64.ne (call $now) (i64.const 1782777600000000)) (then unreachable))";
    let report = run(&plugin(&guest(&then_ok(check)), ""), Limits::default());
    assert_eq!((report.status, report.host_calls), (Status::Committed, 1));
}

#[test]
fn a_log_flood_is_dropped_and_the_run_goes_on() {
    let guest = Guest {
        imports: r#"(import "backroom:host/log@0.1.0" (instance $log
            (type $l (enum "debug" "info" "warn" "error")) (export "level" (type $level (eq $l)))
            (export "write" (func (param "level" $level) (param "message" string)))))"#,
        lowered: r#"(core func $write (canon lower (func $log "write") (memory $memory)))"#,
        env: r#"(export "write" (func $write))"#,
        fields: r#"(import "env" "write" (func $write (param i32 i32 i32))) (data (i32.const 256) "one\1b[2Jtwo")"#,
        run: &then_ok(
            "(local $n i32) (loop $more (call $write (i32.const 2) (i32.const 256) (i32.const 10))
             (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100))))",
        ),
        realloc: None,
    };
    let report = run(&plugin(&guest, ""), Limits { log: 160, ..Limits::default() });
    assert_eq!(report.status, Status::Committed);
    assert_eq!((report.log.len(), report.log_dropped), (10, 90));
    assert_eq!(report.log[0].message, "one\u{fffd}[2Jtwo");
}

#[test]
fn effects_are_bounded() {
    // Each value differs from the one before, so each call is an effect.
    let many = then_ok(
        "(local $n i32) (loop $more (i32.store (i32.const 300) (local.get $n))
         (call $set (i32.const 256) (i32.const 3) (i32.const 300) (i32.const 4) (i32.const 512))
         (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 20))))",
    );
    let guest = state_guest(STATE_FIELDS, &many);
    let (kind, message) = fault(&guest, Limits { effects: 19, ..Limits::default() });
    assert_eq!(kind, FaultKind::Effects);
    assert!(message.contains("19"), "{message}");
    let report = run(&plugin(&guest, WANTS_STATE), Limits { effects: 20, ..Limits::default() });
    assert_eq!((report.status, report.effects.len()), (Status::Committed, 20));
}

#[test]
fn what_is_handed_over_is_bounded_and_checked() {
    let out = |pointer: u32, length: u32| {
        format!(
            "(drop (memory.grow (i32.const 32))) (i32.store (i32.const 68) (i32.const {pointer})) \
                 (i32.store (i32.const 72) (i32.const {length})) (i32.const 64)"
        )
    };
    let large_key = "(drop (memory.grow (i32.const 32)))
        (call $set (i32.const 0) (i32.const 1600000) (i32.const 0) (i32.const 0) (i32.const 512)) unreachable";
    let rows = [
        ("just over 1 MiB", plugin(&body(&out(0, (1 << 20) + 1)), "")),
        ("2 MiB", plugin(&body(&out(0, 2 << 20)), "")),
        ("beyond its memory", plugin(&body(&out(0, u32::MAX)), "")),
        ("not UTF-8", plugin(&fields("(data (i32.const 256) \"\\ff\")", &out(256, 1)), "")),
        ("not JSON", plugin(&fields("(data (i32.const 256) \"nope\")", &out(256, 4)), "")),
        ("a host call of 1.6 MB", plugin(&state_guest(STATE_FIELDS, large_key), WANTS_STATE)),
    ];
    for (what, bytes) in rows {
        let report = run(&bytes, Limits::default());
        let kind = if what == "just over 1 MiB" { FaultKind::OutputSize } else { FaultKind::Output };
        assert_eq!(report.fault.unwrap().kind, kind, "{what}");
    }
}

#[test]
fn an_error_of_a_guest_is_a_refusal_with_clean_words() {
    let run_body = "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 0))
        (i32.store (i32.const 72) (i32.const 256)) (i32.store (i32.const 76) (i32.const 5))
        (i32.store (i32.const 92) (i32.const 261)) (i32.store (i32.const 96) (i32.const 6)) (i32.const 64)";
    let report = run(&plugin(&fields("(data (i32.const 256) \"brokeno\\1b[1mh\")", run_body), ""), Limits::default());
    assert_eq!(report.status, Status::Refused);
    let error = report.error.unwrap();
    assert_eq!((error.class, error.code()), (backroom_domain::Class::Refused, "broke"));
    assert_eq!(error.problems[0].message, "no\u{fffd}[1m");
}

#[test]
fn after_a_thousand_traps_runs_are_clean() {
    let service = Service::new();
    let bad = service.runner.runtime().load(&plugin(&body("unreachable"), "")).unwrap();
    let good = service.runner.runtime().load(&plugin(&body(OK), "")).unwrap();
    for n in 0..1_000 {
        let caller = backroom_office::Caller { actor: "a".into(), layers: vec![], installation: None, run: None };
        let work = service.office.read(service.tenant(), caller, crate::common::NOW).unwrap();
        let setup = backroom_runtime::Setup {
            config: Default::default(),
            limits: Limits::default(),
            input: "{}".into(),
            apart: false,
        };
        let plugin = if n % 2 == 0 { &bad } else { &good };
        let execution = service.runner.runtime().execute(plugin, work, setup);
        let ok = matches!(execution.outcome, backroom_runtime::Outcome::Ok { .. });
        assert_eq!(ok, n % 2 == 1);
    }
}

#[test]
fn the_same_component_runs_bare() {
    let bare = backroom_runtime::bare::Bare::new(crate::common::runtime()).unwrap();
    let prepare = |bytes: &[u8]| bare.prepare(&crate::common::runtime().load(bytes).unwrap()).unwrap();
    assert_eq!(bare.run(&prepare(&plugin(&body(OK), "")), "[1]").unwrap(), "{}");
    assert!(bare.run(&prepare(&plugin(&body("unreachable"), "")), "{}").unwrap_err().contains("unreachable"));
}
