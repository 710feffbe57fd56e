//! `backroom runs` and `backroom replay`: what ran, and the same again.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Context;
use crate::args::{Of, Part};
use crate::client::{Client, Reply, path, query};
use crate::exit::{Failure, Result};
use crate::figures::{count, counted};
use crate::output::{Grid, left, right};
use crate::progress::Progress;
use crate::view::run::Run;

/// What ran.
#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List the runs of a tenant, failed ones included.
    #[command(after_help = "Example:\n  backroom runs list --tenant harbor --limit 20")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// How many runs of all tenants wait, since when, and which hosts do them.
    #[command(after_help = "Example:\n  backroom runs queue")]
    Queue,
    /// Show a run: what it did, what it returned, what it logged.
    #[command(after_help = "Example:\n  backroom runs show allowance-2026-06 --tenant harbor")]
    Show {
        /// The run's id.
        id: String,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Debug, Deserialize)]
struct Queue {
    length: u64,
    oldest: Option<String>,
    leases: Vec<Lease>,
}

#[derive(Debug, Deserialize)]
struct Lease {
    tenant: String,
    host: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    installation: String,
    status: String,
    number: u64,
    at: String,
}

impl Runs {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        match self {
            Self::List { of, part } => {
                let reply = client.get(&query(&path(&["v1", "tenants", &of.tenant, "runs"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Row]| {
                    let heads = [left("Run"), left("Installation"), left("Status"), right("Log entry"), left("At")];
                    let mut grid = Grid::new(&heads);
                    for row in rows {
                        grid.row([&row.id, &row.installation, &row.status, &count(row.number), &row.at]);
                    }
                    out.table(&grid);
                })
            }
            Self::Queue => {
                let reply = client.get(&path(&["v1", "queue"]))?;
                context.show(&reply, |out, queue: Queue| {
                    let since = queue.oldest.map(|oldest| format!(", the first since {oldest}")).unwrap_or_default();
                    let (runs, verb) =
                        (counted(queue.length, "run", "runs"), if queue.length == 1 { "waits" } else { "wait" });
                    out.line(format_args!("{runs} {verb}{since}"));
                    for lease in queue.leases {
                        out.line(format_args!("  {} does those of tenant {}", lease.host, lease.tenant));
                    }
                })
            }
            Self::Show { id, of } => {
                let reply = client.get(&path(&["v1", "tenants", &of.tenant, "runs", id]))?;
                context.show(&reply, |out, run: Run| run.show(out))
            }
        }
    }
}

/// Run a recorded run again from its record, keep nothing, and compare.
#[derive(Debug, Args)]
#[command(after_help = "\
The run sees the records, the time and the rights that it saw then. It must give the same effects and use the same fuel.
Personal data that have been erased since are not seen again: they are listed, and all else is compared.

Examples:
  backroom replay allowance-2026-06 --tenant harbor
  backroom replay allowance-2026-06 --tenant harbor --json")]
pub(crate) struct Replay {
    /// The run's id.
    run: String,
    #[command(flatten)]
    of: Of,
}

/// What a replay found.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Replayed {
    /// In everything: effects, output, fuel, host calls, log.
    pub(crate) identical: bool,
    pub(crate) effects_identical: bool,
    pub(crate) fuel_recorded: u64,
    pub(crate) fuel_replayed: u64,
    /// What differs, in words.
    pub(crate) differences: Vec<String>,
    /// Personal data that the run asked for or recorded and that have been erased since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) erased: Vec<ErasedField>,
}

/// A field of a person.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErasedField {
    worker: String,
    field: String,
}

impl Replay {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let (reply, replayed) = replay(&context.client()?, &self.of.tenant, &self.run)?;
        context.show(&reply, |out, replayed: Replayed| {
            let word = match (replayed.identical, replayed.erased.is_empty()) {
                (true, true) => "identical: the same effects, the same fuel",
                (true, false) => "identical, but for personal data that have been erased since",
                (false, true) => "DIFFERENT",
                (false, false) => "NOT COMPARABLE: it may differ because it needs personal data that have been erased",
            };
            out.line(format_args!("Replay of {}: {word}", self.run));
            let (then, now) = (count(replayed.fuel_recorded), count(replayed.fuel_replayed));
            out.line(format_args!("  fuel {then} then, {now} now"));
            for ErasedField { worker, field } in &replayed.erased {
                out.line(format_args!("  erased: {field} of {worker}"));
            }
            replayed.differences.iter().for_each(|difference| out.line(format_args!("  {difference}")));
        })?;
        match replayed.identical {
            true => Ok(()),
            false => Err(Failure::Check(format!("the replay of {} differs from its record", self.run))),
        }
    }
}

/// Replays a run.
pub(crate) fn replay(client: &Client, tenant: &str, run: &str) -> Result<(Reply, Replayed)> {
    let _shown = Progress::start(format!("replaying {run}"));
    let reply = client.post(&path(&["v1", "tenants", tenant, "runs", run, "replay"]), &json!({}))?;
    let replayed = reply.read()?;
    Ok((reply, replayed))
}
