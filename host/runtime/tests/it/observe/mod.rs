//! Guests that were built for a system: what they see of it, and what becomes of those that abuse it.

mod hostile;
mod system;

use std::sync::Arc;

use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{Class, Instant};
use backroom_office::{Failure, MAX_LIMITS, NewInstallation};
use backroom_runtime::{Class as PluginClass, LogLevel, Mode, PluginError, RunReport, RunRequest, Status};
use backroom_store::records::Limits;

use crate::common::{Guest, NOW, OK, Service, id, plugin, then_ok};
use system::{IMPORTS, WANTS, built, guest};

fn installed(bytes: &[u8], limits: Limits) -> Service {
    let service = Service::new();
    service.install(bytes, limits);
    service
}

fn run(service: &Service, request: RunRequest) -> RunReport {
    service.runner.run(request).unwrap().wait().unwrap()
}

/// Commits one run of a guest.
fn commit(bytes: &[u8], limits: Limits) -> RunReport {
    let service = installed(bytes, limits);
    run(&service, service.request(Mode::Commit, "{}"))
}

fn lines(report: &RunReport) -> Vec<(LogLevel, &str)> {
    report.log.iter().map(|line| (line.level, line.message.as_str())).collect()
}

#[test]
fn output_is_logged_line_by_line() {
    let data = r#"(data (i32.const 256) "one\ntwo \1b[2J\tx\r\nrest\ff")"#;
    let print = "(local $out i32) (local $err i32) (local.set $out (call $stdout)) (local.set $err (call $stderr))
        (call $write (local.get $out) (i32.const 256) (i32.const 6) (i32.const 512))
        (call $write (local.get $err) (i32.const 272) (i32.const 4) (i32.const 512))
        (call $write (local.get $out) (i32.const 262) (i32.const 15) (i32.const 512))";
    let wanted = [
        (LogLevel::Info, "one"),
        (LogLevel::Info, "two \u{fffd}[2J    x"),
        (LogLevel::Info, "rest\u{fffd}"),
        (LogLevel::Warn, "rest"),
    ];
    let report = commit(&guest(data, &then_ok(print)), Limits::default());
    assert_eq!((report.status, lines(&report)), (Status::Committed, wanted.to_vec()));
    // What was printed before a trap says why it came to it.
    let report = commit(&guest(data, &format!("{print} unreachable")), Limits::default());
    assert_eq!((report.status, lines(&report)), (Status::Failed, wanted.to_vec()));
}

#[test]
fn a_flood_of_output_is_cut_and_the_run_goes_on() {
    let data = r#"(data (i32.const 256) "0123456789abcde\n")"#;
    let flood = "(local $out i32) (local $n i32) (local.set $out (call $stdout))
        (loop $more (call $write (local.get $out) (i32.const 256) (i32.const 16) (i32.const 512))
          (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000))))";
    let report = commit(&guest(data, &then_ok(flood)), Limits { log: 160, ..Limits::default() });
    assert_eq!((report.status, report.log.len(), report.log_dropped), (Status::Committed, 10, 990));
    // A line that never ends is one line.
    let endless = flood.replace("(i32.const 16) (i32.const 512)", "(i32.const 15) (i32.const 512)");
    let report = commit(&guest(data, &then_ok(&endless)), Limits::default());
    assert_eq!((report.log.len(), report.log_dropped), (1, 0));
    assert_eq!(report.log[0].message.len(), 4_096);
    // Zeroes are characters like any other, and no good ones.
    let zeroes = "(call $zeroes (call $stdout) (i64.const 1048576) (i32.const 512))";
    let report = commit(&guest("", &then_ok(zeroes)), Limits::default());
    assert!(report.log.len() == 1 && report.log[0].message.chars().all(|c| c == '\u{fffd}'));
}

/// Prints everything that could differ from one execution to the next.
const SEES: &str = "(call $print (call $number)) (call $seed (i32.const 512)) (call $print (i64.load (i32.const 512)))
    (call $print (i64.load (i32.const 520))) (call $bytes (i64.const 8) (i32.const 512))
    (call $print (i64.load (i32.load (i32.const 512)))) (call $print (call $number))
    (call $wall (i32.const 512)) (call $print (i64.load (i32.const 512))) (call $print (i64.load32_u (i32.const 520)))
    (call $print (call $monotonic)) (call $print (call $monotonic))";

