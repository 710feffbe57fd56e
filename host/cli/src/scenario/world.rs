//! One client company in memory, made of what a scenario gives, with the plugin installed.
//!
//! Everything is what a service has, but for the engine below the store: runtime, limits, use cases, rules of the end.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Error, Id, Instant};
use backroom_kit::Quick;
use backroom_office::imports::{self, ImportFailure};
use backroom_office::{Caller, NewInstallation, Office, Work, files};
use backroom_runtime::{
    CacheOptions, CompileOptions, Compiler, Execution, Mode, Plugin, RunReport, RunRequest, Runner, RunnerError,
    Runtime, RuntimeOptions, Setup,
};
use backroom_store::engine::{At, Memory};
use backroom_store::records::{DayTotal, Installation, Limits, Release, RunRecord, Tenant};
use backroom_store::{Engine, Meta, Record as _, Store, TenantNo, split_key};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::file::{Given, Step};
use crate::commands::import::read_all;
use crate::exit::{Failure, Result};
use crate::progress::Progress;

/// Who does what is given, and asks for the runs.
const ACTOR: &str = "test";
/// The file with what an operator grants, as `plugin new` makes it.
pub(crate) const INSTALLATION: &str = "installation.toml";
/// A scenario runs one thing at a time.
const CONCURRENCY: u32 = 4;
/// The engine's own space of records: heads of chains.
const SYSTEM: u8 = 0;

/// What is the same for all scenarios: the runtime, and a place for components.
pub(crate) struct Sandbox {
    runtime: Arc<Runtime>,
    releases: TempDir,
}

/// A plugin that is ready to be tried.
pub(crate) struct Subject {
    pub(crate) plugin: Arc<Plugin>,
    runtime: Arc<Runtime>,
    releases: PathBuf,
    release: Release,
    dir: PathBuf,
    /// How it gets its sources, if it is tried as whoever writes it looks at it.
    pub(crate) quick: Option<Arc<Quick>>,
}

/// A client company with the plugin installed.
pub(crate) struct World {
    engine: Arc<dyn Engine>,
    pub(crate) store: Store,
    office: Office,
    runner: Runner,
    tenant: Tenant,
    installation: Installation,
    plugin: Arc<Plugin>,
    quick: Option<Arc<Quick>>,
    now: Instant,
}

/// What is on record for the company, beside how its runs went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Sandbox {
    /// Sets up the runtime as a service does. What it compiles is kept in the user's cache folder, by digest.
    pub(crate) fn start() -> Result<Self> {
        let cache =
            directories::ProjectDirs::from("", "", "backroom").map(|own| own.cache_dir().join("compiled-for-tests"));
        let compile = CompileOptions {
            compiler: Compiler::Child { program: crate::service::own_program()? },
            cache: cache.map(|folder| CacheOptions::new(folder, None)),
            ..CompileOptions::default()
        };
        let options = RuntimeOptions { concurrency: CONCURRENCY, compile, ..RuntimeOptions::default() };
        let runtime = Runtime::new(options).context("cannot set up the runtime")?;
        let releases = TempDir::new().context("cannot make a folder for components")?;
        Ok(Self { runtime: Arc::new(runtime), releases })
    }

    /// Takes in the component of the plugin in `dir`; compiled once for its digest.
    pub(crate) fn load(&self, dir: &Path, component: &[u8]) -> Result<Subject> {
        let (runtime, releases) = (Arc::clone(&self.runtime), self.releases.path().to_path_buf());
        let runner = Runner::new(Store::memory(), Arc::clone(&runtime), &releases).map_err(broken)?;
        // The first time, an interpreter takes as long as building it did.
        let _shown = Progress::start("compiling the component for this machine");
        let release = runner.upload(ACTOR, Instant(0), component).map_err(|error| match error {
            RunnerError::Plugin(error) if !error.is_passing() => Failure::plugin(error),
            other => broken(other),
        })?;
        let plugin = runtime.plugin(&release.digest).context("the component was taken in and is gone")?;
        Ok(Subject { plugin, runtime, releases, release, dir: dir.to_owned(), quick: None })
    }

    /// Takes in what is made for a look at the plugin in `dir`.
    pub(crate) fn load_quick(&self, dir: &Path, quick: Quick) -> Result<Subject> {
        Ok(self.load(dir, &quick.bytes)?.with(quick))
    }
}

impl Subject {
    /// The same component with other sources.
    pub(crate) fn with(self, quick: Quick) -> Self {
        Self { quick: Some(Arc::new(quick)), ..self }
    }

