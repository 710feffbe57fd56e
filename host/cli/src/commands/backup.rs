//! `backroom backup` and `backroom restore`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backroom_domain::Instant;
use backroom_server::{Place, open_vault};
use backroom_store::backup::{self, BackupError, BroughtKeys, Moment, Restored, RestoredDatabase, Vault};
use backroom_store::{Options, PostgresOptions};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Context;
use crate::client::path;
use crate::exit::{Failure, Result};
use crate::figures::{count, counted};
use crate::output::{Grid, left, right};
use crate::progress::Progress;
use crate::service;

/// Back everything up while the service goes on; each backup adds what is new.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
A place is a folder, or s3://bucket/prefix with the usual AWS_* variables (AWS_ENDPOINT_URL for services other than Amazon's).
The server must have been started with --backup-to and that place, or one above it: it writes the backup, not this command.
Nothing in a place is ever changed, so two places are two independent backups, and one can be copied with any tool.

Examples:
  backroom backup --to /srv/backups/backroom
  backroom backup --to s3://our-backups/backroom --json
  backroom backup --to /srv/backups/backroom --data /var/lib/backroom     # while no server runs
  backroom backup list --from /srv/backups/backroom
  backroom backup verify --from /srv/backups/backroom"
)]
pub(crate) struct Backup {
    /// The place: a folder, from the root on, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE", required = true)]
    to: Option<String>,
    #[command(subcommand)]
    look: Option<Look>,
}

/// What can be done with backups that are there. Needs no server.
#[derive(Debug, Subcommand)]
enum Look {
    /// List the backups in a place.
    #[command(after_help = "Examples:
  backroom backup list --from /srv/backups/backroom
  backroom backup list --from s3://our-backups/backroom --json")]
    List(From),
    /// Read everything in a place back: every hash, every chain.
    #[command(after_help = "Examples:
  backroom backup verify --from /srv/backups/backroom
  backroom backup verify --from s3://our-backups/backroom --json")]
    Verify(From),
}

/// Which place.
#[derive(Debug, Args)]
struct From {
    /// The place: a folder or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE")]
    from: String,
}

/// Restore a backup into a new data directory or an empty database, to its end or to an earlier moment. Needs no server.
#[derive(Debug, Args)]
#[command(after_help = "\
--at takes a revision (the last one to restore) or a time (RFC 3339; everything before the first entry of a later time). What
was restored has the same entries with the same hashes; `backroom log verify` proves it. A backup of a data directory can be
restored into a PostgreSQL database, and the other way round. Until it is finished nobody can open what is restored.

The keys of persons are in no backup, or erasing somebody would not reach the backups. Keep a copy of the folder `keys` of the
data directory elsewhere, a recent one only, and name it with --keys; without it personal data cannot be read. In a database
they are the table backroom.person_key: copy it with the database's own tools, and put its rows back with INSERT ... ON CONFLICT
DO NOTHING. Whoever was erased up to the restored moment stays erased.

The user of a database URL must be allowed to create the schemas `backroom` and `bi`, which must not be there yet. Keys that are wrapped need
the master key as a server does (BACKROOM_MASTER_KEY_FILE).

Examples:
  backroom restore --from /srv/backups/backroom --data /var/lib/backroom-2 --keys /srv/keys/backroom
  backroom restore --from s3://our-backups/backroom --data ./then --at 2026-06-30T12:00:00Z
  backroom restore --from /srv/backups/backroom --data ./then --at 20417
  backroom restore --from /srv/backups/backroom --database-url postgresql://backroom@localhost/then --keys /srv/keys/backroom")]
