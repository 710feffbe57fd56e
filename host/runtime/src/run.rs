//! Runs of installations: request in, unit of work around the execution, report out.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backroom_domain::rights::{HrField, Rights};
use backroom_domain::{BusinessDate, Class, Error, Id, Instant};
use backroom_office::calls::Exchange;
use backroom_office::limits::Budget;
use backroom_office::runs::{self, Fault, FaultKind, RunDetail};
use backroom_office::{Caller, Failure, Office, Sealed, Work, queue};
use backroom_store::records::{Installation, Limits, QueuedRun, Release, RunRecord, RunStatus};
use backroom_store::{Cache, Committed, Hash, MAX_CHANGES, Meta, Store, StoreError, TenantNo, Ticket, Tx};
use serde_json::value::RawValue;

use crate::compile::Reason;
use crate::engine::Runtime;
use crate::error::{PluginError, RunnerError};
use crate::exec::{Execution, Outcome, Setup};
use crate::limits::MAX_CARRIED;
use crate::outbound::{Calls, Held, RunKey, Tape, Tapes};
use crate::plugin::Plugin;
use crate::releases::Releases;
use crate::report::{Mode, RunReport, Status};

/// The longest input, in bytes.
pub const MAX_INPUT: usize = MAX_CARRIED;

/// Changes of a commit that are the service's own: the record of the run, its place in the queue, sums of days.
const OWN_CHANGES: usize = 64;

/// How often a run is begun anew because another host committed for its tenant first. A run has no effect outside of its
/// unit of work, so doing it again does no harm; but somebody waits for it.
pub const MAX_RERUNS: u32 = 8;

/// The first pause before that; each one is twice as long as the one before, and between half and the whole of it is taken.
const PAUSE: Duration = Duration::from_millis(2);

/// How long the answer to a repeated request waits until the first one is on disk.
const SETTLE: Duration = Duration::from_secs(10);

/// Uploads plugins and runs installations. Clones are the same runner.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

struct Inner {
    store: Store,
    office: Office,
    runtime: Arc<Runtime>,
    releases: Releases,
    installations: Cache<Installation, Installed>,
    reruns: AtomicU64,
    /// What runs have sent that are not known to be on record.
    tapes: Arc<Tapes>,
}

/// Installations that are kept decoded: a few MiB at most.
const INSTALLATIONS: usize = 1_024;

/// An installation as runs use it.
pub(crate) struct Installed {
    pub(crate) name: Id,
    pub(crate) release: String,
    grants: Arc<Rights>,
    config: Arc<BTreeMap<String, String>>,
    limits: Limits,
}