    /// A new company of what is given.
    pub(crate) fn world(&self, given: &Given) -> Result<World> {
        let (engine, now): (Arc<dyn Engine>, _) = (Arc::new(Memory::new()), given.now());
        let store = Store::with_engine(Arc::clone(&engine));
        let office = Office::new(store.clone());
        let tenant = office.create_tenant(ACTOR, now, id("tenant")?, "A client").map_err(broken)?.value;
        let number = TenantNo(tenant.number);
        fill(office.write(number, caller(), now).map_err(broken)?, given)?;
        office.create_release(ACTOR, now, self.release.clone()).map_err(broken)?;
        let new = self.installation(given)?;
        let installed = office.install(ACTOR, now, number, new);
        let installation = installed.map_err(|error| Failure::usage(format!("the installation: {error}")))?.value;
        let runner = Runner::new(store.clone(), Arc::clone(&self.runtime), &self.releases).map_err(broken)?;
        let (plugin, quick) = (Arc::clone(&self.plugin), self.quick.clone());
        Ok(World { engine, store, office, runner, tenant, installation, plugin, quick, now })
    }

    /// A runner over the same company, host call `call` of whose runs fails.
    pub(crate) fn failing_at(&self, world: &World, call: u32) -> Result<Runner> {
        let (store, runtime) = (world.store.clone(), Arc::clone(&self.runtime));
        Runner::failing_at(store, runtime, &self.releases, call).map_err(broken)
    }

    /// What the installation file says, with what the scenario says in place of it.
    fn installation(&self, given: &Given) -> Result<NewInstallation> {
        let own = self.dir.join(INSTALLATION);
        let file = match &given.installation {
            Some(named) => Some(given.beside.join(named)),
            None => own.is_file().then_some(own),
        };
        let mut fields =
            file.as_deref().map(crate::commands::install::read).transpose()?.map(|file| file.into_fields());
        let fields = fields.get_or_insert_with(|| {
            let name = self.plugin.manifest().name.clone();
            let wanted = json!(*self.plugin.manifest().wants);
            serde_json::Map::from_iter([("name".to_owned(), json!(name)), ("grants".to_owned(), wanted)])
        });
        let release = json!(self.release.digest);
        fields.insert("release".to_owned(), release);
        let said = [
            ("grants", given.grants.as_ref().map(|grants| json!(grants))),
            ("config", given.config.as_ref().map(|config| json!(config))),
            ("limits", given.limits.as_ref().map(|limits| json!(limits))),
        ];
        for (name, value) in said {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        let new = serde_json::from_value(Value::Object(fields.clone()));
        new.map_err(|error| Failure::usage(format!("the installation: {error}")))
    }
}

impl World {
    /// What is asked for in a step; `number` counts from 1.
    pub(crate) fn request(&self, step: &Step, number: usize) -> Result<RunRequest> {
        let name = step.id.clone().unwrap_or_else(|| format!("step-{number}"));
        let id = Id::parse(&name, "id").map_err(Failure::usage)?;
        let (now, input) = (step.now.unwrap_or(self.now), step.run.to_string());
        Ok(RunRequest { date: step.date, mode: step.mode, now, id: Some(id), ..self.asking(&input) })
    }

    /// A dry run of an input.
    pub(crate) fn asking(&self, input: &str) -> RunRequest {
        RunRequest {
            tenant: self.tenant(),
            actor: ACTOR.to_owned(),
            rights: Arc::new(everything()),
            installation: self.installation.name.clone(),
            id: None,
            input: self.quick.as_ref().map_or_else(|| input.into(), |quick| quick.input(input).into()),
            date: None,
            mode: Mode::DryRun,
            now: self.now,
        }
    }

    /// Does it. What the service itself refuses is an error, as it is for its callers.
    pub(crate) fn run(&self, request: RunRequest) -> std::result::Result<RunReport, Error> {
        self.runner.run_durably(request).map_err(RunnerError::into_error)
    }

    /// Executes the plugin alone, without the rules of the end and with other limits: nothing is kept.
    pub(crate) fn execute(&self, request: &RunRequest, limits: Limits) -> Result<Execution> {
        let layers = vec![
            Arc::clone(&request.rights),
            Arc::clone(&self.plugin.manifest().wants),
            Arc::new(self.installation.grants.clone()),
        ];
        let (installation, run) = (Some(self.installation.name.clone()), request.id.clone());
        let caller = Caller { actor: request.actor.clone(), layers, installation, run };
        let date = request.date.map_or_else(|| request.now.utc_date(), Ok).map_err(broken)?;
        let work = Work::new(self.store.read(self.tenant()).map_err(broken)?, caller, request.now, date);
        let config = Arc::new(self.installation.config.clone());
        let setup = Setup { config, limits, input: Arc::clone(&request.input), apart: false };
        Ok(self.runner.runtime().execute(&self.plugin, work, setup))
    }

