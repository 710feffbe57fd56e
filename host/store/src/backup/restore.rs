//! Restoring: the entries of a backup are played into an empty store as they are, so their hashes stay the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backroom_domain::Instant;
use serde::{Deserialize, Serialize};

use super::chunk::Chunk;
use super::error::BackupError;
use super::folder::Folder;
use super::make::releases_of;
use super::manifest::{Component, Manifest};
use super::player::{Played, Player};
use super::series;
use super::stage::{Left, STAGE, Target};
use super::vault::Vault;
use super::{KeepComponent, Progress};
use crate::engine::embedded::{BroughtKeys, KeyCopy};
use crate::engine::{At, Blobs as _, Engine, Postgres, PostgresOptions};
use crate::entry::Sealed;
use crate::error::StoreError;
use crate::keyring;
use crate::store::{Options, Store};
use crate::ticket::Ticket;
use crate::types::{Hash, Revision, TenantNo};

/// Nobody waits for a restore but its operator; it is the state index that may need a while.
const PATIENCE: Duration = Duration::from_secs(600);

/// Up to where to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Everything that is in the backup.
    Last,
    /// Up to this revision, itself included.
    Revision(Revision),
    /// Everything before the first entry that is of a later time.
    Instant(Instant),
}

impl Moment {
    fn shown(self) -> String {
        match self {
            Self::Last => "everything".to_owned(),
            Self::Revision(revision) => format!("revision {revision}"),
            Self::Instant(at) => at.to_string(),
        }
    }
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Restored {
    /// The last revision.
    pub revision: Revision,
    /// When that entry was written.
    pub at: Instant,
    /// Tenants with a chain, the provider's own left out.
    pub tenants: u64,
    /// Releases.
    pub releases: u64,
}

/// Restores into the folder `dir` for the embedded engine. Until everything is in place the folder is no data directory; after
/// a crash the same restore begins again, or finishes what was begun.
///
/// # Errors
/// [`BackupError::UnderWay`] if another restore into `dir` is; [`BackupError::NotEmpty`] if it holds anything; else as [`restore_into`].
pub fn restore(
    vault: &dyn Vault,
    dir: &Path,
    options: &Options,
    moment: Moment,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    let asked = format!("a restore of {} from {}", moment.shown(), vault.shown());
    let (target, left) = Target::open(dir, asked)?;
    if let Left::Nothing(restored) = left {
        return Ok(restored);
    }
    let stage = dir.join(STAGE);
    let failed = BackupError::io(format!("prepare the folder {}", dir.display()));
    let components = Folder::create(&stage).map_err(failed)?;
    let store = Store::open(&stage, Options { turn_timeout: PATIENCE, ..options.clone() })?;
    let mut keep = |digest: &str, bytes: &[u8]| {
        components.put(&format!("releases/{digest}.wasm"), bytes).map_err(|why| why.to_string())
    };
    let restored = restore_into(&store, vault, moment, &mut keep, progress);
    let closed = store.close();
    if matches!(restored, Err(BackupError::Moment(_))) {
        target.give_up()?;
    }
    let restored = restored?;
    closed?;
    target.finish(&restored)?;
    Ok(restored)
}

/// What was restored into a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoredDatabase {
    /// The books.
    #[serde(flatten)]
    pub restored: Restored,
    /// The keys of persons, if there was a copy of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<BroughtKeys>,
}

