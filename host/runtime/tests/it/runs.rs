//! Runs around a guest that keeps one value in its state: plan, commit, repeat, replay.

use backroom_office::MAX_LIMITS;
use std::sync::Arc;

use crate::common::{NOW, OK, SET_TO_INPUT, STATE_FIELDS, Service, id, plugin, state_guest, then_ok};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Class, Effect};
use backroom_office::{Caller, state};
use backroom_runtime::{Mode, RunReport, RunRequest, Runner, RunnerError, Runtime, RuntimeOptions, Status};
use backroom_store::records::{Limits, RunRecord, RunStatus};

fn service() -> Service {
    let service = Service::new();
    service.install(&keeper(), Limits::default());
    service
}

/// Sets `key` to its input.
fn keeper() -> Vec<u8> {
    plugin(&state_guest(STATE_FIELDS, &then_ok(SET_TO_INPUT)), "[[wants]]\nwhy = \"Test.\"\nstate = true\n")
}

fn kept(service: &Service) -> Option<Vec<u8>> {
    let caller = Caller {
        actor: "test".into(),
        layers: vec![Arc::new(Rights::all())],
        installation: Some(id("test")),
        run: None,
    };
    state::get(&service.office.read(service.tenant(), caller, NOW).unwrap(), "key").unwrap()
}

fn run(service: &Service, request: RunRequest) -> RunReport {
    service.runner.run(request).unwrap().wait().unwrap()
}

fn refused(service: &Service, request: RunRequest) -> backroom_domain::Error {
    match service.runner.run(request).map(|handle| handle.report) {
        Err(error) => error.into_error(),
        Ok(report) => panic!("{report:?}"),
    }
}

/// Without what may differ between two reports of the same run.
fn json(report: &RunReport) -> serde_json::Value {
    let mut json = serde_json::to_value(report).unwrap();
    json.as_object_mut().unwrap().remove("replayed");
    json
}

#[test]
fn a_plan_is_what_a_commit_does_and_keeps_nothing() {
    let service = service();
    let plan = run(&service, RunRequest { id: Some(id("r1")), ..service.request(Mode::DryRun, "[1]") });
    assert_eq!((plan.status, plan.number, plan.hash.as_ref()), (Status::Ok, None, None));
    assert_eq!(kept(&service), None);
    let done = run(&service, RunRequest { id: Some(id("r1")), ..service.request(Mode::Commit, "[1]") });
    assert_eq!((done.status, done.number), (Status::Committed, Some(2)));
    assert_eq!(kept(&service).as_deref(), Some(b"[1]".as_slice()));
    assert_eq!((plan.effects.len(), &plan.effects), (1, &done.effects));
    assert!(matches!(&done.effects[0], Effect::StateSet(change) if change.key == "key"));
    assert_eq!((plan.fuel, plan.host_calls, plan.input_hash), (done.fuel, done.host_calls, done.input_hash));
}

#[test]
fn the_log_has_the_whole_run() {
    let service = service();
    let report = run(&service, service.request(Mode::Commit, "[1]"));
    let recorded = backroom_office::runs::recorded(service.runner.store(), service.tenant(), 2).unwrap().unwrap();
    assert_eq!(recorded.effects, report.effects);
    assert_eq!((recorded.entry.actor.as_str(), recorded.entry.kind.as_str()), ("anna", "run"));
    assert_eq!(recorded.entry.run.as_deref(), Some(report.id.as_str()));
    assert_eq!(recorded.entry.hash.to_string(), report.hash.unwrap());
    assert_eq!((recorded.detail.input.as_str(), recorded.detail.rights), ("[1]", Rights::all()));
    let work = service.office.read(
        service.tenant(),
        Caller { actor: "a".into(), layers: vec![], installation: None, run: None },
        NOW,
    );
    let work = work.unwrap();
    let record = backroom_office::runs::get(&work, &report.id).unwrap();
    assert_eq!((record.status, record.number), (RunStatus::Committed, 2));
    let page = backroom_office::runs::list(&work, &backroom_office::PageRequest::first(10)).unwrap();
    let ended = backroom_office::runs::RowStatus::Ended(RunStatus::Committed);
    let rows: Vec<_> = page.items.iter().map(|row| (&row.id, row.number, row.status)).collect();
    assert_eq!(rows, [(&record.id, 2, ended)]);
    assert!(backroom_office::runs::get(&work, &id("other")).is_err());
    // An entry that is no run.
    assert!(backroom_office::runs::recorded(service.runner.store(), service.tenant(), 1).unwrap().is_none());
}

#[test]
fn the_same_request_again_gives_the_recorded_report() {
    let service = service();
    let request = |mode, input: &str| RunRequest { id: Some(id("r1")), ..service.request(mode, input) };
    let first = run(&service, request(Mode::Commit, "[1]"));
    assert!(!first.replayed);
    let later = backroom_domain::Instant(NOW.0 + 86_400_000_000);
    let again = run(&service, RunRequest { now: later, actor: "bert".into(), ..request(Mode::Commit, "[1]") });
    assert!(again.replayed);
    assert_eq!(json(&again), json(&first));
    assert_eq!(service.runner.store().head(service.tenant()).unwrap().number, 2);
}

