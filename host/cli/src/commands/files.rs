//! `backroom files`.

use std::fs::File as LocalFile;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;
use backroom_domain::Id;
use backroom_domain::files::{File, MAX_FILE};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::Context;
use super::mirrored::{Pull, Push};
use crate::args::{Of, Part};
use crate::client::{Body, path, query};
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::output::{Grid, left, right};

/// Files of a client, in named folders.
#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// The files of a folder; without --folder, the folders and the room they take.
    #[command(after_help = "Examples:\n  backroom files list --tenant harbor\n  \
        backroom files list --tenant harbor --folder inbox --prefix 2026/06/")]
    List {
        #[command(flatten)]
        of: Of,
        /// The folder.
        #[arg(long)]
        folder: Option<String>,
        /// Only paths that begin so.
        #[arg(long, requires = "folder", default_value = "")]
        prefix: String,
        #[command(flatten)]
        part: Part,
    },
    /// Write a file of at most 16 MiB: a new one, or in place of what it held.
    #[command(
        after_help = "Example:\n  backroom files put bank.csv --tenant harbor --folder inbox --as 2026/06/bank.csv"
    )]
    Put {
        /// The file on this machine.
        file: PathBuf,
        #[command(flatten)]
        at: At,
        /// Its path in the folder; its own name if not said.
        #[arg(long = "as", value_name = "PATH")]
        name: Option<String>,
    },
    /// Read a file, to the terminal or to a file.
    #[command(
        after_help = "Example:\n  backroom files get 2026/06/bank.csv --tenant harbor --folder inbox --to bank.csv"
    )]
    Get {
        /// Its path in the folder.
        path: String,
        #[command(flatten)]
        at: At,
        /// Where it goes on this machine; it must not be there yet.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Delete a file. What it held stays in the commit log.
    #[command(after_help = "Example:\n  backroom files delete 2026/06/bank.csv --tenant harbor --folder inbox")]
    Delete {
        /// Its path in the folder.
        path: String,
        #[command(flatten)]
        at: At,
    },
    /// Say how much room a folder, or all folders of a client, have. Needs an administrator's key.
    #[command(after_help = "Examples:\n  backroom files quota --tenant harbor --folder inbox --bytes 1073741824\n  \
        backroom files quota --tenant harbor --bytes 4294967296")]
    Quota {
        #[command(flatten)]
        of: Of,
        /// The folder; all folders together if not said.
        #[arg(long)]
        folder: Option<String>,
        /// The room, in bytes.
        #[arg(long)]
        bytes: u64,
    },
    Push(Push),
    Pull(Pull),
}

/// Which folder of which tenant.
#[derive(Debug, Clone, Args)]
pub(crate) struct At {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The folder.
    #[arg(long)]
    pub(crate) folder: String,
}

impl At {
    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        path(&["v1", "tenants", &self.of.tenant, "files", &self.folder, name])
    }

    /// The path of its list.
    pub(crate) fn list(&self) -> String {
        path(&["v1", "tenants", &self.of.tenant, "files", &self.folder])
    }
}

#[derive(Debug, Deserialize)]
struct Room {
    #[serde(default)]
    folder: Option<Id>,
    files: u64,
    bytes: u64,
    quota: u64,
}

#[derive(Debug, Deserialize)]
struct Deleted {
    deleted: bool,
}

impl Files {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::List { of, folder: None, .. } => {
                let reply = context.client()?.get(&path(&["v1", "tenants", &of.tenant, "files"]))?;
                context.show(&reply, |out, rows: Vec<Room>| {
                    let mut grid = Grid::new(&[left("Folder"), right("Files"), right("Bytes"), right("Quota")]);
                    for row in rows {
                        let name = row.folder.map_or_else(|| "all".to_owned(), |folder| folder.to_string());
                        grid.row([name, count(row.files), count(row.bytes), count(row.quota)]);
                    }
                    out.table(&grid);
                })
            }
            Self::List { of, folder: Some(folder), prefix, part } => {
                let at = At { of: of.clone(), folder: folder.clone() };
                let pairs: Vec<_> = [("prefix", Some(prefix.clone()))].into_iter().chain(part.pairs()).collect();
                let reply = context.client()?.get(&query(&at.list(), &pairs))?;
                context.show_page(&reply, |out, rows: &[File]| {
                    let heads = [left("Path"), right("Bytes"), left("Date"), left("Run"), left("BLAKE3")];
                    let mut grid = Grid::new(&heads);
                    for File { path, size, digest, date, run, .. } in rows {
                        let run = run.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
                        grid.row([path.to_string(), count(*size), date.to_string(), run, digest.clone()]);
                    }
                    out.table(&grid);
                })
            }
            Self::Put { file, at, name } => put(context, file, at, name.as_deref()),
            Self::Get { path, at, to } => get(context, path, at, to.as_deref()),
            Self::Delete { path, at } => {
                let reply = context.client()?.send(Method::DELETE, &at.file(path), None)?;
                context.show(&reply, |out, Deleted { deleted }| match deleted {
                    true => out.line(format_args!("{path} is deleted.")),
                    false => out.line(format_args!("There was no {path}.")),
                })
            }
            Self::Quota { of, folder, bytes } => {
                let body = json!({ "tenant": of.tenant, "folder": folder, "bytes": bytes });
                let reply = context.client()?.put(&path(&["v1", "file-quotas"]), &body)?;
                context.show(&reply, |out, room: Room| {
                    out.line(format_args!("Room for {} bytes; {} are taken.", count(room.quota), count(room.bytes)));
                })
            }
            Self::Push(push) => push.run(context),
            Self::Pull(pull) => pull.run(context),
        }
    }
}

fn put(context: &Context, file: &Path, at: &At, name: Option<&str>) -> Result {
    let own = file.file_name().and_then(|name| name.to_str());
    let name = name.or(own).ok_or_else(|| Failure::usage("the file has no name that can be kept: say --as PATH"))?;
    let failed = || format!("cannot read {}", file.display());
    let mut bytes = Vec::new();
    let opened = LocalFile::open(file).with_context(failed).map_err(|error| Failure::usage(format!("{error:#}")))?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).with_context(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        let why = format!("{} has more than {} MiB, which a file has at most", file.display(), MAX_FILE >> 20);
        return Err(Failure::refused("file-too-large", why));
    }
    let reply = context.client()?.send(Method::PUT, &at.file(name), Some(Body::Bytes(bytes)))?;
    context.show(&reply, |out, file: File| {
        out.line(format_args!("{} has {} bytes, BLAKE3 {}.", file.path, count(file.size), file.digest));
    })
}

fn get(context: &Context, name: &str, at: &At, to: Option<&Path>) -> Result {
    let client = context.client()?;
    let Some(to) = to else { return client.fetch(&at.file(name), &mut std::io::stdout().lock()) };
    let mut bytes = Vec::new();
    client.fetch(&at.file(name), &mut bytes)?;
    let failed = || format!("cannot write {}", to.display());
    let made = LocalFile::options().write(true).create_new(true).open(to);
    let mut file = made.with_context(failed).map_err(|error| Failure::usage(format!("{error:#}")))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).with_context(failed)?;
    Ok(())
}
