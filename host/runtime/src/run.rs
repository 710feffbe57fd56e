//! Runs of installations: request in, unit of work around the execution, report out.

mod end;
mod id;
mod one;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Error, Id, Instant};
use backroom_office::{Office, Written, runs};
use backroom_store::records::{Installation, Limits, Release};
use backroom_store::sched::Pace;
use backroom_store::{Cache, Store, TenantNo, Ticket, conflict_pauses};

pub(crate) use self::end::{End, Tail, execute, layers};
pub(crate) use self::id::new_id;
pub(crate) use self::one::{Run, day_of};
use crate::compile::Reason;
use crate::engine::Runtime;
use crate::error::{PluginError, RunnerError};
use crate::limits::MAX_CARRIED;
use crate::outbound::{Calls, Held, Tape, Tapes};
use crate::plugin::Plugin;
use crate::releases::Releases;
use crate::report::{Mode, RunReport};

/// The longest input, in bytes.
pub const MAX_INPUT: usize = MAX_CARRIED;

/// Uploads plugins and runs installations. Clones are the same runner.
#[derive(Clone)]
pub struct Runner(Arc<Inner>);

struct Inner {
    store: Store,
    office: Office,
    runtime: Arc<Runtime>,
    releases: Releases,
    installations: Cache<Installation, Installed>,
    /// What runs have sent that are not known to be on record.
    tapes: Arc<Tapes>,
    /// The host call of each run that fails on purpose; none in a service.
    fails_at: Option<u32>,
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
    fn named(self) -> Result<Named, RunnerError> {
        let made_up = self.id.is_none();
        let id = self.id.clone().map_or_else(|| new_id(self.now), Ok)?;
        Ok(Named { request: self, id, made_up })
    }
}

/// A request with the id of its run.
#[derive(Clone)]
struct Named {
    request: RunRequest,
    id: Id,
    /// Nothing can be on record under it.
    made_up: bool,
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

impl Runner {
    /// Over `store`, with releases in the directory `releases_dir`, which is made if it is not there. If several hosts share
    /// the store, it has the releases, and the directory is a cache.
    ///
    /// # Errors
    /// [`RunnerError::Unavailable`] if the directory cannot be opened, and is needed.
    pub fn new(store: Store, runtime: Arc<Runtime>, releases_dir: &Path) -> Result<Self, RunnerError> {
        Self::with(store, runtime, releases_dir, None)
    }

    /// The same, but that host call `call` (the first one is 1) of every run fails as if the store had given up: for those who try
    /// what is left of a run then.
    ///
    /// # Errors
    /// As [`Runner::new`].
    pub fn failing_at(
        store: Store,
        runtime: Arc<Runtime>,
        releases_dir: &Path,
        call: u32,
    ) -> Result<Self, RunnerError> {
        Self::with(store, runtime, releases_dir, Some(call))
    }

    fn with(
        store: Store,
        runtime: Arc<Runtime>,
        releases_dir: &Path,
        fails_at: Option<u32>,
    ) -> Result<Self, RunnerError> {
        let releases = Releases::open(releases_dir, store.clone())
            .map_err(|why| RunnerError::Unavailable(format!("cannot open {}: {why}", releases_dir.display())))?;
        let office = Office::new(store.clone());
        Ok(Self(Arc::new(Inner {
            store,
            office,
            runtime,
            releases,
            installations: Cache::new(INSTALLATIONS, Installed::from),
            tapes: Arc::default(),
            fails_at,
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
    /// same bytes again give the release that there is; in an embedded store it may be on its way to the disk.
    /// Takes seconds for large plugins.
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
            let losses = self.store().losses(TenantNo::PROVIDER);
            let Written { value, ticket, .. } = self.0.office.create_release(actor, now, release.clone())?;
            let found = || self.store().sequenced(TenantNo::PROVIDER, losses);
            if let Some(ticket) = ticket.map_or_else(found, |ticket| Ok(Some(ticket)))? {
                ticket.wait()?;
            }
            Ok(value)
        })
        .map_err(|error| match error {
            // It was tried often enough, and compiling is no small thing to do once more.
            RunnerError::Conflict => RunnerError::Unavailable("other hosts came first all the time".to_owned()),
            other => other,
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
        let (named, tape) = (request.named()?, OnceCell::new());
        self.again(|| self.once(named.clone(), &tape)?.wait())
    }

    /// How often a run was begun anew because another host had committed first.
    pub fn reruns(&self) -> u64 {
        self.0.runtime.tally.reruns()
    }

    /// Runs an installation on this thread: once, or anew where another host commits for the tenant meanwhile. A run that is
    /// refused or fails is a report as well; in commit mode the attempt is recorded, so that the same id gives the same
    /// report again.
    ///
    /// # Errors
    /// `invalid` (`input-too-large`, `date-invalid`), `not-found` (no such installation), `conflict`
    /// (`exists-with-different`: the id was used for another request); [`RunnerError::Plugin`] if the release cannot be
    /// loaded; [`RunnerError::Unavailable`] if the service could not do its part; [`RunnerError::Conflict`] if other hosts
    /// came first [`MAX_CONFLICTS`](backroom_store::MAX_CONFLICTS) times and once more.
    pub fn run(&self, request: RunRequest) -> Result<RunHandle, RunnerError> {
        let (named, tape) = (request.named()?, OnceCell::new());
        self.again(|| self.once(named.clone(), &tape))
    }

    /// Does it until there is no conflict, but not for ever.
    pub(crate) fn again<T>(&self, run: impl Fn() -> Result<T, RunnerError>) -> Result<T, RunnerError> {
        for pause in conflict_pauses() {
            match run() {
                Err(RunnerError::Conflict) => {}
                answered => return answered,
            }
            self.0.runtime.tally.rerun();
            std::thread::sleep(pause);
        }
        run()
    }

    fn once(&self, named: Named, tape: &OnceCell<Arc<Tape>>) -> Result<RunHandle, RunnerError> {
        let Named { request, id, made_up } = named;
        if request.input.len() > MAX_INPUT {
            let message = format!("an input has at most {MAX_INPUT} bytes, not {}", request.input.len());
            return Err(Error::invalid("input-too-large", "input", message).into());
        }
        let date = request.date.map_or_else(|| request.now.utc_date(), Ok)?;
        let hash = runs::input_hash(&request.input);
        let run = Run { runner: self, hash, id, made_up, date, request, fence: None, tape };
        // Until it turns out to take long.
        Pace::Prompt.take();
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
