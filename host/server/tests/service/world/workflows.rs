//! Workflows without guests: each does what its input says.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock};

use backroom_domain::rights::Rights;
use backroom_domain::{Class, Error, Id, Instant};
use backroom_office::runs::{Fault, FaultKind};
use backroom_office::{Office, queue};
use backroom_runtime::{Enqueued, Mode, ReplayReport, RunHandle, RunReport, RunRequest, RunnerError, Status};
use backroom_server::Workflows;
use backroom_store::records::{Counter, QueuedRun, Release, Tenant};
use backroom_store::{Lease, Meta, Store, Ticket};
use parking_lot::Mutex;
use serde_json::Value;

/// What a test sees of the runs, and how it lets them go on.
#[derive(Default)]
pub(crate) struct Script {
    released: AtomicBool,
    /// Runs under way.
    pub(crate) running: AtomicUsize,
    /// The most that were under way at once.
    pub(crate) most: AtomicUsize,
    /// The requests as they came.
    pub(crate) requests: Mutex<Vec<RunRequest>>,
    /// Runs that may wait.
    pub(crate) room: AtomicU64,
    /// The bytes of every release, by digest.
    pub(crate) components: Mutex<HashMap<String, Vec<u8>>>,
    /// Why no run should begin.
    pub(crate) unfit: Mutex<Option<String>>,
}

