//! `backroom run`.

use std::time::Duration;

use backroom_domain::BusinessDate;
use backroom_server::Place;
use clap::Args;
use serde_json::{Map, Value, json};

use super::Context;
use crate::args::{Of, date};
use crate::client::{Client, Reply, path};
use crate::exit::{Failure, Result};
use crate::output;
use crate::progress::Progress;
use crate::view::run::Run;

/// How often a run that waits is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// Run an installation: for real, or as a dry run that keeps nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
A run is one transaction: everything that it did is kept, or nothing. With the same --id, date and input it is done
once; again gives the first result.

Examples:
  backroom run --tenant harbor remote-allowance --dry-run --date 2026-06-30 --input '{\"month\":\"2026-06\"}'
  backroom run --tenant harbor remote-allowance --id allowance-2026-06 --date 2026-06-30 --input @june.json
  backroom run --tenant harbor remote-allowance --id allowance-2026-07 --date 2026-07-31 --input '{\"month\":\"2026-07\"}' --queue --wait")]
pub(crate) struct RunNow {
    #[command(flatten)]
    of: Of,
    /// The installation.
    name: String,
    /// Show what it would do and keep nothing.
    #[arg(long)]
    dry_run: bool,
    /// Put it in the tenant's queue: a host does it when its turn comes. The command returns once the request is on disk.
    #[arg(long, conflicts_with = "dry_run")]
    queue: bool,
    /// With --queue: wait until it was done, and show what came of it.
    #[arg(long, requires = "queue")]
    wait: bool,
    /// The run's id; made by the service if not said.
    #[arg(long)]
    id: Option<String>,
    /// The day of the books it is for, YYYY-MM-DD; today in UTC if not said.
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<BusinessDate>,
    /// The plugin's input, or @ and the file it stands in.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    input: String,
}

impl RunNow {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let input = input(&self.input)?;
        // A run that is kept always has an id that its caller knows: if no answer comes, the same id tells what became of it.
        let made = (!self.dry_run && self.id.is_none()).then(|| uuid::Uuid::now_v7().to_string());
        let id = self.id.as_deref().or(made.as_deref());
        let date = self.date.map(|date| date.to_string());
        let request = Request { id, dry_run: self.dry_run, queued: self.queue, date: date.as_deref(), input };
        if self.wait && matches!(context.place(), Some(Place::Folder(_))) {
            let message = "without a server nobody does what is queued: leave out --wait, or --queue";
            return Err(Failure::usage(message));
        }
        let client = context.client()?;
        let (reply, run) = match send(&client, &self.of.tenant, &self.name, &request) {
            Ok(done) => done,
            Err(failure) => {
                if let (Failure::Unavailable(_), Some(id)) = (&failure, id) {
                    output::note(format_args!("If it is not known what became of it: ask again with --id {id}"));
                }
                return Err(show_attempt(context, failure));
            }
        };
        let (reply, run) = match (&run.id, self.wait) {
            (Some(id), true) => follow(&client, &self.of.tenant, id, (reply, run.clone()))?,
            _ => (reply, run),
        };
        context.show(&reply, |out, run: Run| run.show(out))?;
        if run.waits() && matches!(context.place(), Some(Place::Folder(_))) {
            output::note("It is done once a server runs on this data directory: `backroom serve --data DIR`.");
        }
        run.check()
    }
}

/// Asks until the run waits no longer.
fn follow(client: &Client, tenant: &str, id: &str, mut told: (Reply, Run)) -> Result<(Reply, Run)> {
    let _shown = Progress::start(format!("waiting for {id}"));
    while told.1.waits() {
        std::thread::sleep(ASK_AGAIN);
        let reply = client.get(&path(&["v1", "tenants", tenant, "runs", id]))?;
        let run = reply.read()?;
        told = (reply, run);
    }
    Ok(told)
}

/// A run that was refused or failed comes as a problem with the run's report inside: for people both are shown, the reasons of the one
/// being those of the other.
fn show_attempt(context: &Context, failure: Failure) -> Failure {
    if let Failure::Refused(problem) = &failure
        && let Some(report) = &problem.run
        && let Ok(run) = serde_json::from_value::<Run>(report.clone())
    {
        run.show_attempt(context.out);
    }
    failure
}

/// What is asked of an installation.
pub(crate) struct Request<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) dry_run: bool,
    pub(crate) queued: bool,
    pub(crate) date: Option<&'a str>,
    pub(crate) input: Value,
}

/// Runs an installation.
pub(crate) fn send(client: &Client, tenant: &str, name: &str, request: &Request<'_>) -> Result<(Reply, Run)> {
    let mode = if request.dry_run { "dry-run" } else { "commit" };
    let mut body = Map::from_iter([("mode".to_owned(), json!(mode)), ("input".to_owned(), request.input.clone())]);
    for (field, value) in [("id", request.id), ("date", request.date)] {
        if let Some(value) = value {
            body.insert(field.to_owned(), json!(value));
        }
    }
    if request.queued {
        body.insert("queued".to_owned(), json!(true));
    }
    let _shown = Progress::start(format!("{} {name}", if request.queued { "queueing" } else { "running" }));
    let reply = client.post(&path(&["v1", "tenants", tenant, "installations", name, "runs"]), &body)?;
    let run = reply.read()?;
    Ok((reply, run))
}

/// JSON as written, or out of a file.
pub(super) fn input(text: &str) -> Result<Value> {
    let (from, json) = match text.strip_prefix('@') {
        None => ("--input".to_owned(), text.to_owned()),
        Some(file) => {
            let read = std::fs::read_to_string(file);
            (file.to_owned(), read.map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?)
        }
    };
    serde_json::from_str(&json).map_err(|error| {
        let meant = text.strip_prefix('@').is_none() && std::path::Path::new(text).is_file();
        let hint = if meant { format!("; a file is named with @ in front: --input @{text}") } else { String::new() };
        Failure::usage(format!("{from} is not JSON: {error}{hint}"))
    })
}
