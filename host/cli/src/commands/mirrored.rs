//! `backroom files push` and `pull`: a real directory, such as one that a bank's program writes to, and a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;
use backroom_domain::files::{File, FilePath};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use serde::Serialize;

use super::files::At;
use super::{Context, Page};
use crate::client::{Body, Client, query};
use crate::exit::{Failure, Result};
use crate::figures::counted;
use crate::mirror::{self, Refused};

/// Bring the files of a directory into a folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Files that are the same already are left alone, and nothing is deleted on either side. Symbolic links, files with a second name
(hard links), pipes and devices are not taken: they are named, and the exit code is 1; all else is brought.

Example:
  backroom files push /srv/sftp/harbor/in --tenant harbor --folder inbox")]
pub(crate) struct Push {
    /// The directory.
    directory: PathBuf,
    #[command(flatten)]
    at: At,
}

/// Bring the files of a folder into a directory.
#[derive(Debug, Args)]
#[command(after_help = "\
Files that are the same already are left alone, and nothing is deleted on either side. A file is there as a whole or not at all.
Nothing is written through a symbolic link, and only regular files are replaced: what stands in the way is named, and the
exit code is 1; all else is brought.

Example:
  backroom files pull /srv/sftp/harbor/out --tenant harbor --folder outbox")]
pub(crate) struct Pull {
    /// The directory; it must be there.
    directory: PathBuf,
    #[command(flatten)]
    at: At,
}

/// What became of each file.
#[derive(Debug, Default, Serialize)]
struct Done {
    /// Brought over.
    brought: Vec<String>,
    /// The same already.
    same: usize,
    refused: Vec<Refused>,
}

impl Push {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let root = open(&self.directory)?;
        let client = context.client()?;
        let there = list(&client, &self.at)?;
        let found = mirror::walk(&root).with_context(|| format!("cannot look through {}", self.directory.display()))?;
        let mut done = Done { refused: found.refused, ..Done::default() };
        for path in found.files {
            let bytes = match mirror::read(&root, &path) {
                Ok(bytes) => bytes,
                Err(refused) => {
                    done.refused.push(refused);
                    continue;
                }
            };
            if there.get(&path).is_some_and(|file| same(file, &bytes)) {
                done.same += 1;
                continue;
            }
            match client.send(Method::PUT, &self.at.file(path.as_str()), Some(Body::Bytes(bytes))) {
                Ok(_) => done.brought.push(path.into()),
                // About this file: those after it may still do.
                Err(Failure::Refused(problem)) if problem.code == "path-occupied" => {
                    done.refused.push(Refused { path: path.into(), why: problem.headline() });
                }
                Err(failure) => return Err(failure),
            }
        }
        done.show(context)
    }
}

impl Pull {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let root = open(&self.directory)?;
        let client = context.client()?;
        let mut done = Done::default();
        for (path, file) in list(&client, &self.at)? {
            if mirror::read(&root, &path).is_ok_and(|bytes| same(&file, &bytes)) {
                done.same += 1;
                continue;
            }
            let mut bytes = Vec::new();
            match client.fetch(&self.at.file(path.as_str()), &mut bytes) {
                Ok(()) => {}
                // Deleted since the list was made.
                Err(Failure::Refused(problem)) if problem.status == 404 => continue,
                Err(failure) => return Err(failure),
            }
            match mirror::write(&root, &path, &bytes) {
                Ok(()) => done.brought.push(path.into()),
                Err(refused) => done.refused.push(refused),
            }
        }
        done.show(context)
    }
}

impl Done {
    fn show(&self, context: &Context) -> Result {
        if context.out.is_json() {
            context.out.value(self);
        } else {
            for path in &self.brought {
                context.out.line(path);
            }
            let brought = counted(self.brought.len() as u64, "file", "files");
            context.out.line(format_args!("{brought} brought over, {} the same already.", self.same));
        }
        if self.refused.is_empty() {
            return Ok(());
        }
        // Names are somebody else's words: shown so that they play no tricks on the terminal.
        let named: Vec<_> =
            self.refused.iter().map(|refused| format!("  {:?}: {}", refused.path, refused.why)).collect();
        Err(Failure::Check(format!("not taken:\n{}", named.join("\n"))))
    }
}

fn open(directory: &Path) -> Result<Dir> {
    let opened = Dir::open_ambient_dir(directory, ambient_authority());
    opened.map_err(|error| Failure::usage(format!("cannot open the directory {}: {error}", directory.display())))
}

fn same(file: &File, bytes: &[u8]) -> bool {
    u64::try_from(bytes.len()) == Ok(file.size) && blake3::hash(bytes).to_hex().as_str() == file.digest
}

/// All files of the folder.
fn list(client: &Client, at: &At) -> Result<BTreeMap<FilePath, File>> {
    let mut files = BTreeMap::new();
    let mut cursor = None;
    loop {
        let pairs = [("limit", Some("500".to_owned())), ("cursor", cursor)];
        let page: Page<File> = client.get(&query(&at.list(), &pairs))?.read()?;
        files.extend(page.items.into_iter().map(|file| (file.path.clone(), file)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(files);
        }
    }
}