pub(crate) struct Restore {
    /// The place: a folder or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Up to which moment: a revision or a time.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    at: Option<Moment>,
    /// A copy of the folder `keys` of the data directory.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

fn moment(text: &str) -> std::result::Result<Moment, String> {
    if let Ok(revision) = text.parse() {
        return Ok(Moment::Revision(revision));
    }
    let instant: std::result::Result<Instant, _> = serde_json::from_value(Value::from(text));
    instant
        .map(Moment::Instant)
        .map_err(|_| "this is neither a revision nor a time such as 2026-06-30T12:00:00Z".to_owned())
}

impl Backup {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match (&self.look, &self.to) {
            (Some(Look::List(from)), _) => list(context, &from.from),
            (Some(Look::Verify(from)), _) => verify(context, &from.from),
            (None, Some(to)) => make(context, to),
            (None, None) => Err(Failure::usage("name the place: --to PLACE")),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    manifest: String,
    revision: u64,
    entries: u64,
    releases: u64,
    raw_bytes: u64,
    kept_bytes: u64,
    replaced: Vec<String>,
}

fn make(context: &Context, to: &str) -> Result {
    let client = context.client()?;
    let shown = Progress::start(format!("backing up to {to}"));
    let reply = client.post(&path(&["v1", "backups"]), &json!({ "to": to }))?;
    drop(shown);
    context.show(&reply, |out, made: Shown| {
        for name in &made.replaced {
            out.line(format_args!("{name} was damaged; this backup has taken its place."));
        }
        match made.entries {
            0 => out.line(format_args!("Nothing new: {to} has everything up to revision {}.", count(made.revision))),
            entries => out.line(format_args!(
                "Backed up: {} and {}, {} bytes as {}; {to} has everything up to revision {} ({}).",
                counted(entries, "entry", "entries"),
                counted(made.releases, "release", "releases"),
                count(made.raw_bytes),
                count(made.kept_bytes),
                count(made.revision),
                made.manifest
            )),
        }
    })
}

fn list(context: &Context, from: &str) -> Result {
    let vault = open(from)?;
    let listed = backup::list(&*vault).map_err(failed)?;
    context.out.value(&listed);
    let heads =
        [right("Revision"), left("Made at"), right("Entries"), right("Tenants"), right("Bytes"), left("Problem")];
    let mut grid = Grid::new(&heads);
    for one in &listed {
        let made_at = one.made_at.map(|at| at.to_string()).unwrap_or_default();
        let problem = one.problem.clone().unwrap_or_default();
        let figures = [one.entries, one.tenants, one.kept_bytes].map(count);
        let [entries, tenants, bytes] = figures;
        grid.row([count(one.revision), made_at, entries, tenants, bytes, problem]);
    }
    context.out.table(&grid);
    match listed.iter().any(|one| one.problem.is_some()) {
        true => Err(Failure::Check("a manifest cannot be read; the next backup to this place replaces it".to_owned())),
        false => Ok(()),
    }
}

fn verify(context: &Context, from: &str) -> Result {
    let vault = open(from)?;
    let shown = Progress::start(format!("reading {from} back"));
    let verified =
        backup::verify(&*vault, &mut |done, of| shown.at(&format!("revision {} of {}", count(done), count(of))));
    drop(shown);
    let verified = verified.map_err(failed)?;
    context.out.value(&verified);
    for problem in &verified.problems {
        context.out.line(format_args!("  {}: {}", problem.object, problem.message));
    }
    if !verified.sound {
        context.out.line("DAMAGED");
        return Err(Failure::Check(format!(
            "{} objects in {from} are not as they were written; put them back from a copy, or back up to a new place",
            verified.problems.len()
        )));
    }
    context.out.line(format_args!(
        "ok: {} up to revision {}: {} with {}, {}, {} bytes; every hash and every chain holds",
        counted(verified.manifests, "backup", "backups"),
        count(verified.revision),
        counted(verified.chunks, "chunk", "chunks"),
        counted(verified.entries, "entry", "entries"),
        counted(verified.releases, "release", "releases"),
        count(verified.bytes)
    ));
    Ok(())
}

impl Restore {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let place = context.required_place()?;
        if let Some(keys) = &self.keys {
            check_keys(keys)?;
        }
        let vault = open(&self.from)?;
        let into = match &place {
            Place::Folder(dir) => dir.display().to_string(),
            // The URL may hold a password.
            Place::Database { .. } => "the database".to_owned(),
        };
        let shown = Progress::start(format!("restoring into {into}"));
        let mut progress = |done, of| shown.at(&format!("revision {} of {}", count(done), count(of)));
        let (restored, keys) = match &place {
            Place::Folder(dir) => (self.to_folder(&*vault, dir, &mut progress)?, None),
            Place::Database { url, .. } => {
                let RestoredDatabase { restored, keys } = self.to_database(&*vault, url, &mut progress)?;
                (restored, keys)
            }
        };
        drop(shown);
        context.out.value(&RestoredDatabase { restored: restored.clone(), keys });
        context.out.line(format_args!(
            "{into} holds {} and {} as of revision {}, {}.",
            counted(restored.tenants, "tenant", "tenants"),
            counted(restored.releases, "release", "releases"),
            count(restored.revision),
            restored.at
        ));
        if let Some(BroughtKeys { brought, destroyed, damaged }) = keys {
            context.out.line(format_args!(
                "Keys of persons: {} brought, {} of erased persons left out, {} damaged{}",
                count(brought),
                count(destroyed),
                count(damaged),
                if damaged > 0 { " in the copy: what they sealed cannot be read." } else { "." }
            ));
        }
        if let (Place::Folder(_), Some(copy)) = (&place, &self.keys) {
            context.out.line(format_args!("Keys of persons: copied from {}.", copy.display()));
        }
        let named = match &place {
            Place::Folder(dir) => format!("--data {}", dir.display()),
            Place::Database { .. } => "--database-url URL".to_owned(),
        };
        if self.keys.is_none() {
            context.out.line(match &place {
                Place::Folder(dir) => format!(
                    "Personal data need the keys of persons: put a copy of the folder `keys` into {} before it is served.",
                    dir.display()
                ),
                Place::Database { .. } => "Personal data need the keys of persons: before it is served, put the rows of a copy of the \
                     table backroom.person_key back, with ON CONFLICT DO NOTHING: whoever was erased is in it."
                    .to_owned(),
            });
        }
        context.out.line(format_args!("Try:  backroom log verify {named}\nthen: backroom serve {named}"));
        Ok(())
    }