#[test]
fn the_same_run_sees_the_same_world() {
    let service = installed(&guest("", &then_ok(SEES)), Limits::default());
    let request = |run: &str, mode| RunRequest { id: Some(id(run)), ..service.request(mode, "{}") };
    let planned = run(&service, request("r1", Mode::DryRun));
    let committed = run(&service, request("r1", Mode::Commit));
    assert_eq!((planned.status, committed.status, committed.log.len()), (Status::Ok, Status::Committed, 9));
    assert_eq!(
        (&planned.log, planned.fuel, planned.host_calls),
        (&committed.log, committed.fuel, committed.host_calls)
    );
    let replayed = service.runner.replay(&service.tenant, &id("r1"), &mut |_| {}).unwrap();
    assert!(replayed.identical, "{replayed:#?}");
    // Another run has other numbers, and the same clocks.
    let later = Instant(NOW.0 + 86_400_000_000);
    let other = run(&service, RunRequest { now: later, ..request("r2", Mode::Commit) });
    for (at, (one, two)) in committed.log.iter().zip(&other.log).enumerate() {
        assert_eq!(one.message == two.message, [6, 7, 8].contains(&at), "line {at}: {one:?} {two:?}");
    }
    // In another service, the tenant has another number; all else is the same.
    let elsewhere = Service::new();
    elsewhere.office.create_tenant("admin", NOW, id("other"), "Other").unwrap();
    elsewhere.install(&guest("", &then_ok(SEES)), Limits::default());
    let there = run(&elsewhere, RunRequest { id: Some(id("r1")), ..elsewhere.request(Mode::Commit, "{}") });
    assert_eq!(there.log, committed.log);
}

#[test]
fn clocks_are_those_of_the_run() {
    let seconds = NOW.0 / 1_000_000;
    let read = format!(
        "(call $wall (i32.const 512)) (if (i64.ne (i64.load (i32.const 512)) (i64.const {seconds})) (then unreachable))
         (if (i64.ne (call $monotonic) (i64.const 0)) (then unreachable))
         (if (i64.ne (call $monotonic) (i64.const 1000000)) (then unreachable))
         ;; A loop on time ends.
         (loop $wait (br_if $wait (i64.lt_u (call $monotonic) (i64.const 1000000000))))
         ;; So does one that asks whether it is over.
         (local.set $timer (call $after (i64.const 100000000)))
         (if (call $ready (local.get $timer)) (then unreachable))
         (loop $wait (br_if $wait (i32.eqz (call $ready (local.get $timer)))))"
    );
    let report = commit(&guest("", &then_ok(&format!("(local $timer i32) {read}"))), Limits::default());
    assert_eq!((report.status, report.fault.as_ref()), (Status::Committed, None));
}

#[test]
fn nobody_waits() {
    // Five hundred years, by itself and in a list with a second; and from then on, time stands still.
    let wait = "(local $long i32) (local $short i32)
        (local.set $long (call $after (i64.const -1))) (local.set $short (call $after (i64.const 1000000000)))
        (i32.store (i32.const 256) (local.get $long)) (i32.store (i32.const 260) (local.get $short))
        (call $poll (i32.const 256) (i32.const 2) (i32.const 512))
        (if (i32.ne (i32.load (i32.const 516)) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load (i32.load (i32.const 512))) (i32.const 1)) (then unreachable))
        (if (i64.ne (call $monotonic) (i64.const 1000000000)) (then unreachable))
        (call $block (local.get $long))
        (if (i64.ne (call $monotonic) (i64.const -1)) (then unreachable))
        (if (i64.ne (call $monotonic) (i64.const -1)) (then unreachable))
        (call $poll (i32.const 256) (i32.const 2) (i32.const 512))
        (if (i32.ne (i32.load (i32.const 516)) (i32.const 2)) (then unreachable))
        (call $drop-pollable (local.get $long)) (call $drop-pollable (local.get $short))";
    let report = commit(&guest("", &then_ok(wait)), Limits::default());
    assert_eq!((report.status, report.fault.as_ref()), (Status::Committed, None));
}