#[test]
fn the_same_id_for_another_request_is_a_conflict() {
    let service = service();
    service.install(&keeper(), Limits::default());
    run(&service, RunRequest { id: Some(id("r1")), ..service.request(Mode::Commit, "[1]") });
    let base = RunRequest { id: Some(id("r1")), ..service.request(Mode::Commit, "[1]") };
    let rows = [
        RunRequest { input: "[2]".into(), ..base.clone() },
        RunRequest { date: BusinessDate::parse("2026-01-31", "d").ok(), ..base.clone() },
        RunRequest { installation: id("other"), ..base },
    ];
    for request in rows {
        let error = refused(&service, request);
        assert_eq!((error.class, error.code()), (Class::Conflict, "exists-with-different"));
    }
    assert_eq!(kept(&service).as_deref(), Some(b"[1]".as_slice()));
}

#[test]
fn refused_and_failed_attempts_are_recorded_once() {
    // What is written before the trap, and before the refusal (the right is missing), must be gone.
    let trap = format!("{SET_TO_INPUT} unreachable");
    let rows = [
        (
            plugin(&state_guest(STATE_FIELDS, &trap), "[[wants]]\nwhy = \"Test.\"\nstate = true\n"),
            Status::Failed,
            RunStatus::Failed,
        ),
        (plugin(&state_guest(STATE_FIELDS, &then_ok(SET_TO_INPUT)), ""), Status::Refused, RunStatus::Refused),
    ];
    for (bytes, status, recorded) in rows {
        let service = Service::new();
        service.install(&bytes, Limits::default());
        let request = || RunRequest { id: Some(id("r1")), ..service.request(Mode::Commit, "[1]") };
        let first = run(&service, request());
        assert_eq!((first.status, first.number), (status, Some(2)));
        assert_eq!(kept(&service), None);
        let again = run(&service, request());
        assert!(again.replayed);
        assert_eq!(json(&again), json(&first));
        let tx = service.runner.store().read(service.tenant()).unwrap();
        assert_eq!(tx.get::<RunRecord>(&id("r1")).unwrap().unwrap().status, recorded);
        assert_eq!(service.runner.store().head(service.tenant()).unwrap().number, 2);
        assert!(service.runner.replay(&service.tenant, &id("r1"), &mut |_| {}).unwrap().identical);
    }
}

#[test]
fn every_layer_must_allow() {
    let none = Rights::from(Grant { state: false, ..Grant::all() });
    let all = Rights::from(Grant { administer: false, ..Grant::all() });
    let rows = [
        ("[[wants]]\nwhy = \"Test.\"\nstate = true\n", &all, &all, true),
        ("", &all, &all, false),
        ("[[wants]]\nwhy = \"Test.\"\nstate = true\n", &none, &all, false),
        ("[[wants]]\nwhy = \"Test.\"\nstate = true\n", &all, &none, false),
    ];
    for (at, (wants, grants, own, allowed)) in rows.into_iter().enumerate() {
        let service = Service::new();
        let release = service.upload(&plugin(&state_guest(STATE_FIELDS, &then_ok(SET_TO_INPUT)), wants));
        let new = backroom_office::NewInstallation {
            name: id("test"),
            release: release.digest,
            grants: grants.clone(),
            config: Default::default(),
            limits: Limits::default(),
            accept_rights: false,
        };
        service.office.install("admin", NOW, service.tenant(), new).unwrap();
        let request = RunRequest { rights: Arc::new(own.clone()), ..service.request(Mode::Commit, "1") };
        let report = run(&service, request);
        assert_eq!(report.status == Status::Committed, allowed, "row {at}");
        if !allowed {
            let error = report.error.unwrap();
            assert_eq!((error.class, error.code()), (Class::Denied, "state-denied"));
        }
    }
}

#[test]
fn requests_that_cannot_run_are_told_why() {
    let service = service();
    let large = "1".repeat((1 << 20) + 1);
    let rows = [
        (RunRequest { installation: id("none"), ..service.request(Mode::Commit, "1") }, Class::NotFound, "not-found"),
        (RunRequest { installation: id("none"), ..service.request(Mode::DryRun, "1") }, Class::NotFound, "not-found"),
        (service.request(Mode::Commit, &large), Class::Invalid, "input-too-large"),
    ];
    for (request, class, code) in rows {
        let error = refused(&service, request);
        assert_eq!((error.class, error.code()), (class, code));
    }
    assert_eq!(service.runner.store().head(service.tenant()).unwrap().number, 1);
}