impl Installed {
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl From<Installation> for Installed {
    fn from(installation: Installation) -> Self {
        let Installation { name, release, grants, config, limits, .. } = installation;
        Self { name, release, grants: Arc::new(grants), config: Arc::new(config), limits }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Whose books.
    pub tenant: TenantNo,
    /// Who asks, as the log names it.
    pub actor: String,
    /// The caller's own rights: the plugin gets no more than these.
    pub rights: Arc<Rights>,
    /// What is to run.
    pub installation: Id,
    /// The run's id: the idempotency key. Made up if there is none.
    pub id: Option<Id>,
    /// JSON of at most [`MAX_INPUT`] bytes.
    pub input: Arc<str>,
    /// The day of the books; the UTC day of `now` if none.
    pub date: Option<BusinessDate>,
    /// Dry run or commit.
    pub mode: Mode,
    /// The run's time.
    pub now: Instant,
}

impl RunRequest {
    /// With an id, so that an attempt that is begun anew is the same run.
    fn named(self) -> Result<Self, RunnerError> {
        let id = self.id.map_or_else(|| new_id(self.now), Ok)?;
        Ok(Self { id: Some(id), ..self })
    }
}

/// A finished run. Of a committing one nothing may be said to the caller before the ticket says that it is durable.
pub struct RunHandle {
    /// What happened.
    pub report: RunReport,
    /// Tells when it is on disk; none if there is nothing to wait for.
    pub ticket: Option<Ticket>,
    /// What it has sent to the outside, if it did: to be kept until the run is on disk or not going to be begun anew.
    pub sent: Option<Held>,
}

impl RunHandle {
    /// Waits until the run is on disk.
    ///
    /// # Errors
    /// [`RunnerError::Unavailable`] if the store failed first. The run may or may not be there after a restart: the same
    /// request with the same id will tell. [`RunnerError::Conflict`] if another host committed first: nothing was kept.
    pub fn wait(self) -> Result<RunReport, RunnerError> {
        self.ticket.map_or(Ok(()), |ticket| ticket.wait())?;
        if let Some(sent) = self.sent {
            sent.recorded();
        }
        Ok(self.report)
    }
}

/// What an execution came to once the rules of the end were checked.
#[expect(clippy::large_enum_variant, reason = "one a run, and taken apart at once")]
pub(crate) enum End {
    /// It can be committed.
    Ok(Sealed, Box<RawValue>),
    Refused(Error),
    Failed(Fault),
}

impl Runner {
    /// Over `store`, with releases in the directory `releases_dir`, which is made if it is not there. If several hosts share
    /// the store, it has the releases, and the directory is a cache.
    ///
    /// # Errors
    /// [`RunnerError::Unavailable`] if the directory cannot be opened, and is needed.
    pub fn new(store: Store, runtime: Arc<Runtime>, releases_dir: &Path) -> Result<Self, RunnerError> {
        let releases = Releases::open(releases_dir, store.clone())
            .map_err(|why| RunnerError::Unavailable(format!("cannot open {}: {why}", releases_dir.display())))?;
        let office = Office::new(store.clone());
        Ok(Self(Arc::new(Inner {
            store,
            office,
            runtime,
            releases,
            installations: Cache::new(INSTALLATIONS, Installed::from),
            reruns: AtomicU64::new(0),
            tapes: Arc::default(),
        })))
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The runtime behind it.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.0.runtime
    }

    /// Takes a plugin in: inspects it, compiles it, keeps its bytes, and records the release. Durable when it returns. The
    /// same bytes again give the release that there is. Takes seconds for large plugins.
    ///
    /// # Errors
    /// [`RunnerError::Plugin`] says what is wrong with the bytes; nothing was kept then.
    pub fn upload(&self, actor: &str, now: Instant, bytes: &[u8]) -> Result<Release, RunnerError> {
        let plugin = self.0.runtime.load(bytes)?;
        self.0.releases.keep(plugin.digest(), bytes)?;
        let manifest = plugin.manifest();
        let release = Release {
            digest: plugin.digest().to_owned(),
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            description: manifest.description.clone(),
            wants: (*manifest.wants).clone(),
            imports: plugin.imports().to_vec(),
            size: u64::try_from(plugin.size()).unwrap_or(u64::MAX),
            created_at: now,
            functions: plugin.functions().to_vec(),
        };
        self.again(|| {
            let written = self.0.office.create_release(actor, now, release.clone())?;
            written.ticket.map_or(Ok(()), |ticket| ticket.wait())?;
            Ok(written.value)
        })
    }

    /// The bytes of a release, for backups and for tenants that leave.
    ///
    /// # Errors
    /// [`RunnerError::Plugin`] if its file cannot be read or was changed.
    pub fn component(&self, digest: &str) -> Result<Vec<u8>, RunnerError> {
        self.0.releases.read(digest)
    }

    /// As [`Runner::run`], and waits until it is on disk. If another host commits first in that time, it begins anew.
    ///
    /// # Errors
    /// As [`Runner::run`] and [`RunHandle::wait`].
    pub fn run_durably(&self, request: RunRequest) -> Result<RunReport, RunnerError> {
        let (request, tape) = (request.named()?, OnceCell::new());
        self.again(|| self.once(request.clone(), &tape)?.wait())
    }

    /// How often a run was begun anew because another host had committed first.
    pub fn reruns(&self) -> u64 {
        self.0.reruns.load(Ordering::Relaxed)
    }

    /// Runs an installation on this thread: once, or anew where another host commits for the tenant meanwhile. A run that is
    /// refused or fails is a report as well; in commit mode the attempt is recorded, so that the same id gives the same
    /// report again.
    ///
    /// # Errors
    /// `invalid` (`input-too-large`, `date-invalid`), `not-found` (no such installation), `conflict`
    /// (`exists-with-different`: the id was used for another request); [`RunnerError::Plugin`] if the release cannot be
    /// loaded; [`RunnerError::Unavailable`] if the service could not do its part; [`RunnerError::Conflict`] if other hosts
    /// came first [`MAX_RERUNS`] times.
    pub fn run(&self, request: RunRequest) -> Result<RunHandle, RunnerError> {
        let (request, tape) = (request.named()?, OnceCell::new());
        self.again(|| self.once(request.clone(), &tape))
    }

    /// Does it until there is no conflict, but not for ever.
    pub(crate) fn again<T>(&self, run: impl Fn() -> Result<T, RunnerError>) -> Result<T, RunnerError> {
        let mut pause = PAUSE;
        for _ in 0..MAX_RERUNS {
            match run() {
                Err(RunnerError::Conflict) => {}
                answered => return answered,
            }
            self.0.reruns.fetch_add(1, Ordering::Relaxed);
            let random = u32::try_from(RandomState::new().hash_one(pause) % 64).unwrap_or(0);
            std::thread::sleep(pause / 2 + pause * random / 128);
            pause *= 2;
        }
        run()
    }

    fn once(&self, request: RunRequest, tape: &OnceCell<Arc<Tape>>) -> Result<RunHandle, RunnerError> {
        if request.input.len() > MAX_INPUT {
            let message = format!("an input has at most {MAX_INPUT} bytes, not {}", request.input.len());
            return Err(Error::invalid("input-too-large", "input", message).into());
        }
        let date = request.date.map_or_else(|| request.now.utc_date(), Ok)?;
        let id = request.id.clone().map_or_else(|| new_id(request.now), Ok)?;
        let hash = runs::input_hash(&request.input);
        let run = Run { runner: self, hash, id, date, request, fence: None, tape };
        match run.request.mode {
            Mode::DryRun => run.plan(),
            Mode::Commit => run.commit(),
        }
    }

    /// Requests to the outside on behalf of a tenant.
    fn calls(&self, tenant: TenantNo, dry_run: bool, tape: Arc<Tape>) -> Calls {
        Calls::live(Arc::clone(&self.0.runtime.client), tenant, dry_run, tape)
    }

    /// The plugin of a release: kept ready, compiled before, or read, checked and compiled.
    pub(crate) fn plugin(&self, digest: &str) -> Result<Arc<Plugin>, RunnerError> {
        let loaded = self.0.runtime.ready(digest, Reason::Use, || self.0.releases.read(digest));
        loaded.map_err(|error| match error {
            // It was compiled when it was uploaded: what is different now is this machine, or the limits.
            RunnerError::Plugin(PluginError::CompileLimit(why)) => PluginError::Compiler(why).into(),
            other => other,
        })
    }
}

/// Every layer that must allow a call: the caller, what the plugin wants, what the operator grants.
pub(crate) fn layers(own: Arc<Rights>, plugin: &Plugin, installation: &Installed) -> Vec<Arc<Rights>> {
    vec![own, Arc::clone(&plugin.manifest().wants), Arc::clone(&installation.grants)]
}

/// Executes, and checks the rules of the end. What the store cannot do is an error; all else is an end.
pub(crate) fn execute(
    runtime: &Runtime,
    plugin: &Plugin,
    work: Work,
    (installation, budget): (&Installed, &Budget),
    input: &Arc<str>,
    calls: Calls,
) -> Result<(End, Tail), RunnerError> {
    let setup = Setup { config: Arc::clone(&installation.config), limits: budget.limits, input: Arc::clone(input) };
    let execution = runtime.execute_with(plugin, work, setup, calls);
    let Execution { outcome, work, fuel, host_calls, log, log_dropped, calls, .. } = execution;
    let erased = work.erased_since();
    let end = match outcome {
        Outcome::Ok { output } => match RawValue::from_string(output) {
            Err(why) => End::Failed(Fault::new(FaultKind::Output, format!("the output is not JSON: {why}"))),
            Ok(output) if depth(output.get()) > usize::try_from(budget.limits.depth).unwrap_or(usize::MAX) => {
                let message =
                    format!("the output nests deeper than {}, and many who read it could not", budget.limits.depth);
                End::Failed(Fault::new(FaultKind::OutputDepth, message))
            }
            // Whether there is room is not left to the commit: a plan says so as well.
            Ok(output) => match fits(work.tx().changes()).map_err(Failure::Business).and_then(|()| work.seal()) {
                Ok(sealed) => End::Ok(sealed, output),
                Err(Failure::Business(error)) => End::Refused(error),
                Err(Failure::Store(error)) => return Err(error.into()),
            },
        },
        Outcome::Refused(error) => End::Refused(error),
        Outcome::Failed(fault) if fault.kind.is_passing() => {
            runtime.tally.count(Some(fault.kind));
            return Err(fault.into());
        }
        Outcome::Failed(fault) if fault.kind == FaultKind::Fuel && budget.by_day => {
            let message =
                format!("what runs may come to in a day is used up: {} units of work were left", budget.limits.fuel);
            End::Failed(Fault::new(FaultKind::DayFuel, message))
        }
        Outcome::Failed(fault) => End::Failed(fault),
    };
    runtime.tally.count(if let End::Failed(fault) = &end { Some(fault.kind) } else { None });
    Ok((end, Tail { fuel, host_calls, log, log_dropped, erased, calls }))
}

/// Whether so many changes fit into one entry of the log, beside those of the service.
fn fits(changes: usize) -> Result<(), Error> {
    let limit = MAX_CHANGES - OWN_CHANGES;
    match changes > limit {
        true => Err(too_large(&StoreError::TooLarge { what: "the number of changes", size: changes, limit })),
        false => Ok(()),
    }
}

/// What it changed does not fit into one entry of the log.
fn too_large(error: &StoreError) -> Error {
    Error::new(Class::Invalid, "too-large", error.to_string())
}

/// How deep arrays and objects nest in a text that is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What there is to say of every execution, however it ended.
pub(crate) struct Tail {
    pub(crate) fuel: u64,
    pub(crate) host_calls: u32,
    pub(crate) log: Vec<runs::LogLine>,
    pub(crate) log_dropped: u64,
    /// Personal data that it asked for and that have been erased since: none unless it is a replay.
    pub(crate) erased: Vec<(Id, HrField)>,
    /// What it sent to the outside.
    pub(crate) calls: Calls,
}

/// One request on its way.
pub(crate) struct Run<'a> {
    pub(crate) runner: &'a Runner,
    pub(crate) request: RunRequest,
    pub(crate) id: Id,
    pub(crate) date: BusinessDate,
    /// Of the input.
    pub(crate) hash: Hash,
    /// Of the lease under which it is done, if it waited for that.
    pub(crate) fence: Option<u64>,
    /// What its attempts have sent, held over all of them.
    pub(crate) tape: &'a OnceCell<Arc<Tape>>,
}

impl Run<'_> {
    fn plan(self) -> Result<RunHandle, RunnerError> {
        let inner = &self.runner.0;
        let tx = inner.store.read(self.request.tenant)?;
        let installation = self.installation(&tx)?;
        let plugin = self.runner.plugin(&installation.release)?;
        let release = installation.release.clone();
        let budget = self.budget(&tx, &installation)?;
        let work = self.work(tx, &plugin, &installation);
        let calls = self.runner.calls(self.request.tenant, true, Arc::default());
        let (end, tail) = execute(&inner.runtime, &plugin, work, (&installation, &budget), &self.request.input, calls)?;
        let mut report = self.report(release, &tail);
        match end {
            End::Ok(sealed, output) => {
                report.effects = sealed.effects;
                report.output = Some(output);
            }
            End::Refused(error) => (report.status, report.error) = (Status::Refused, Some(error)),
            End::Failed(fault) => (report.status, report.fault) = (Status::Failed, Some(fault)),
        }
        Ok(RunHandle { report, ticket: None, sent: None })
    }