/// Restores into a PostgreSQL database, with the keys of persons from `keys`, a copy of a data directory's folder of that name. Until
/// everything is in place no host opens the database; after a crash the same restore begins anew.
///
/// # Errors
/// [`StoreError::Busy`] if another restore into it is under way; [`BackupError::NotEmpty`] if it has a schema `backroom` or `bi`; what is wrong
/// with the copy of the keys, before anything is restored; else as [`restore_into`].
pub fn restore_into_database(
    vault: &dyn Vault,
    (url, postgres): (&str, &PostgresOptions),
    options: &Options,
    moment: Moment,
    keys: Option<&Path>,
    progress: Progress<'_>,
) -> Result<RestoredDatabase, BackupError> {
    let series = load(vault, moment)?;
    let keys = keys.map(|keys| KeyCopy::open(keys, options.master_key.clone())).transpose()?;
    let patient = Options { turn_timeout: PATIENCE, ..options.clone() };
    let engine = Postgres::open_for_restore(url, &patient, postgres)?.ok_or_else(|| BackupError::NotEmpty {
        dir: "the database".to_owned(),
        found: "a schema `backroom` or `bi` (which an empty service has as well)".to_owned(),
    })?;
    let engine = Arc::new(engine);
    let store = Store::with_engine_options(Arc::clone(&engine) as Arc<dyn Engine>, &patient);
    let mut keep = |digest: &str, bytes: &[u8]| engine.keep_bytes(digest, bytes).map_err(|why| why.to_string());
    let mut goes_on = |done, of| {
        progress(done, of);
        engine.go_on_restoring()
    };
    let restored = play(&store, vault, moment, &series, &mut keep, &mut goes_on)?;
    // Who was erased first, whatever the copy has of them; and afterwards the keys of secrets that the copy is too old to miss.
    keyring::finish_destroying(&*engine)?;
    let tenants = keyring::tenants(&*engine.snapshot(At::Durable)?)?;
    let bring = |keys: KeyCopy| keys.bring(&tenants, &*engine.keyring(), &mut || engine.go_on_restoring());
    let keys = keys.map(bring).transpose()?;
    keyring::finish_destroying(&*engine)?;
    store.close()?;
    engine.finish_restore()?;
    Ok(RestoredDatabase { restored, keys })
}

/// Restores into an empty store of any engine; `keep` gets the components of releases.
///
/// # Errors
/// [`BackupError::NotEmpty`]; [`BackupError::Damaged`] with the object's name, at the first thing that is not as it was
/// written; [`BackupError::Moment`] if the backup does not have it; what store and vault report. The store then holds a part.
pub fn restore_into(
    store: &Store,
    vault: &dyn Vault,
    moment: Moment,
    keep: KeepComponent<'_>,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    let held = store.status().sequenced;
    if held > 0 {
        return Err(BackupError::NotEmpty { dir: "the store".to_owned(), found: format!("{held} entries") });
    }
    let mut goes_on = |done, of| {
        progress(done, of);
        Ok(())
    };
    play(store, vault, moment, &load(vault, moment)?, keep, &mut goes_on)
}

/// The manifests of the backups that are needed, the oldest first; never none.
fn load(vault: &dyn Vault, moment: Moment) -> Result<Vec<Manifest>, BackupError> {
    let series = series::load(vault, if let Moment::Revision(revision) = moment { Some(revision) } else { None })?;
    let Some(last) = series.last() else { return Err(BackupError::Nothing(vault.shown())) };
    if let Moment::Instant(at) = moment
        && at > last.made_at
    {
        let why =
            format!("the last backup was made at {}: it cannot say what was at {at}. Without `--at`, ", last.made_at);
        return Err(BackupError::Moment(why + "everything in it is restored"));
    }
    Ok(series)
}

fn play(
    store: &Store,
    vault: &dyn Vault,
    moment: Moment,
    series: &[Manifest],
    keep: KeepComponent<'_>,
    goes_on: &mut dyn FnMut(Revision, Revision) -> Result<(), StoreError>,
) -> Result<Restored, BackupError> {
    let Some(last) = series.last() else { return Err(BackupError::Nothing(vault.shown())) };
    let components = series.iter().flat_map(|manifest| &manifest.releases);
    let components = components.map(|component| (component.digest.to_string(), component.clone())).collect();
    let of = if let Moment::Revision(revision) = moment { revision } else { last.to };
    let mut restoring = Restoring { store, vault, moment, components, keep, player: Player::default(), at: Instant(0) };
    let mut releases = 0;
    for chunk in series.iter().flat_map(|manifest| &manifest.chunks) {
        let more = restoring.chunk(chunk, &mut releases)?;
        goes_on(restoring.player.to, of)?;
        if !more {
            break;
        }
    }
    restoring.finish(last, releases)
}

struct Restoring<'a> {
    store: &'a Store,
    vault: &'a dyn Vault,
    moment: Moment,
    components: BTreeMap<String, Component>,
    keep: KeepComponent<'a>,
    player: Player,
    /// When the last entry played was written.
    at: Instant,
}