    fn to_folder(&self, vault: &dyn Vault, dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Restored> {
        let at = self.at.unwrap_or(Moment::Last);
        let restored = backup::restore(vault, dir, &Options::default(), at, progress).map_err(failed)?;
        if let Some(keys) = &self.keys {
            copy_keys(keys, &dir.join("keys"))
                .with_context(|| format!("everything is restored but the keys: cannot copy {}", keys.display()))?;
        }
        Ok(restored)
    }

    fn to_database(
        &self,
        vault: &dyn Vault,
        url: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<RestoredDatabase> {
        let options = Options { master_key: service::master_key()?, ..Options::default() };
        let (at, database) = (self.at.unwrap_or(Moment::Last), (url, &PostgresOptions::default()));
        backup::restore_into_database(vault, database, &options, at, self.keys.as_deref(), progress).map_err(failed)
    }
}

/// Before anything is restored: a folder that holds no keys was not meant.
fn check_keys(folder: &Path) -> Result {
    let wrong =
        |why: &str| Failure::usage(format!("{} {why}; --keys names a copy of the folder `keys`", folder.display()));
    let names = fs::read_dir(folder).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let mut names = names.filter_map(|entry| Some(entry.ok()?.path()));
    match names.any(|name| name.extension().is_some_and(|ending| ending == "keys")) {
        true => Ok(()),
        false => Err(wrong("holds no keys, which are files such as 1.keys")),
    }
}

/// Copies the files of a flat folder, durably.
fn copy_keys(from: &Path, to: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true).mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy)?;
        File::open(copy)?.sync_all()?;
    }
    File::open(to)?.sync_all()
}

fn open(from: &str) -> Result<Box<dyn Vault>> {
    open_vault(from, false).map_err(|error| Failure::Unavailable(error.into()))
}

/// What the backup says is a "no"; what the place or the machine cannot do may go another time.
fn failed(error: BackupError) -> Failure {
    match error {
        BackupError::Damaged { .. } => Failure::Check(error.to_string()),
        BackupError::NotEmpty { .. }
        | BackupError::UnderWay(_)
        | BackupError::Moment(_)
        | BackupError::Newer { .. } => Failure::usage(error),
        other => Failure::Unavailable(other.into()),
    }
}
