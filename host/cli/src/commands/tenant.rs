//! `backroom tenant`.

use std::fs::{self, File, OpenOptions};
use std::io::BufReader;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backroom_store::backup::check_file;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Context;
use crate::args::Part;
use crate::client::{path, query};
use crate::exit::{Failure, Result};
use crate::figures::counted;
use crate::output::{Grid, left, right, text_of};
use crate::progress::Progress;

/// Client companies.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Add a client company; the same again does no harm.
    #[command(after_help = "Example:\n  backroom tenant create harbor --name 'Harbor Ledger Services, Inc.'")]
    Create {
        /// Its name in paths and commands: letters, digits and . _ : / -
        id: String,
        /// Its name for people.
        #[arg(long)]
        name: String,
    },
    /// List the client companies.
    #[command(after_help = "Examples:\n  backroom tenant list\n  backroom tenant list --json --limit 500")]
    List(Part),
    /// Show what every run of a client company is bounded by, or bound it. Bounding needs an administrator's key.
    #[command(after_help = "\
No run gets more than this, whatever its installation says; what is not said has no bound but that of the installation. The fuel of
a day is that of all runs together that are recorded.

A tenant with processes of its own shares none with another: its plugins run where no file, no network and no other tenant's data can be
reached, whatever they break. Effects, fuel and log are the same; each host call takes some microseconds more. The kernel has to have
seccomp, or its runs are refused. Said alone, it leaves the bounds as they are.

Examples:
  backroom tenant limits harbor
  backroom tenant limits harbor --own-process true
  backroom tenant limits harbor --day-fuel 500000000000 --memory 67108864")]
    Limits {
        /// Which tenant.
        id: String,
        #[command(flatten)]
        ceilings: Ceilings,
    },
    /// Write a tenant to one file: its whole log with every record and run, and the plugins it used.
    #[command(after_help = "\
The file holds the keys of persons as well: whoever has it can read all personal data in it, and importing it brings back who is
erased here later. Keep it as safe as the data directory, and no longer than needed. API keys are not in it. Its last hash is shown: whoever keeps it can prove later that an import came from here.

Examples:
  backroom tenant export acme --to acme.backroom
  backroom tenant export acme --to acme.backroom --data /var/lib/backroom")]
    Export {
        /// Which tenant.
        id: String,
        /// The file, which must not be there yet.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Take a tenant in from its file: checked first, then all of it or nothing.
    #[command(after_help = "\
Entries keep their numbers, times and actors; past runs can be replayed. The tenant's last entry names the hash of the log that
it came from. The same file again does no harm. API keys are made anew (`backroom key create`).

Examples:
  backroom tenant import acme.backroom
  backroom tenant import acme.backroom --as acme-2026")]
    Import {
        /// The file.
        file: PathBuf,
        /// The name that it gets here; its own if none is given.
        #[arg(long, value_name = "TENANT")]
        r#as: Option<String>,
    },
}

/// Ceilings of all runs of a tenant.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Ceilings {
    /// Bytes of memory of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    /// Milliseconds of wall time of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
    /// Units of work of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    /// Host calls of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    host_calls: Option<u32>,
    /// Milliseconds in host calls of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    host_ms: Option<u64>,
    /// Effects of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    effects: Option<u32>,
    /// Bytes of log of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<u32>,
    /// Bytes of output of a run.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<u32>,
    /// How deep the output of a run may nest.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<u32>,
    /// Units of work of all runs of a UTC day together.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    day_fuel: Option<u64>,
    /// Run its plugins in processes of its own, which the kernel lets do nothing else; as it was, if not said.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    own_process: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Arrived {
    tenant: Row,
    entries: u64,
    source_head: String,
    releases: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    id: String,
    name: String,
    number: u32,
    created_at: String,
}