    pub(crate) fn commit(self) -> Result<RunHandle, RunnerError> {
        let inner = &self.runner.0;
        let mut loaded: Option<Arc<Plugin>> = None;
        let (tx, queued, installation, plugin) = loop {
            let tx = self.begin()?;
            if let Some(record) = tx.get::<RunRecord>(&self.id)? {
                return self.known(tx, record);
            }
            let queued = self.queued_before(&tx)?;
            let installation = self.installation(&tx)?;
            let kept = loaded.take().filter(|plugin| plugin.digest() == installation.release);
            if let Some(plugin) = kept.or_else(|| inner.runtime.plugin(&installation.release)) {
                break (tx, queued, installation, plugin);
            }
            // Compiling takes seconds: not while others of this tenant wait.
            drop(tx);
            loaded = Some(self.runner.plugin(&installation.release)?);
        };
        let release = installation.release.clone();
        let number = tx.commit_number()?;
        let budget = self.budget(&tx, &installation)?;
        let work = self.work(tx, &plugin, &installation);
        let tape = self.tape.get_or_init(|| inner.tapes.of(&self.key()));
        let calls = self.runner.calls(self.request.tenant, false, Arc::clone(tape));
        let executed = execute(&inner.runtime, &plugin, work, (&installation, &budget), &self.request.input, calls);
        // Whatever comes now: if it is begun anew, nothing is sent twice.
        if !tape.is_empty() {
            inner.tapes.keep(&self.key(), tape);
        }
        let (end, tail) = executed?;
        let mut report = self.report(release, &tail);
        match end {
            End::Ok(mut sealed, output) => {
                report.status = Status::Committed;
                report.output = Some(output);
                sealed.put(&self.record(RunStatus::Committed, number))?;
                if let Some(queued) = &queued {
                    queue::remove(sealed.tx_mut(), queued)?;
                }
                budget.spend(sealed.tx_mut(), tail.fuel)?;
                match sealed.commit_and_show(self.meta("run", RunStatus::Committed, &report, &tail)) {
                    Ok((committed, effects)) => {
                        report.effects = effects;
                        Ok(self.done(report, committed))
                    }
                    // Nothing of it can be kept, but what it sent has to stand somewhere.
                    Err(Failure::Store(error @ StoreError::TooLarge { .. })) => {
                        (report.status, report.output) = (Status::Refused, None);
                        report.error = Some(too_large(&error));
                        self.attempt(report, RunStatus::Refused, &tail, Some(&budget))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            End::Refused(error) => {
                (report.status, report.error) = (Status::Refused, Some(error));
                self.attempt(report, RunStatus::Refused, &tail, Some(&budget))
            }
            End::Failed(fault) => {
                (report.status, report.fault) = (Status::Failed, Some(fault));
                self.attempt(report, RunStatus::Failed, &tail, Some(&budget))
            }
        }
    }

    /// A unit of work for the run to be committed in.
    fn begin(&self) -> Result<Tx, RunnerError> {
        let mut tx = self.runner.0.store.write(self.request.tenant)?;
        if let Some(fence) = self.fence {
            tx.set_fence(fence);
        }
        Ok(tx)
    }

    /// The same run as it waits in the queue. Whoever does it, the queue's turn or not, takes it out.
    fn queued_before(&self, tx: &Tx) -> Result<Option<QueuedRun>, RunnerError> {
        let queued = queue::waiting(tx, &self.id)?;
        if let Some(queued) = &queued {
            self.check_same(&queued.installation, &queued.request_hash)?;
        }
        Ok(queued)
    }

    /// Refuses if the id was used for another request.
    pub(crate) fn check_same(&self, installation: &Id, hash: &[u8; 32]) -> Result<(), RunnerError> {
        if *hash == self.request_hash() {
            return Ok(());
        }
        let field = if *installation == self.request.installation { "input" } else { "installation" };
        Err(Error::exists_with_different("run", &self.id, field).into())
    }

    /// As it is kept while it waits.
    pub(crate) fn queued(&self, number: u64) -> QueuedRun {
        QueuedRun {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            date: self.request.date,
            input: self.request.input.as_ref().to_owned(),
            actor: self.request.actor.clone(),
            rights: (*self.request.rights).clone(),
            request_hash: self.request_hash(),
            queued_at: self.request.now,
            number,
        }
    }

    /// Records that it was refused before the plugin began.
    pub(crate) fn refuse(self, error: Error) -> Result<RunHandle, RunnerError> {
        let found = self.runner.0.store.read(self.request.tenant)?.get::<Installation>(&self.request.installation)?;
        let release = found.map(|installation| installation.release).unwrap_or_default();
        let tail = Tail {
            fuel: 0,
            host_calls: 0,
            log: Vec::new(),
            log_dropped: 0,
            erased: Vec::new(),
            calls: Calls::default(),
        };
        let report = RunReport { status: Status::Refused, error: Some(error), ..self.report(release, &tail) };
        self.attempt(report, RunStatus::Refused, &tail, None)
    }

    /// Records a run of which nothing else is kept, but that it used its budget, if it began.
    fn attempt(
        self,
        report: RunReport,
        status: RunStatus,
        tail: &Tail,
        budget: Option<&Budget>,
    ) -> Result<RunHandle, RunnerError> {
        let mut tx = self.begin()?;
        // Between the two turns, the same request may have come again.
        if let Some(record) = tx.get::<RunRecord>(&self.id)? {
            return self.known(tx, record);
        }
        if let Some(queued) = self.queued_before(&tx)? {
            queue::remove(&mut tx, &queued)?;
        }
        if let Some(budget) = budget {
            budget.spend(&mut tx, tail.fuel)?;
        }
        tx.put(&self.record(status, tx.commit_number()?))?;
        let committed = tx.commit(self.meta("run-attempt", status, &report, tail))?;
        Ok(self.done(report, committed))
    }

    /// The answer to a request whose id `tx` has found on record.
    pub(crate) fn known(self, tx: Tx, record: RunRecord) -> Result<RunHandle, RunnerError> {
        self.check_same(&record.installation, &record.request_hash)?;
        let (store, tenant, number) = (&self.runner.0.store, self.request.tenant, record.number);
        // What was on its way when the record was seen, and no later one: the turn is held until this is known.
        let on_its_way = store.sequenced(tenant);
        drop(tx);
        if let Some(ticket) = on_its_way {
            // It is known at once if that was lost.
            ticket.wait()?;
        }
        settled(store, tenant, number)?;
        // It was seen before it was durable. Another host may have come first, with another entry of that number.
        if store.read(tenant)?.get::<RunRecord>(&record.id)?.as_ref() != Some(&record) {
            return Err(RunnerError::Conflict);
        }
        let run = runs::recorded(store, tenant, number)?;
        let missing =
            || RunnerError::Unavailable(format!("the log has no run under number {number}; run `backroom log verify`"));
        Ok(RunHandle { report: RunReport::recorded(record, run.ok_or_else(missing)?), ticket: None, sent: None })
    }

    pub(crate) fn installation(&self, tx: &Tx) -> Result<Arc<Installed>, RunnerError> {
        let name = &self.request.installation;
        let found = tx.get_kept(name, &self.runner.0.installations)?;
        Ok(found.ok_or_else(|| Error::not_found("installation", name))?)
    }

    fn budget(&self, tx: &Tx, installation: &Installed) -> Result<Budget, RunnerError> {
        Ok(Budget::of(tx, &installation.name, &installation.limits, day_of(self.request.now))?)
    }

    fn work(&self, tx: Tx, plugin: &Plugin, installation: &Installed) -> Work {
        let caller = Caller {
            actor: self.request.actor.clone(),
            layers: layers(Arc::clone(&self.request.rights), plugin, installation),
            installation: Some(installation.name.clone()),
            run: Some(self.id.clone()),
        };
        Work::new(tx, caller, self.request.now, self.date)
    }

    /// Which tape is its own.
    fn key(&self) -> RunKey {
        RunKey { tenant: self.request.tenant, run: self.id.clone(), request: self.request_hash() }
    }

    fn request_hash(&self) -> [u8; 32] {
        runs::request_hash(&self.request.installation, self.request.date, &self.request.input)
    }

    fn record(&self, status: RunStatus, number: u64) -> RunRecord {
        RunRecord {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            status,
            number,
            request_hash: self.request_hash(),
            at: self.request.now,
        }
    }

    /// The report of a dry run that is ok and has no effects; the caller knows better.
    fn report(&self, release: String, tail: &Tail) -> RunReport {
        RunReport {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            release,
            mode: self.request.mode,
            status: Status::Ok,
            at: self.request.now,
            date: self.date,
            input_hash: self.hash.to_string(),
            output: None,
            error: None,
            fault: None,
            effects: Vec::new(),
            fuel: tail.fuel,
            host_calls: tail.host_calls,
            log: tail.log.clone(),
            log_dropped: tail.log_dropped,
            calls: tail.calls.made.iter().map(Exchange::line).collect(),
            number: None,
            hash: None,
            replayed: false,
        }
    }

    fn meta(&self, kind: &str, status: RunStatus, report: &RunReport, tail: &Tail) -> Meta {
        let detail = RunDetail {
            installation: self.request.installation.clone(),
            release: report.release.clone(),
            date: self.date,
            now: self.request.now,
            input: self.request.input.as_ref().to_owned(),
            rights: (*self.request.rights).clone(),
            actor: self.request.actor.clone(),
            status,
            output: report.output.as_ref().map(|output| output.get().to_owned()),
            error: report.error.clone(),
            fault: report.fault.clone(),
            fuel: report.fuel,
            host_calls: report.host_calls,
            log: report.log.clone(),
            log_dropped: report.log_dropped,
            calls: tail.calls.made.clone(),
            abandoned: tail.calls.abandoned(),
        };
        Meta {
            at: self.request.now.0,
            actor: self.request.actor.clone(),
            kind: kind.to_owned(),
            run: Some(self.id.to_string()),
            installation: Some(self.request.installation.to_string()),
            release: hex::decode(&report.release).ok().and_then(|digest| digest.try_into().ok()),
            input_hash: Some(self.hash.0),
            detail: Some(detail.encode()),
            effects: Vec::new(),
        }
    }

    fn done(&self, report: RunReport, committed: Committed) -> RunHandle {
        let Committed { number, hash, ticket, .. } = committed;
        let report = RunReport { number: Some(number), hash: Some(hash.to_string()), ..report };
        let tape = self.tape.get().filter(|tape| !tape.is_empty());
        let sent = tape.map(|tape| Held::new(&self.runner.0.tapes, self.key(), Arc::clone(tape)));
        RunHandle { report, ticket: Some(ticket), sent }
    }
}

/// The day that a run is counted for. A time that no calendar has is after all days.
pub(crate) fn day_of(now: Instant) -> BusinessDate {
    now.utc_date().unwrap_or(BusinessDate::MAX)
}

/// Waits until the tenant's entry `number`, which has its place in the log, is on disk.
fn settled(store: &Store, tenant: TenantNo, number: u64) -> Result<(), RunnerError> {
    let began = std::time::Instant::now();
    while store.head(tenant)?.number < number {
        if store.status().failed.is_some() || began.elapsed() > SETTLE {
            return Err(RunnerError::Unavailable("the first run with this id is not on disk yet".into()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// An id for a run without one: a UUID of version 7, so that ids are in order of time.
pub(crate) fn new_id(now: Instant) -> Result<Id, RunnerError> {
    let uuid = uuid::Builder::from_unix_timestamp_millis(now.0 / 1_000, &random()?).into_uuid();
    Ok(Id::parse(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()), "id")?)
}

/// What makes an id one of its own. The system is asked for many at a time: a call for each was measured to take a tenth of what a
/// run costs beside its plugin.
fn random() -> Result<[u8; 10], RunnerError> {
    const AT_A_TIME: usize = 32;
    thread_local!(static LEFT: RefCell<Vec<[u8; 10]>> = const { RefCell::new(Vec::new()) });
    LEFT.with_borrow_mut(|left| {
        if left.is_empty() {
            let mut fresh = [[0; 10]; AT_A_TIME];
            getrandom::fill(fresh.as_flattened_mut()).map_err(|why| {
                RunnerError::Unavailable(format!("the system gives no random bytes for the id of a run: {why}"))
            })?;
            left.extend(fresh);
        }
        Ok(left.pop().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::{depth, fits};

    #[test]
    fn an_entry_has_room_for_so_many_changes_and_those_of_the_service() {
        fits(65_472).unwrap();
        let error = fits(65_473).unwrap_err();
        assert_eq!((error.class, error.code()), (backroom_domain::Class::Invalid, "too-large"));
    }

    #[test]
    fn depth_counts_what_nests_and_no_letters() {
        let rows = [("1", 0), ("[]", 1), (r#"{"a":[1,{"b":2}],"c":[]}"#, 3), (r#"["[[[", "\"[[", "\\", [1]]"#, 2)];
        for (json, expected) in rows {
            assert_eq!(depth(json), expected, "{json}");
        }
    }
}
