//! `backroom plugin test`.

use std::path::{Path, PathBuf};

use backroom_kit::{Built, Seen};
use clap::Args;

use super::plugin::{build_with, how, kit_failure};
use super::{Context, install};
use crate::exit::Result;
use crate::output;
use crate::progress::Progress;
use crate::scenario::file::{FOLDER, Scenario};
use crate::scenario::suite::{self, Ways};
use crate::scenario::world::{INSTALLATION, Sandbox, Subject};

/// Build the plugin in a folder and run its scenarios, in memory: the same engine, limits and rules as in a service.
#[derive(Debug, Args)]
#[command(after_help = "\
A scenario is a file tests/NAME.toml: what is there, what is run, what must come of it.

  [given]
  now = \"2026-07-01T08:00:00Z\"           # the clock of the runs
  files = [\"../books\"]                   # files as `backroom import` takes them, named from the scenario
  [given.csv]                            # or written here
  \"accounts.csv\" = \"\"\"
  code,name,type,parent,currency,posting,stock-control
  1110,Bank,asset,,USD,yes,no
  \"\"\"

  [[step]]
  run = { account = \"1110\" }             # the input
  [step.then]
  output = { currency = \"USD\", debits = 0, credits = 0 }
  effects = []

`given` has `now`, `files`, `csv`, `folders` (files of the client), and `installation` (a file; installation.toml if it is there, else all
that is wanted is granted) or `grants`, `config` and `limits` in place of its. A step has `run`, `name`, `id`, `date`, `now`
and `mode` (commit or dry-run). `then` has `output`, `refused` (a code), `failed` (a kind of fault), `effects` (a list, or \"snapshot\"
for what --update wrote), `balances`, `on-hand`, `benefits`, `log`, `fuel-max` and `host-calls-max`. What is kept of a run must come to
the same when it is executed again. Steps follow each other in one client's books; each scenario has its own.

--faults runs every step again with each right that it uses denied, with each host call failing, and with the fuel running out before
and at each host call and in between: nothing may be kept, and the plugin must return the error that it got, or end well without.

--watch shows a change sooner than a build would: Python and QuickJS are put into a component once and get the plugin's files with each
run, Rust is compiled without the passes over the whole program, and it is not tried which rights no scenario needs. Where a scenario or
installation.toml has limits, or a scenario names a file of its own or expects a fault, the plugin is built as without --watch.

Examples:
  backroom plugin test
  backroom plugin test pay-run --faults
  backroom plugin test pay-run --filter refuses --junit results.xml
  backroom plugin test pay-run --update
  backroom plugin test pay-run --watch")]
pub(crate) struct Test {
    /// The folder with plugin.toml.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Only scenarios with this in the name of their file, in their own or in that of a step.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write the snapshots of effects anew.
    #[arg(long)]
    update: bool,
    /// Try every step with rights denied, host calls failing and fuel running out.
    #[arg(long)]
    faults: bool,
    /// Write the results to a file as JUnit XML as well.
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    junit: Option<PathBuf>,
    /// Do it again whenever a file changes, until it is interrupted.
    #[arg(long)]
    watch: bool,
    /// Download nothing.
    #[arg(long)]
    offline: bool,
}

impl Test {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        // Read before anything is built: a bad file costs nothing then.
        let scenarios = Scenario::all(&self.dir)?;
        if self.watch {
            return self.keep_testing(context, &Sandbox::start()?);
        }
        let built = self.build()?;
        self.test(context, &Sandbox::start()?.load(&self.dir, &built.bytes)?, &scenarios)
    }

    fn build(&self) -> Result<Built> {
        build_with(&self.dir, &how(self.offline))
    }

    fn test(&self, context: &Context, subject: &Subject, scenarios: &[Scenario]) -> Result {
        let ways = Ways { filter: self.filter.clone(), update: self.update, faults: self.faults };
        let tested = suite::run(subject, scenarios, &ways)?;
        tested.show(context.out);
        if let Some(path) = &self.junit {
            tested.write_junit(path)?;
        }
        tested.check()
    }

    /// Tests again whenever something changes. What goes wrong is shown and does not end it; a folder that goes away does.
    /// A change of scenarios alone builds nothing, and what was compiled before is compiled no more.
    fn keep_testing(&self, context: &Context, sandbox: &Sandbox) -> Result {
        let mut seen = Seen::look(&self.dir).map_err(kit_failure)?;
        let (mut subject, mut changed) = (None, true);
        output::note(
            "A look is quick: fuel and memory are not those of the plugin, and `fuel-max` is not judged. `backroom plugin test` without \
             --watch tests what is installed.",
        );
        loop {
            if let Err(failure) = self.test_changed(context, sandbox, &mut subject, changed) {
                context.out.failure(&failure);
            }
            output::note("waiting for a change");
            let next = seen.wait_for_change(&self.dir).map_err(kit_failure)?;
            // What could not be made ready is tried again whatever has changed.
            changed = subject.is_none() || next.differs_outside(&seen, Path::new(FOLDER), &self.dir);
            seen = next;
        }
    }

    /// Makes ready what has changed, and tests it.
    fn test_changed(
        &self,
        context: &Context,
        sandbox: &Sandbox,
        subject: &mut Option<Subject>,
        changed: bool,
    ) -> Result {
        let scenarios = Scenario::all(&self.dir)?;
        // What is limited shows in the plugin itself alone.
        let quick = !is_limited(&self.dir, &scenarios)?;
        let before = match subject.take() {
            Some(ready) if !changed && (quick || ready.quick.is_none()) => {
                return self.test(context, subject.insert(ready), &scenarios);
            }
            before => before,
        };
        let ready = subject.insert(self.prepare(sandbox, before, quick)?);
        self.test(context, ready, &scenarios)
    }

    /// The plugin as it can be looked at soonest; `before` is what was looked at last.
    fn prepare(&self, sandbox: &Sandbox, before: Option<Subject>, quick: bool) -> Result<Subject> {
        if quick {
            let mut progress = Progress::start(format!("building {}", self.dir.display()));
            let made = backroom_kit::quick(&self.dir, &how(self.offline), &mut progress).map_err(kit_failure)?;
            match (made, before) {
                (Some(made), Some(before)) if before.quick.as_ref().is_some_and(|last| last.bytes == made.bytes) => {
                    return Ok(before.with(made));
                }
                (Some(made), _) => return sandbox.load_quick(&self.dir, made),
                (None, _) => {}
            }
        }
        sandbox.load(&self.dir, &self.build()?.bytes)
    }
}

/// Whether scenarios or installation say how much fuel, memory or time there is, or expect that it is too little.
fn is_limited(dir: &Path, scenarios: &[Scenario]) -> Result<bool> {
    let says = |one: &Scenario| one.given.limits.is_some() || one.given.installation.is_some();
    let fails = |one: &Scenario| one.steps.iter().any(|step| step.then.failed.is_some());
    if scenarios.iter().any(|one| says(one) || fails(one)) {
        return Ok(true);
    }
    let file = dir.join(INSTALLATION);
    Ok(file.is_file() && install::read(&file)?.into_fields().contains_key("limits"))
}
