//! Replays of runs that saw people who have been erased since.

use backroom_domain::hr::{NewEmployment, NewErasure, NewWorker, Place};
use backroom_domain::rights::{HrField, Rights};
use backroom_domain::{BusinessDate, Currency, Money};
use backroom_office::{Caller, hr};
use backroom_runtime::{ErasedField, Mode, ReplayReport, RunRequest, Status};
use backroom_store::Meta;
use backroom_store::records::Limits;

use std::sync::Arc;

use crate::common::{Guest, NOW, OK, Service, id, plugin};

/// A guest that asks for the name of W-1 and, if `keeps` is set, keeps it as its state.
fn asks(keeps: bool) -> Vec<u8> {
    let keep = "(call $set (i32.const 256) (i32.const 3) (i32.load (i32.const 516)) (i32.load (i32.const 520)) (i32.const 576))";
    // It goes over the name, so that a longer one is more work.
    let read = "(local.set $n (i32.load (i32.const 520)))
        (loop $next
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $next (i32.gt_s (local.get $n) (i32.const 0))))";
    let ask = "(local $n i32) (call $name (i32.const 260) (i32.const 3) (i32.const 512))";
    let run = format!("{ask} {read} {} {OK}", if keeps { keep } else { "" });
    let guest = Guest {
        imports: r#"
  (import "backroom:host/state@0.1.0" (instance $state
    (alias outer 1 $error (type $error))
    (export "error" (type $err (eq $error)))
    (export "set" (func (param "key" string) (param "value" (list u8)) (result (result (error $err)))))))
  (import "backroom:hr/workers@0.1.0" (instance $workers
    (alias outer 1 $error (type $error))
    (export "error" (type $err (eq $error)))
    (export "get-name" (func (param "worker" string) (result (result string (error $err)))))))"#,
        lowered: r#"
  (core func $set (canon lower (func $state "set") (memory $memory) (realloc $realloc)))
  (core func $name (canon lower (func $workers "get-name") (memory $memory) (realloc $realloc)))"#,
        env: r#"(export "set" (func $set)) (export "name" (func $name))"#,
        fields: r#"
    (import "env" "set" (func $set (param i32 i32 i32 i32 i32)))
    (import "env" "name" (func $name (param i32 i32 i32)))
    (data (i32.const 256) "key")
    (data (i32.const 260) "W-1")"#,
        run: &run,
        realloc: None,
    };
    plugin(&guest, "[[wants]]\nwhy = \"Test.\"\nstate = true\n[wants.hr]\nread = [\"name\"]\n")
}

fn caller() -> Caller {
    Caller { actor: "ada".to_owned(), layers: vec![Arc::new(Rights::all())], installation: None, run: None }
}

/// A service with a worker who has left.
fn service() -> Service {
    let service = Service::new();
    let mut work = service.office.write(service.tenant(), caller(), NOW).unwrap();
    let day = |text| BusinessDate::parse(text, "d").unwrap();
    let new = NewWorker { id: id("W-1"), name: "Ada Lovell of Somewhere".to_owned(), email: None, bank_account: None };
    hr::add_worker(&mut work, new).unwrap();
    let employment = NewEmployment {
        worker: id("W-1"),
        from: day("2025-01-01"),
        to: Some(day("2025-12-31")),
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-1"),
        salary: Some(Money { minor: 700_000, currency: Currency::parse("USD", "c").unwrap() }),
    };
    hr::add_employment(&mut work, employment).unwrap();
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
    service
}

fn run(service: &Service, name: &str) {
    let request = RunRequest { id: Some(id(name)), ..service.request(Mode::Commit, "{}") };
    let report = service.runner.run(request).unwrap().wait().unwrap();
    assert_eq!(report.status, Status::Committed, "{report:?}");
}

fn erase(service: &Service) {
    let new = NewErasure { reason: "asked for".to_owned(), not_before: None };
    service.office.erase_person(service.tenant(), caller(), NOW, &id("W-1"), new).unwrap();
}

fn replay(service: &Service, name: &str) -> ReplayReport {
    service.runner.replay(&service.tenant, &id(name), &mut |_| {}).unwrap()
}

#[test]
fn a_run_that_does_not_need_what_was_erased_is_identical_before_and_after() {
    let service = service();
    service.install(&asks(false), Limits::default());
    run(&service, "before");
    let report = replay(&service, "before");
    assert_eq!((report.identical, report.erased.len()), (true, 0));
    assert_eq!(report.fuel_recorded, report.fuel_replayed);
    erase(&service);
    run(&service, "after");
    let report = replay(&service, "before");
    let erased = ErasedField { worker: id("W-1"), field: HrField::Name };
    assert_eq!((report.identical, report.differences.len()), (true, 0), "{report:?}");
    assert_eq!(report.erased, [erased], "and it says what it could not look at");
    assert_ne!(report.fuel_recorded, report.fuel_replayed, "a shorter name is less work: not compared");
    // A run of today saw the erased name, and sees it again.
    let report = replay(&service, "after");
    assert_eq!((report.identical, report.erased.len()), (true, 0), "{report:?}");
    assert_eq!(report.fuel_recorded, report.fuel_replayed);
}

#[test]
fn a_run_that_needs_what_was_erased_says_so() {
    let service = service();
    service.install(&asks(true), Limits::default());
    run(&service, "before");
    assert!(replay(&service, "before").identical);
    erase(&service);
    let report = replay(&service, "before");
    assert!(!report.identical && !report.effects_identical && report.output_identical, "{report:?}");
    assert_eq!(report.erased, [ErasedField { worker: id("W-1"), field: HrField::Name }]);
    assert!(report.differences.iter().all(|difference| difference.contains("effects differ")), "{report:?}");
    assert_eq!(serde_json::to_value(&report).unwrap()["erased"][0]["field"], "name");
}