impl Restoring<'_> {
    /// Plays one chunk and waits until it is on disk; `false` once the moment has come.
    fn chunk(&mut self, chunk: &Chunk, releases: &mut u64) -> Result<bool, BackupError> {
        let raw = chunk.read(self.vault)?;
        let (mut ticket, mut hashes, mut tenants) = (None, Vec::new(), BTreeSet::new());
        let Self { store, vault, moment, components, keep, player, at } = self;
        let goes_on = player.chunk(chunk, &raw, &mut |played| {
            let is_later = match *moment {
                Moment::Last => false,
                Moment::Revision(revision) => played.entry.revision > revision,
                Moment::Instant(instant) => played.entry.at > instant.0,
            };
            if is_later {
                return Ok(false);
            }
            let unreadable = |why| BackupError::damaged(chunk.name(), why);
            for digest in releases_of(&played.entry).map_err(unreadable)? {
                keep_component(*vault, components, &digest, *keep)?;
                *releases += 1;
            }
            *at = Instant(played.entry.at);
            hashes.push((played.entry.revision, Hash::of(played.payload)));
            tenants.insert(played.entry.tenant);
            ticket = Some(append(store, played).map_err(|error| match error {
                BackupError::Damaged { what, .. } => BackupError::damaged(chunk.name(), what),
                other => other,
            })?);
            Ok(true)
        })?;
        ticket.map_or(Ok(()), |ticket| ticket.wait())?;
        self.check(&hashes)?;
        for tenant in tenants {
            // What a host keeps of a tenant over a database may go only between its units of work.
            drop(self.store.engine().snapshot(At::Sequenced(tenant))?);
        }
        Ok(goes_on)
    }

    /// What was played stands in the log as it should: where entries had to be sent twice, one may have overtaken another.
    fn check(&self, played: &[(Revision, Hash)]) -> Result<(), BackupError> {
        let Some((from, _)) = played.first() else { return Ok(()) };
        let mut left = played.iter().peekable();
        self.store.entries(*from, &mut |entry| match left.next_if_eq(&&(entry.revision, entry.hash)) {
            Some(_) if left.peek().is_some() => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        })?;
        match left.next() {
            None => Ok(()),
            Some((revision, _)) => {
                let why =
                    format!("revision {revision} did not come to its place, as the connection was lost meanwhile");
                Err(StoreError::Unavailable(why + ". Restore it again").into())
            }
        }
    }

    /// Everything that was played is there, and it is what the manifest says it should be.
    fn finish(self, last: &Manifest, releases: u64) -> Result<Restored, BackupError> {
        let Player { to, heads } = self.player;
        if to == 0 {
            return Err(BackupError::Moment("the backup begins later than that moment".to_owned()));
        }
        if to == last.to && heads != last.heads {
            return Err(BackupError::damaged(last.name(), "the chains do not end as it says"));
        }
        for (tenant, head) in &heads {
            if self.store.head(*tenant)? != *head {
                return Err(
                    StoreError::corrupt(format!("the head of tenant {tenant}"), "it is not what was restored").into()
                );
            }
        }
        let tenants = heads.keys().filter(|tenant| **tenant != TenantNo::PROVIDER).count() as u64;
        Ok(Restored { revision: to, at: self.at, tenants, releases })
    }
}

fn append(store: &Store, played: Played<'_>) -> Result<Ticket, BackupError> {
    let Played { entry, payload, follows } = played;
    let revision = entry.revision;
    let sealed = Sealed::from_entry(entry, payload.to_vec(), follows);
    let sealed = sealed.map_err(|why| BackupError::damaged("an entry", why))?;
    let appended = store.engine().append(sealed)?;
    match appended.revision == revision {
        true => Ok(appended.ticket),
        false => {
            Err(StoreError::corrupt("the store", format!("revision {revision} became {}", appended.revision)).into())
        }
    }
}

fn keep_component(
    vault: &dyn Vault,
    components: &BTreeMap<String, Component>,
    digest: &str,
    keep: KeepComponent<'_>,
) -> Result<(), BackupError> {
    let failed = |what: String| BackupError::Component { digest: digest.to_owned(), what };
    let component = components.get(digest).ok_or_else(|| failed("no manifest names it".to_owned()))?;
    keep(digest, &component.read(vault)?).map_err(failed)
}