impl Script {
    /// Lets every waiting run end.
    pub(crate) fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
    }

    fn wait(&self) {
        let begun = Clock::now();
        while !self.released.load(Ordering::SeqCst) {
            assert!(begun.elapsed() < Duration::from_secs(30), "the test never released its runs");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Workflows over one opening of the store. The input `{"do": what}` says what a run does: `commit` (the default), `wait` for
/// [`Script::release`], `refuse`, `fault` (with `kind`), `panic`, `busy`.
pub(crate) struct Scripted {
    pub(crate) script: Arc<Script>,
    pub(crate) store: Store,
}

impl Workflows for Scripted {
    fn upload(&self, actor: &str, now: Instant, bytes: &[u8]) -> Result<Release, RunnerError> {
        if bytes.is_empty() {
            return Err(Error::new(Class::Invalid, "plugin-malformed", "this is no component").into());
        }
        let release = Release {
            digest: backroom_store::Hash::of(bytes).to_string(),
            plugin: Id::parse("scripted", "plugin")?,
            version: "1.0.0".to_owned(),
            description: "Does what its input says".to_owned(),
            wants: if bytes.starts_with(b"wants all") { Rights::all() } else { Rights::read_only() },
            imports: Vec::new(),
            size: bytes.len() as u64,
            created_at: now,
            functions: Vec::new(),
        };
        self.script.components.lock().insert(release.digest.clone(), bytes.to_vec());
        let written = Office::new(self.store.clone()).create_release(actor, now, release)?;
        written.ticket.map_or(Ok(()), |ticket| ticket.wait())?;
        Ok(written.value)
    }

    fn component(&self, digest: &str) -> Result<Vec<u8>, RunnerError> {
        let found = self.script.components.lock().get(digest).cloned();
        Ok(found.ok_or_else(|| Error::not_found("release", digest))?)
    }

    fn run(&self, request: RunRequest) -> Result<RunHandle, RunnerError> {
        let script = &self.script;
        script.requests.lock().push(request.clone());
        let running = script.running.fetch_add(1, Ordering::SeqCst) + 1;
        script.most.fetch_max(running, Ordering::SeqCst);
        let ended = self.act(request);
        script.running.fetch_sub(1, Ordering::SeqCst);
        ended
    }

    fn enqueue(&self, request: RunRequest) -> Result<Enqueued, RunnerError> {
        let mut tx = self.store.write(request.tenant)?;
        let id = request.id.clone().unwrap();
        if let Some(run) = queue::waiting(&tx, &id)? {
            return Ok(Enqueued::Waiting { run: Box::new(run), replayed: true, ticket: None });
        }
        if queue::length(&tx)? >= self.script.room.load(Ordering::SeqCst) {
            return Ok(Enqueued::Full);
        }
        let run = QueuedRun {
            id,
            installation: request.installation,
            date: request.date,
            input: request.input.as_ref().to_owned(),
            actor: request.actor,
            rights: (*request.rights).clone(),
            request_hash: [0; 32],
            queued_at: request.now,
            number: tx.commit_number()?,
        };
        queue::add(&mut tx, &run)?;
        let committed = tx.commit(Meta { kind: "run-queued".to_owned(), ..Meta::default() })?;
        Ok(Enqueued::Waiting { run: Box::new(run), replayed: false, ticket: Some(committed.ticket) })
    }

    fn run_queued(&self, lease: Lease, id: &Id, now: Instant) -> Result<Option<RunHandle>, RunnerError> {
        let Some(queued) = self.store.read(lease.tenant)?.get::<QueuedRun>(id)? else { return Ok(None) };
        let request = RunRequest {
            tenant: lease.tenant,
            actor: queued.actor.clone(),
            rights: Arc::new(queued.rights.clone()),
            installation: queued.installation.clone(),
            id: Some(id.clone()),
            input: queued.input.as_str().into(),
            date: queued.date,
            mode: Mode::DryRun,
            now,
        };
        let RunHandle { mut report, .. } = self.run(request)?;
        let mut tx = self.store.write(lease.tenant)?;
        tx.set_fence(lease.fence);
        queue::remove(&mut tx, &queued)?;
        let committed = tx.commit(Meta { kind: "run".to_owned(), ..Meta::default() })?;
        report.status = Status::Committed;
        Ok(Some(RunHandle { report, ticket: Some(committed.ticket), sent: None }))
    }

    fn replay(&self, _tenant: &Tenant, run: &Id) -> Result<ReplayReport, RunnerError> {
        Err(Error::not_found("run", run).into())
    }

    fn unfit(&self) -> Option<String> {
        self.script.unfit.lock().clone()
    }

    fn capacity(&self) -> usize {
        64
    }
}

impl Scripted {
    fn act(&self, request: RunRequest) -> Result<RunHandle, RunnerError> {
        let input: Value = serde_json::from_str(&request.input).unwrap();
        let mut report = report(&request)?;
        match input["do"].as_str().unwrap_or("commit") {
            "wait" => self.script.wait(),
            "refuse" => {
                report.status = Status::Refused;
                report.error = Some(Error::new(Class::Denied, "nobody-eligible", "nobody is eligible this month"));
            }
            "fault" => {
                let kind: FaultKind = serde_json::from_value(input["kind"].clone()).unwrap();
                (report.status, report.fault) = (Status::Failed, Some(Fault::new(kind, "it went wrong")));
            }
            "panic" => panic!("the inside of the service"),
            "busy" => return Err(RunnerError::Unavailable("/some/file: the inside of the service".to_owned())),
            _ => {}
        }
        if request.mode == Mode::DryRun || report.fault.is_some() || report.error.is_some() {
            return Ok(RunHandle { report, ticket: None, sent: None });
        }
        report.status = Status::Committed;
        let ticket = self.commit(&request)?;
        Ok(RunHandle { report, ticket: Some(ticket), sent: None })
    }

    fn commit(&self, request: &RunRequest) -> Result<Ticket, RunnerError> {
        let mut tx = self.store.write(request.tenant)?;
        let last = tx.get::<Counter>(&"scripted".to_owned())?.map_or(0, |counter| counter.last);
        tx.put(&Counter { series: "scripted".to_owned(), last: last + 1, failed: None })?;
        Ok(tx.commit(Meta { kind: "run".to_owned(), ..Meta::default() })?.ticket)
    }
}

/// A dry run that is ok.
fn report(request: &RunRequest) -> Result<RunReport, Error> {
    Ok(RunReport {
        id: request.id.clone().map_or_else(|| Id::parse("made-up", "id"), Ok)?,
        installation: request.installation.clone(),
        release: "00".repeat(32),
        mode: request.mode,
        status: Status::Ok,
        at: request.now,
        date: request.date.map_or_else(|| request.now.utc_date(), Ok)?,
        input_hash: String::new(),
        output: None,
        error: None,
        fault: None,
        effects: Vec::new(),
        fuel: 0,
        host_calls: 0,
        log: Vec::new(),
        log_dropped: 0,
        calls: Vec::new(),
        number: None,
        hash: None,
        replayed: false,
    })
}
