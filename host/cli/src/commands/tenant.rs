//! `backroom tenant`.

use std::fs::{self, File, OpenOptions};
use std::io::BufReader;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backroom_store::backup::check_file;
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::args::Part;
use crate::client::{path, query};
use crate::exit::{Failure, Result};
use crate::figures::counted;
use crate::output::{Grid, left, right};
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
