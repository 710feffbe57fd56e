//! `backroom import`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;
use backroom_server::ServiceLimits;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::Context;
use crate::args::Of;
use crate::client::{Body, Client, Reply, path};
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::output::{Grid, Out, left, right};
use crate::progress::Progress;

/// Import a client's files: all of them, or nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
The files are CSV in UTF-8 with a header row. Every bad row of every file is reported at once, with file, line, column
and reason, and then nothing is imported. A file of more than 16 MiB is refused by its size. A journal of hledger (.journal,
.hledger, .j) is imported as well: its accounts, and its transactions as entries.

Examples:
  backroom import --tenant harbor examples/remote-allowance
  backroom import --tenant harbor accounts.csv workers.csv --json
  backroom import --tenant harbor books.journal")]
pub(crate) struct Import {
    #[command(flatten)]
    of: Of,
    /// CSV files, folders with CSV files, a journal of hledger.
    #[arg(required = true, value_name = "DIR_OR_FILES")]
    from: Vec<PathBuf>,
}

impl Import {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let files = read_all(&self.from)?;
        let client = context.client()?;
        let reply = send(&client, &self.of.tenant, files)?;
        context.show(&reply, |out, summary: Summary| summary.show(out))
    }
}

/// Sends files that were read.
pub(crate) fn send(client: &Client, tenant: &str, files: Vec<(String, Vec<u8>)>) -> Result<Reply> {
    let _shown = Progress::start(format!("importing {} files", files.len()));
    client.send(Method::POST, &path(&["v1", "tenants", tenant, "imports"]), Some(Body::Files(files)))
}

/// What an import did.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Summary {
    pub(crate) files: Vec<FileSummary>,
}

/// What it did with the rows of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FileSummary {
    file: String,
    created: u64,
    replayed: u64,
}

impl Summary {
    /// All rows of all files that are new.
    pub(crate) fn created(&self) -> u64 {
        self.files.iter().map(|file| file.created).sum()
    }

    /// One file a row.
    pub(crate) fn show(&self, out: Out) {
        let mut grid = Grid::new(&[left("File"), right("Imported"), right("There already")]);
        for FileSummary { file, created, replayed } in &self.files {
            grid.row([file.clone(), count(*created), count(*replayed)]);
        }
        out.table(&grid);
    }
}

/// The files that are named, and those in the folders that are named: name and content.
pub(crate) fn read_all(from: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut paths = Vec::new();
    for path in from {
        if path.is_dir() {
            paths.extend(csv_files(path)?);
        } else {
            paths.push(path.clone());
        }
    }
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = if is_journal(&path) { "books.journal".to_owned() } else { name };
        if files.iter().any(|(other, _)| *other == name) {
            return Err(Failure::usage(format!("{name} is named twice: {} is the second", path.display())));
        }
        files.push((name, read(&path)?));
    }
    Ok(files)
}

/// Is it a journal of hledger? It may have any name, but the service knows one.
fn is_journal(path: &Path) -> bool {
    path.extension()
        .is_some_and(|kind| ["journal", "hledger", "j"].iter().any(|known| kind.eq_ignore_ascii_case(known)))
}

fn csv_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", dir.display()))?.path();
        if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("csv")) && path.is_file() {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(Failure::usage(format!("there is no .csv file in {}", dir.display())));
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let about = |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(about)?.len();
    // The service refuses what is larger; here it is not even read.
    let most = ServiceLimits::default().file_bytes as u64;
    if size > most {
        let (name, size, most) = (path.display(), count(size.div_ceil(1 << 20)), most >> 20);
        let why = format!(
            "{name} has {size} MiB, files of at most {most} MiB are imported; split it up. Nothing was imported"
        );
        return Err(Failure::refused("file-too-large", why));
    }
    std::fs::read(path).map_err(about)
}