impl Tenant {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Create { id, name } => {
                let client = context.client_of_new()?;
                let reply = client.post(&path(&["v1", "tenants"]), &json!({ "id": id, "name": name }))?;
                context.show(&reply, |out, row: Row| {
                    out.line(format_args!("Tenant {} ({}) is there.", row.id, row.name));
                })
            }
            Self::Limits { id, ceilings } => limits(context, id, ceilings),
            Self::Export { id, to } => export(context, id, to),
            Self::Import { file, r#as } => import(context, file, r#as.clone()),
            Self::List(part) => {
                let client = context.client()?;
                let reply = client.get(&query(&path(&["v1", "tenants"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Row]| {
                    let mut grid = Grid::new(&[left("Tenant"), left("Name"), right("Number"), left("Since")]);
                    for row in rows {
                        grid.row([&row.id, &row.name, &row.number.to_string(), &row.created_at]);
                    }
                    out.table(&grid);
                })
            }
        }
    }
}

fn limits(context: &Context, id: &str, ceilings: &Ceilings) -> Result {
    let said = json!(ceilings);
    let client = context.client()?;
    let reply = match said.as_object().is_some_and(|said| !said.is_empty()) {
        true => client.put(&path(&["v1", "tenant-limits"]), &json!({ "tenant": id, "limits": said }))?,
        false => client.get(&path(&["v1", "tenants", id, "limits"]))?,
    };
    context.show(&reply, |out, set: Option<Value>| {
        let limits = set.as_ref().and_then(|set| set.get("limits")?.as_object());
        let said = limits.into_iter().flatten().filter(|(_, limit)| !limit.is_null());
        let said: Vec<_> = said.map(|(name, limit)| format!("{name} {}", text_of(limit))).collect();
        match said.is_empty() {
            true => out.line(format_args!("Runs of {id} are bounded by their installations alone.")),
            false => out.line(format_args!(
                "Limits of the runs of {id} (those of a day: of all its runs together): {}.",
                said.join(", ")
            )),
        }
        if set.as_ref().and_then(|set| set.get("own-process")).and_then(Value::as_bool) == Some(true) {
            out.line(format_args!("They have processes of their own."));
        }
    })
}

/// The file stands under its name only once it is whole, which is proven by reading it.
fn export(context: &Context, id: &str, to: &Path) -> Result {
    if to.exists() {
        return Err(Failure::usage(format!("{} is there already; name a new file", to.display())));
    }
    let client = context.client()?;
    let shown = Progress::start(format!("exporting {id}"));
    let unfinished = to.with_added_extension("unfinished");
    let failed = || format!("cannot write {}", unfinished.display());
    // It holds the personal data of a company's people, and what opens them.
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(failed)?;
    let written = client.download(&path(&["v1", "tenant-exports"]), &json!({ "tenant": id }), &mut file);
    let checked = written.and_then(|()| {
        file.sync_all().with_context(failed)?;
        let written = BufReader::new(File::open(&unfinished).with_context(failed)?);
        let checked = check_file(written, &mut |_| Ok(())).context("the file did not come whole")?;
        fs::rename(&unfinished, to).with_context(failed)?;
        Ok(checked)
    });
    drop(shown);
    let checked = checked.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
    let (head, releases) = (checked.head.head, checked.releases.len() as u64);
    let (entries, hash) = (head.number, head.hash.to_string());
    context.out.value(&json!({ "file": to, "tenant": id, "entries": entries, "head": hash, "releases": releases }));
    context.out.line(format_args!(
        "{} holds {id}: {} and {}. Its last hash is {hash}.",
        to.display(),
        counted(entries, "entry", "entries"),
        counted(releases, "release", "releases")
    ));
    Ok(())
}

fn import(context: &Context, file: &Path, name: Option<String>) -> Result {
    let opened = File::open(file).map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
    let client = context.client_of_new()?;
    let shown = Progress::start(format!("importing {}", file.display()));
    let reply = client.upload(&query(&path(&["v1", "tenant-imports"]), &[("as", name)]), opened)?;
    drop(shown);
    context.show(&reply, |out, arrived: Arrived| {
        out.line(format_args!(
            "Tenant {} ({}) is there, number {}: {} and {}. The log that it came from ends with {}.",
            arrived.tenant.id,
            arrived.tenant.name,
            arrived.tenant.number,
            counted(arrived.entries, "entry", "entries"),
            counted(arrived.releases, "release", "releases"),
            arrived.source_head
        ));
    })
}