#[test]
fn a_release_that_was_tampered_with_does_not_run() {
    let service = service();
    let fresh = Arc::new(Runtime::new(RuntimeOptions { concurrency: 4, ..RuntimeOptions::default() }).unwrap());
    let releases = service.dir.path().join("releases");
    let runner = Runner::new(service.runner.store().clone(), fresh, &releases).unwrap();
    let path = std::fs::read_dir(&releases).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&path).unwrap();
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let error = runner.run(service.request(Mode::Commit, "1")).map(|_| ()).unwrap_err();
    assert!(matches!(error, RunnerError::Plugin(_)), "{error}");
    assert_eq!(error.into_error().code(), "release-damaged");
    // Mended, it runs: nothing of the failure was recorded or remembered.
    std::fs::write(&path, bytes).unwrap();
    let report = runner.run(service.request(Mode::Commit, "1")).unwrap().wait().unwrap();
    assert_eq!(report.status, Status::Committed);
}

#[test]
fn replays_are_identical_whatever_happened_since() {
    let service = service();
    let runs: Vec<RunReport> = ["[1]", "[22]", "[22]", "[333]"]
        .into_iter()
        .map(|input| run(&service, service.request(Mode::Commit, input)))
        .collect();
    // The third changed nothing: what a run does depends on the state before it.
    assert_eq!(runs.iter().map(|run| run.effects.len()).collect::<Vec<_>>(), [1, 1, 0, 1]);
    // A later version of the installation must not count for them.
    service.install(&plugin(&state_guest(STATE_FIELDS, OK), ""), Limits { fuel: 1, ..Limits::default() });
    let mut read = 0;
    for run in runs {
        let replay = service.runner.replay(&service.tenant, &run.id, &mut |revision| read = revision).unwrap();
        assert!(replay.identical, "{:?}", replay.differences);
        assert!(replay.effects_identical && replay.output_identical);
        assert_eq!((replay.fuel_recorded, replay.fuel_replayed), (run.fuel, run.fuel));
    }
    assert!(read > 0);
    let error = service.runner.replay(&service.tenant, &id("none"), &mut |_| {}).unwrap_err();
    assert_eq!(error.into_error().class, Class::NotFound);
}

#[test]
fn what_the_machine_ended_cannot_be_replayed() {
    let service = Service::new();
    let spin = crate::common::Guest { run: "(loop $spin (br $spin)) unreachable", ..crate::common::Guest::default() };
    service.install(&plugin(&spin, ""), Limits { wall_ms: 20, fuel: MAX_LIMITS.fuel, ..Limits::default() });
    let report = run(&service, service.request(Mode::Commit, "1"));
    let error = service.runner.replay(&service.tenant, &report.id, &mut |_| {}).unwrap_err();
    assert_eq!(error.into_error().code(), "not-replayable");
}

#[test]
fn after_a_restart_runs_are_known_and_can_be_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let open = || backroom_store::Store::open(dir.path(), backroom_store::Options::default()).unwrap();
    let first = Service::over(open());
    let release = first.install(&keeper(), Limits::default());
    let request = RunRequest { id: Some(id("r1")), ..first.request(Mode::Commit, "[1]") };
    let report = run(&first, request.clone());
    run(&first, RunRequest { id: Some(id("r2")), ..first.request(Mode::Commit, "[2]") });
    let Service { runner, office, tenant, dir: releases } = first;
    drop((runner, office));

    // A runtime that never saw the plugin.
    let fresh = Arc::new(Runtime::new(RuntimeOptions { concurrency: 4, ..RuntimeOptions::default() }).unwrap());
    assert!(fresh.plugin(&release.digest).is_none());
    let runner = Runner::new(open(), fresh, &releases.path().join("releases")).unwrap();
    let again = runner.run(request).unwrap().wait().unwrap();
    assert!(again.replayed);
    assert_eq!(json(&again), json(&report));
    let replay = runner.replay(&tenant, &id("r1"), &mut |_| {}).unwrap();
    assert!(replay.identical, "{:?}", replay.differences);
}

#[test]
fn reports_survive_json() {
    let service = service();
    let report = run(&service, service.request(Mode::Commit, "[1]"));
    let text = serde_json::to_string(&report).unwrap();
    let back: RunReport = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    for key in
        ["\"input-hash\"", "\"host-calls\"", "\"log-dropped\"", "\"status\":\"committed\"", "\"mode\":\"commit\""]
    {
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn many_callers_of_one_tenant_lose_nothing() {
    let service = service();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let service = &service;
            scope.spawn(move || {
                for n in 0..20 {
                    let input = format!("[{caller},{n}]");
                    assert_eq!(run(service, service.request(Mode::Commit, &input)).status, Status::Committed);
                }
            });
        }
    });
    assert_eq!(service.runner.store().head(service.tenant()).unwrap().number, 161);
    assert!(service.runner.store().verify(&mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_store_that_stopped_is_unavailable_and_records_nothing() {
    let service = service();
    service.runner.store().clone().close().unwrap();
    let error = service.runner.run(service.request(Mode::Commit, "[1]")).map(|_| ()).unwrap_err();
    assert!(matches!(error, RunnerError::Unavailable(_)), "{error}");
    assert_eq!(error.into_error().class, Class::Unavailable);
}