    /// The limits of the installation.
    pub(crate) fn limits(&self) -> Limits {
        self.installation.limits
    }

    /// Gives every run from now on so much fuel.
    pub(crate) fn limit_fuel(&self, fuel: u64) -> Result {
        let Installation { name, release, grants, config, limits, .. } = self.installation.clone();
        let limits = Limits { fuel, ..limits };
        let new = NewInstallation { name, release, grants, config, limits, accept_rights: false };
        self.office.install(ACTOR, self.now, self.tenant(), new).map_err(broken)?;
        Ok(())
    }

    /// For looking at what is there, with every right.
    pub(crate) fn look(&self) -> Result<Work> {
        self.office.read(self.tenant(), caller(), self.now).map_err(broken)
    }

    /// Whether a run is on record.
    pub(crate) fn has_run(&self, run: &Id) -> Result<bool> {
        Ok(self.look()?.tx().get::<RunRecord>(run).map_err(broken)?.is_some())
    }

    /// Runs a recorded run again; what was different then, if anything was.
    pub(crate) fn replay(&self, run: &Id) -> std::result::Result<Vec<String>, Error> {
        let report = self.runner.replay(&self.tenant, run, &mut |_| {}).map_err(RunnerError::into_error)?;
        Ok(if report.identical { Vec::new() } else { report.differences })
    }

    /// All records of the company, but those that say how runs went and how the plugin is installed.
    pub(crate) fn contents(&self) -> Result<Contents> {
        // What fuel the runs of a day took is counted whatever became of them.
        let counted = self.installation.limits.day_fuel.map(|_| DayTotal::SPACE);
        let of_runs = [Some(SYSTEM), Some(RunRecord::SPACE), Some(Installation::SPACE), counted];
        let view = self.engine.snapshot(At::Durable).map_err(broken)?;
        let from = self.tenant().0.to_be_bytes().to_vec();
        let to = self.tenant().0.saturating_add(1).to_be_bytes().to_vec();
        let mut records = BTreeMap::new();
        for pair in view.scan((Bound::Included(from), Bound::Excluded(to)), false, usize::MAX) {
            let (key, value) = pair.map_err(broken)?;
            let space = split_key(&key).map(|(_, space, _)| space);
            if !of_runs.contains(&space) {
                records.insert(key.to_vec(), value.to_vec());
            }
        }
        Ok(Contents { records })
    }

    /// The client's number.
    fn tenant(&self) -> TenantNo {
        TenantNo(self.tenant.number)
    }
}

/// All that a caller may do. What no plugin can have is left out.
pub(crate) fn everything() -> Rights {
    Grant { administer: false, ..Grant::all() }.into()
}

/// Puts what is given into the books, or says what is wrong with it.
fn fill(mut work: Work, given: &Given) -> Result {
    let named: Vec<PathBuf> = given.files.iter().map(|file| given.beside.join(file)).collect();
    let mut found = if named.is_empty() { Vec::new() } else { read_all(&named)? };
    found.extend(given.csv.iter().map(|(name, text)| (name.clone(), text.trim_start().as_bytes().to_vec())));
    if !found.is_empty() {
        imports::apply(&mut work, &imports::read(&found)).map_err(|failure| match failure {
            ImportFailure::Rows(rows) => {
                let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
                Failure::usage(format!("what is given cannot be imported:\n  {}", rows.join("\n  ")))
            }
            ImportFailure::Failure(failure) => broken(failure),
        })?;
    }
    for (folder, within) in &given.folders {
        for (path, text) in within {
            files::write(&mut work, folder, path, text.as_bytes())
                .map_err(|error| Failure::usage(format!("given.folders.{folder}: {path}: {error}")))?;
        }
    }
    if work.effects().is_empty() {
        return Ok(());
    }
    let meta = Meta { at: work.now.0, actor: ACTOR.to_owned(), kind: "given".to_owned(), ..Meta::default() };
    let sealed = work.seal().map_err(|error| Failure::usage(format!("what is given: {error}")))?;
    sealed.commit(meta).map_err(broken)?.ticket.wait().map_err(broken)
}

fn caller() -> Caller {
    Caller { actor: ACTOR.to_owned(), layers: vec![Arc::new(Rights::all())], installation: None, run: None }
}

fn id(text: &str) -> Result<Id> {
    Id::parse(text, "id").map_err(broken)
}

/// What is no fault of the plugin or its scenarios.
pub(crate) fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(anyhow!("{error}"))
}

/// The day that is as far away as days go, and the first one: a range of all.
pub(crate) fn all_days() -> Result<(BusinessDate, BusinessDate)> {
    Ok((BusinessDate::new(1900, 1, 1, "from").map_err(broken)?, BusinessDate::MAX))
}
