//! When the service itself fails: a store that gives up at any moment, and a mistake in the middle of a host call.

use backroom_office::MAX_LIMITS;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use backroom_runtime::{FaultKind, Mode, RunRequest, Runner, RunnerError, Status};
use backroom_store::engine::{
    Appended, At, Faulty, KeyRange, Keyring, LogItem, Memory, Pairs, Sealed, Snapshot, Value,
};
use backroom_store::records::{Limits, RunRecord};
use backroom_store::{Engine, Head, Revision, Store, StoreError, TenantNo};

use crate::common::{OK, SET_TO_INPUT, STATE_FIELDS, Service, id, plugin, runtime, state_guest, then_ok};

/// A store in memory, which several engines can be put above.
#[derive(Clone)]
struct Shared(Arc<dyn Engine>);

impl Engine for Shared {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        self.0.snapshot(at)
    }
    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        self.0.head(tenant)
    }
    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        self.0.append(sealed)
    }
    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.0.read_log(from, visit)
    }
    fn keyring(&self) -> Arc<dyn Keyring> {
        self.0.keyring()
    }
    fn status(&self) -> backroom_store::Status {
        self.0.status()
    }
    fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }
}

fn keeper() -> Vec<u8> {
    plugin(&state_guest(STATE_FIELDS, &then_ok(SET_TO_INPUT)), "[[wants]]\nwhy = \"Test.\"\nstate = true\n")
}

#[test]
fn a_store_that_fails_at_any_call_never_makes_a_false_success() {
    let engine = Shared(Arc::new(Memory::new()));
    let service = Service::over(Store::with_engine(Arc::new(engine.clone())));
    service.install(&keeper(), Limits::default());
    let mut failures = 0;
    for fail_from in 1..30 {
        let broken = Store::with_engine(Arc::new(Faulty::new(Arc::new(engine.clone()), fail_from)));
        let runner = Runner::new(broken, runtime(), &service.dir.path().join("releases")).unwrap();
        let run = id(&format!("run-{fail_from}"));
        let request = RunRequest { id: Some(run.clone()), ..service.request(Mode::Commit, &fail_from.to_string()) };
        let answered = runner.run(request).and_then(backroom_runtime::RunHandle::wait);
        let record = service.runner.store().read(service.tenant()).unwrap().get::<RunRecord>(&run).unwrap();
        match answered {
            Ok(report) => {
                assert_eq!(report.status, Status::Committed);
                assert!(record.is_some());
            }
            Err(RunnerError::Unavailable(_)) => {
                failures += 1;
                assert!(record.is_none(), "call {fail_from}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    // Some early calls failed, and most runs, which make fewer calls than that, did not.
    assert!((2..10).contains(&failures), "{failures}");
}

/// An engine whose reads panic once the switch is on.
struct Mistaken(Shared, Arc<AtomicBool>);

struct MistakenView(Box<dyn Snapshot>, Arc<AtomicBool>);

impl Engine for Mistaken {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(MistakenView(self.0.snapshot(at)?, Arc::clone(&self.1))))
    }
    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        self.0.head(tenant)
    }
    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        self.0.append(sealed)
    }
    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.0.read_log(from, visit)
    }
    fn keyring(&self) -> Arc<dyn Keyring> {
        self.0.keyring()
    }
    fn status(&self) -> backroom_store::Status {
        self.0.status()
    }
    fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }
}

impl Snapshot for MistakenView {
    fn revision(&self) -> Revision {
        self.0.revision()
    }
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        // Plugin state is record space 12.
        let state = backroom_store::split_key(key).is_some_and(|(_, space, _)| space == 12);
        assert!(!(state && self.1.load(Ordering::SeqCst)), "a mistake on purpose");
        self.0.get(key)
    }
    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_> {
        self.0.scan(range, reverse, wanted)
    }
    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        self.0.next_tenant(from)
    }
}

#[test]
fn a_panic_in_a_host_call_ends_that_run_and_nothing_else() {
    let switch = Arc::new(AtomicBool::new(false));
    let shared = Shared(Arc::new(Memory::new()));
    let service = Service::over(Store::with_engine(Arc::new(Mistaken(shared, Arc::clone(&switch)))));
    service.install(&keeper(), Limits::default());
    let run = || service.runner.run(service.request(Mode::Commit, "1")).unwrap().wait().unwrap();
    switch.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        let report = run();
        assert_eq!(report.status, Status::Failed);
        assert_eq!(report.fault.unwrap().kind, FaultKind::Internal);
    }
    switch.store(false, Ordering::SeqCst);
    assert_eq!(run().status, Status::Committed);
    assert!(service.runner.store().verify(&mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_full_house_is_told_and_left_without_a_record() {
    use backroom_runtime::{Runtime, RuntimeOptions};
    use std::time::Duration;
    let options = RuntimeOptions { concurrency: 1, patience: Duration::from_millis(50), ..RuntimeOptions::default() };
    let small = Arc::new(Runtime::new(options).unwrap());
    assert_eq!(small.capacity().concurrency, 1);
    let service = Service::new();
    let runner = Runner::new(service.runner.store().clone(), small, &service.dir.path().join("releases")).unwrap();
    let spin = crate::common::Guest { run: "(loop $spin (br $spin)) unreachable", ..crate::common::Guest::default() };
    service.install(&plugin(&spin, ""), Limits { wall_ms: 1_000, fuel: MAX_LIMITS.fuel, ..Limits::default() });
    std::thread::scope(|scope| {
        // Whoever comes second is told; on a busy machine that may be this one.
        let spinning = scope.spawn(|| {
            let ran = || runner.run(service.request(Mode::DryRun, "1")).ok();
            std::iter::repeat_with(ran).flatten().next().unwrap().report
        });
        let busy = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            matches!(runner.run(service.request(Mode::DryRun, "1")), Err(RunnerError::Unavailable(_)))
        });
        assert!(busy);
        assert_eq!(spinning.join().unwrap().fault.unwrap().kind, FaultKind::Deadline);
    });
    service
        .install(&plugin(&crate::common::Guest { run: OK, ..crate::common::Guest::default() }, ""), Limits::default());
    assert_eq!(runner.run(service.request(Mode::DryRun, "1")).unwrap().report.status, Status::Ok);
}