#[test]
fn the_system_is_empty() {
    let data = r#"(data (i32.const 256) "example.com")"#;
    let none =
        |call: &str| format!("(call ${call} (i32.const 512)) (if (i32.load (i32.const 516)) (then unreachable))");
    let look = format!(
        "(i32.store (i32.const 516) (i32.const 9)) {} (i32.store (i32.const 516) (i32.const 9)) {}
         (i32.store (i32.const 516) (i32.const 9)) {}
         (i32.store8 (i32.const 512) (i32.const 9)) (call $cwd (i32.const 512))
         (if (i32.load8_u (i32.const 512)) (then unreachable))
         ;; The input has ended: an error, which is `closed`.
         (call $read (call $stdin) (i64.const -1) (i32.const 512))
         (if (i32.ne (i32.load8_u (i32.const 512)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then unreachable))
         ;; Sockets and names: an error, which is `access-denied`.
         (call $socket (i32.const 1) (i32.const 512))
         (if (i32.ne (i32.load8_u (i32.const 512)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then unreachable))
         (call $resolve (call $network) (i32.const 256) (i32.const 11) (i32.const 512))
         (if (i32.ne (i32.load8_u (i32.const 512)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then unreachable))
         ;; And the output takes a MiB at a time.
         (call $check (call $stdout) (i32.const 512))
         (if (i64.ne (i64.load (i32.const 520)) (i64.const 1048576)) (then unreachable))",
        none("variables"),
        none("arguments"),
        none("folders"),
    );
    let report = commit(&guest(data, &then_ok(&look)), Limits::default());
    assert_eq!((report.status, report.fault.as_ref(), report.host_calls), (Status::Committed, None, 11));
}

#[test]
fn a_system_is_wanted_granted_and_the_callers() {
    let service = Service::new();
    let bytes = guest("", OK);
    assert_eq!(service.runner.runtime().load(&bytes).unwrap().class(), PluginClass::Observe);
    match service.runner.runtime().load(&built("", OK, None, "")) {
        Err(PluginError::ObserveNotWanted(names)) => assert!(names.contains(&"wasi:io/poll@0.2.9".to_owned())),
        other => panic!("{other:?}"),
    }
    // Granting nothing of it is refused when it is installed.
    let release = service.upload(&bytes);
    assert!(release.imports.contains(&"wasi:sockets/tcp@0.2.0".to_owned()), "{:?}", release.imports);
    let grants = Rights::from(Grant { administer: false, observe: false, ..Grant::all() });
    let new = NewInstallation {
        name: id("test"),
        release: release.digest,
        grants,
        config: Default::default(),
        limits: Limits::default(),
        accept_rights: false,
    };
    match service.office.install("admin", NOW, service.tenant(), new.clone()).map(|written| written.value) {
        Err(Failure::Business(error)) => {
            assert_eq!((error.class, error.code()), (Class::Invalid, "observe-not-granted"));
            assert_eq!(error.problems[0].field.as_deref(), Some("grants.observe"));
        }
        other => panic!("{other:?}"),
    }
    let grants = Rights::from(Grant { observe: true, ..Grant::default() });
    service.office.install("admin", NOW, service.tenant(), NewInstallation { grants, ..new }).unwrap();
    assert_eq!(run(&service, service.request(Mode::Commit, "{}")).status, Status::Committed);
    // The caller's own rights come first, as for everything.
    let rights = Arc::new(Rights::from(Grant { observe: false, ..Grant::all() }));
    let report = run(&service, RunRequest { rights, ..service.request(Mode::Commit, "{}") });
    let error = report.error.unwrap();
    assert_eq!((report.status, error.class, error.code()), (Status::Refused, Class::Denied, "observe-denied"));
    assert_eq!((report.fuel, report.host_calls), (0, 0));
}

#[test]
fn who_asks_for_no_system_needs_no_right_to_one() {
    let service = Service::new();
    let release = service.upload(&plugin(&Guest { run: OK, ..Guest::default() }, ""));
    let new = NewInstallation {
        name: id("test"),
        release: release.digest,
        grants: Rights::default(),
        config: Default::default(),
        limits: Limits::default(),
        accept_rights: false,
    };
    service.office.install("admin", NOW, service.tenant(), new).unwrap();
    let rights = Arc::new(Rights::default());
    let report = run(&service, RunRequest { rights, ..service.request(Mode::Commit, "{}") });
    assert_eq!(report.status, Status::Committed);
}

#[test]
fn what_the_host_does_not_have_is_refused_by_name() {
    let others = [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:nn/graph@0.2.0-rc-2024-10-28",
        "wasi:clocks/wall-clock@0.3.0",
        "wasi:clocks/timezone@0.2.0",
        "wasi:keyvalue/store@0.2.0",
    ];
    let more: String = others.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
    let imports = format!("{IMPORTS} {more}");
    let bytes = plugin(&Guest { imports: &imports, run: OK, ..Guest::default() }, WANTS);
    match Service::new().runner.runtime().load(&bytes) {
        Err(PluginError::UnknownImports(names)) => assert_eq!(names, others),
        other => panic!("{other:?}"),
    }
    // A function that no WASI 0.2 has yet is no function of it.
    let imports = r#"(import "wasi:random/random@0.2.40" (instance (export "get-dice" (func (result u64)))))"#;
    match Service::new().runner.runtime().load(&plugin(&Guest { imports, run: OK, ..Guest::default() }, WANTS)) {
        Err(PluginError::Contract(why)) => assert!(why.contains("get-dice"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_call_is_counted() {
    let calls = "(call $print (call $number)) (call $print (call $monotonic))";
    let report = commit(&guest("", &then_ok(calls)), Limits { host_calls: 6, ..Limits::default() });
    assert_eq!((report.status, report.host_calls), (Status::Committed, 6));
    // Two MiB of random bytes cost what two MiB cost anywhere.
    let grow = "(drop (memory.grow (i32.const 40))) (i32.const 65536)";
    let draw =
        then_ok("(call $bytes (i64.const 1048576) (i32.const 512)) (call $bytes (i64.const 1048576) (i32.const 512))");
    let limits = Limits { fuel: MAX_LIMITS.fuel, ..Limits::default() };
    let report = commit(&built("", &draw, Some(grow), WANTS), limits);
    assert!(report.fuel > 2 * 1_024 * 500, "{}", report.fuel);
}
