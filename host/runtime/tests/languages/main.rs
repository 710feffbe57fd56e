//! Components of real toolchains: what those that insist on a system see of it, and that every language does the same.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a failed helper is a failed test")]
#![allow(clippy::print_stderr, reason = "what is skipped is said loudly")]

mod allowance;
#[path = "../it/common.rs"]
#[allow(dead_code, reason = "the helpers for hand-made guests are not needed here")]
mod common;
mod conformance;
mod contract;
mod figures;
mod ground;
mod helpers;
mod make;
#[path = "../../../../tests/src/oracle.rs"]
#[allow(dead_code, unreachable_pub, reason = "the accounting programs are not needed here")]
mod oracle;

use std::path::{Path, PathBuf};

use backroom_runtime::{FaultKind, LogLevel, Mode, RunReport, RunRequest, Status};
use backroom_store::records::Limits;
use serde_json::{Value, json};

use common::{NOW, Service, id};

/// The top folder of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders up").to_owned()
}

fn run(service: &Service, run: &str, mode: Mode, input: &str) -> RunReport {
    let request = RunRequest { id: Some(id(run)), ..service.request(mode, &json!(input).to_string()) };
    service.runner.run(request).unwrap().wait().unwrap()
}

fn lines(report: &RunReport) -> Vec<(LogLevel, &str)> {
    report.log.iter().map(|line| (line.level, line.message.as_str())).collect()
}

/// Plans, commits and replays one run, which must all come to the same, and gives its output and that of a second run.
fn twice(service: &Service) -> (Value, Value) {
    let output = |report: &RunReport| -> Value { serde_json::from_str(report.output.as_ref().unwrap().get()).unwrap() };
    let planned = run(service, "one", Mode::DryRun, "look");
    assert_eq!(planned.status, Status::Ok, "{planned:#?}");
    let committed = run(service, "one", Mode::Commit, "look");
    assert_eq!((output(&planned), &planned.log, planned.fuel), (output(&committed), &committed.log, committed.fuel));
    let replayed = service.runner.replay(&service.tenant, &id("one"), &mut |_| {}).unwrap();
    assert!(replayed.identical, "{replayed:#?}");
    let other = run(service, "two", Mode::Commit, "look");
    assert_eq!(lines(&other), lines(&committed));
    (output(&committed), output(&other))
}

#[test]
fn rust_programs_see_a_system() {
    let Some(component) = make::rust() else { return };
    let service = Service::new();
    service.install(&component, Limits::default());
    let (seen, other) = twice(&service);
    for (field, value) in [
        ("microseconds", json!(NOW.0)),
        ("moved", json!(true)),
        ("variables", json!(0)),
        ("arguments", json!(0)),
        ("input", json!(0)),
    ] {
        assert_eq!(seen[field], value, "{field}: {seen:#}");
    }
    // An hour, and the looks at the clock around it.
    let slept = seen["slept_ms"].as_u64().unwrap();
    assert!((3_600_000..3_600_100).contains(&slept), "{slept}");
    for field in ["folder", "file", "socket"] {
        assert!(seen[field].as_str().is_some_and(|why| !why.is_empty()), "{field}: {seen:#}");
    }
    for field in ["hash", "order"] {
        assert_ne!(seen[field], other[field], "{field}");
    }
    let wanted =
        [(LogLevel::Info, "hello from Rust"), (LogLevel::Warn, "and a warning"), (LogLevel::Info, "no end of line")];
    assert_eq!(lines(&run(&service, "three", Mode::DryRun, "look")), wanted);
    let panicked = run(&service, "four", Mode::Commit, "panic");
    assert_eq!(panicked.fault.as_ref().map(|fault| fault.kind), Some(FaultKind::Trap));
    assert!(panicked.log.iter().any(|line| line.message.contains("the laptop is on fire")), "{panicked:#?}");
    let left = run(&service, "five", Mode::Commit, "exit").fault.unwrap();
    assert_eq!(left.kind, FaultKind::Trap);
    assert!(left.message.contains("before `run` returned"), "{left}");
}

#[test]
fn python_programs_see_a_system() {
    let Some(component) = make::python() else { return };
    let service = Service::new();
    service.install(&component, Limits::default());
    let (seen, other) = twice(&service);
    for (field, value) in [
        ("now", json!("2026-06-30T00:00:00+00:00")),
        ("moved", json!(true)),
        ("slept", json!(true)),
        ("variables", json!(0)),
        ("arguments", json!([])),
        ("input", json!("")),
        ("folder", json!("FileNotFoundError")),
        ("file", json!("FileNotFoundError")),
        ("socket", json!("PermissionError")),
    ] {
        assert_eq!(seen[field], value, "{field}: {seen:#}");
    }
    assert!(seen["name"].as_str().is_some_and(|why| !why.is_empty()), "{seen:#}");
    for field in ["token", "uuid", "sample"] {
        assert_ne!(seen[field], other[field], "{field}");
    }
    let wanted = [(LogLevel::Info, "hello from Python"), (LogLevel::Warn, "and a warning")];
    assert_eq!(lines(&run(&service, "three", Mode::DryRun, "look")), wanted);
    // An exception ends the run, and the log says where it came from.
    let raised = run(&service, "four", Mode::Commit, "raise");
    assert_eq!(raised.fault.as_ref().map(|fault| fault.kind), Some(FaultKind::Trap), "{raised:#?}");
    for part in ["Traceback", "app.py", "ValueError: the laptop is on fire"] {
        assert!(raised.log.iter().any(|line| line.message.contains(part)), "{part}: {raised:#?}");
    }
}
