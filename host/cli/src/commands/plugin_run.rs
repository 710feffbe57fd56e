//! `backroom plugin run`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use backroom_domain::BusinessDate;
use backroom_runtime::{Mode, RunRequest};
use clap::Args;
use serde_json::{Value, json};

use super::plugin::{build_with, how, upload};
use super::run::{Request, input, send};
use super::{Context, install};
use crate::exit::{Failure, Result};
use crate::output;
use crate::scenario::file::{Given, Scenario, stem};
use crate::scenario::world::Sandbox;
use crate::view::run::Run;

/// Build the plugin in a folder and run it once, in memory, or with --tenant as a dry run in the books of a client of the service.
#[derive(Debug, Args)]
#[command(after_help = "\
In memory it sees what a scenario gives (see `backroom plugin test --help`), and nothing without one. With --tenant it is uploaded,
installed under the name of the installation file and `-try`, with what that file grants, and run as a dry run: what is installed for
the client stays as it is.

Examples:
  backroom plugin run --input @input.json --scenario accrual
  backroom plugin run pay-run --input june.json --date 2026-06-30 --scenario june
  backroom plugin run pay-run --input june.json --tenant harbor --file pay-run/installation.toml")]
pub(crate) struct RunHere {
    /// The folder with plugin.toml.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The input, or the file it stands in.
    #[arg(long, value_name = "JSON|FILE", default_value = "{}")]
    input: String,
    /// What is there: that of the scenario tests/NAME.toml.
    #[arg(long, value_name = "NAME", conflicts_with = "tenant")]
    scenario: Option<String>,
    /// The day of the books, YYYY-MM-DD; today by the clock of the run if not said.
    #[arg(long, value_parser = crate::args::date)]
    date: Option<BusinessDate>,
    /// A client of the service: a dry run in its books.
    #[arg(long)]
    tenant: Option<String>,
    /// With --tenant: the installation file; installation.toml of the plugin if not said.
    #[arg(long, value_name = "TOML", requires = "tenant")]
    file: Option<PathBuf>,
    /// Download nothing.
    #[arg(long)]
    offline: bool,
}

impl RunHere {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let input = json_or_file(&self.input)?;
        match &self.tenant {
            Some(tenant) => self.at_service(context, tenant, input),
            None => self.in_memory(context, &input),
        }
    }

    fn in_memory(&self, context: &Context, input: &Value) -> Result {
        let given = given(&self.dir, self.scenario.as_deref())?;
        let built = build_with(&self.dir, &how(self.offline))?;
        let world = Sandbox::start()?.load(&self.dir, &built.bytes)?.world(&given)?;
        let request = RunRequest { date: self.date, mode: Mode::DryRun, ..world.asking(&input.to_string()) };
        let report = world.run(request).map_err(|error| Failure::usage(error.to_string()))?;
        let run: Run = serde_json::from_value(json!(report)).map_err(|error| anyhow!("the report: {error}"))?;
        context.out.value(&json!(report));
        run.show(context.out);
        run.check()
    }

    fn at_service(&self, context: &Context, tenant: &str, input: Value) -> Result {
        let file = self.file.clone().unwrap_or_else(|| self.dir.join("installation.toml"));
        let file = install::read(&file)?;
        let built = build_with(&self.dir, &how(self.offline))?;
        let client = context.client()?;
        let release = upload(&client, built.bytes)?.1;
        let name = format!("{}-try", file.name);
        // What it wants more than the one that was tried before is what is tried.
        install::put(&client, tenant, &file.renamed(name.clone()), &release, true)?;
        let date = self.date.map(|date| date.to_string());
        let request = Request { id: None, dry_run: true, queued: false, date: date.as_deref(), input };
        let (reply, run) = send(&client, tenant, &name, &request)?;
        context.show(&reply, |out, run: Run| run.show(out))?;
        run.check()
    }
}

/// What the scenario `tests/NAME.toml` gives; nothing, with a note, if none is named.
pub(super) fn given(dir: &Path, name: Option<&str>) -> Result<Given> {
    let Some(name) = name else {
        output::note("No scenario was named: the books are empty.");
        return Ok(Given::default());
    };
    let mut all = Scenario::all(dir)?;
    all.retain(|scenario| stem(&scenario.path) == name);
    let found = all.pop().ok_or_else(|| Failure::usage(format!("there is no scenario tests/{name}.toml")))?;
    Ok(found.given)
}

/// JSON as written, or out of a file.
pub(super) fn json_or_file(text: &str) -> Result<Value> {
    match text.starts_with('@') || !Path::new(text).is_file() {
        true => input(text),
        false => input(&format!("@{text}")),
    }
}
