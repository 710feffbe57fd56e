//! What the service asks of the runtime.
//!
//! One trait, so that the tests of the service need no Wasm toolchain: they bring workflows that spin or fail as they like.

use backroom_domain::{Id, Instant};
use backroom_office::Failure;
use backroom_runtime::{
    CompileFigures, Enqueued, ReplayReport, RunFigures, RunHandle, RunRequest, Runner, RunnerError,
};
use backroom_store::records::{Release, Tenant};
use backroom_store::{Lease, StoreError};

/// The runtime, seen from here. Every call blocks its thread: a run for as long as its limits allow.
pub trait Workflows: Send + Sync {
    /// Inspects, compiles and records a component; durable when it returns.
    ///
    /// # Errors
    /// What is wrong with the bytes; what the store reports.
    fn upload(&self, actor: &str, now: Instant, bytes: &[u8]) -> Result<Release, RunnerError>;

    /// The bytes of a release.
    ///
    /// # Errors
    /// They cannot be read, or were changed.
    fn component(&self, digest: &str) -> Result<Vec<u8>, RunnerError>;

    /// Runs a workflow once. A run that was refused or failed is no error: its report says so.
    ///
    /// # Errors
    /// What is wrong with the request; what the store reports.
    fn run(&self, request: RunRequest) -> Result<RunHandle, RunnerError>;

    /// Queues a run.
    ///
    /// # Errors
    /// What is wrong with the request; what the store reports.
    fn enqueue(&self, request: RunRequest) -> Result<Enqueued, RunnerError>;

    /// Does a run that waits; none if it does not wait any more.
    ///
    /// # Errors
    /// Only what says something about the service: the run still waits then.
    fn run_queued(&self, lease: Lease, id: &Id, now: Instant) -> Result<Option<RunHandle>, RunnerError>;

    /// Executes a recorded run again and compares.
    ///
    /// # Errors
    /// `not-found`; what the store reports.
    fn replay(&self, tenant: &Tenant, run: &Id) -> Result<ReplayReport, RunnerError>;

    /// Why no run should begin now, if so.
    fn unfit(&self) -> Option<String>;

    /// How many guests may live at once.
    fn capacity(&self) -> usize;

    /// What was compiled since the start.
    fn compiled(&self) -> CompileFigures {
        CompileFigures::default()
    }

    /// What was executed since the start.
    fn executed(&self) -> RunFigures {
        RunFigures::default()
    }

    /// How often a run was begun anew because another host had committed first.
    fn reruns(&self) -> u64 {
        0
    }
}

impl Workflows for Runner {
    fn upload(&self, actor: &str, now: Instant, bytes: &[u8]) -> Result<Release, RunnerError> {
        Self::upload(self, actor, now, bytes)
    }

    fn component(&self, digest: &str) -> Result<Vec<u8>, RunnerError> {
        Self::component(self, digest)
    }

    fn run(&self, request: RunRequest) -> Result<RunHandle, RunnerError> {
        Self::run(self, request)
    }

    fn enqueue(&self, request: RunRequest) -> Result<Enqueued, RunnerError> {
        Self::enqueue(self, request)
    }

    fn run_queued(&self, lease: Lease, id: &Id, now: Instant) -> Result<Option<RunHandle>, RunnerError> {
        Self::run_queued(self, lease, id, now)
    }

    fn replay(&self, tenant: &Tenant, run: &Id) -> Result<ReplayReport, RunnerError> {
        Self::replay(self, tenant, run, &mut |_| {})
    }

    fn unfit(&self) -> Option<String> {
        (!self.runtime().is_alive()).then(|| "the clock that ends spinning guests has stopped".to_owned())
    }

    fn capacity(&self) -> usize {
        usize::try_from(self.runtime().capacity().concurrency).unwrap_or(usize::MAX)
    }

    fn compiled(&self) -> CompileFigures {
        self.runtime().compile_figures()
    }

    fn executed(&self) -> RunFigures {
        self.runtime().run_figures()
    }

    fn reruns(&self) -> u64 {
        Self::reruns(self)
    }
}

/// As a use case would say it.
pub(crate) fn failure(error: RunnerError) -> Failure {
    match error {
        RunnerError::Conflict => StoreError::Conflict.into(),
        other => other.into_error().into(),
    }
}
