//! The backups of a vault as a series: each manifest names the one before it.

use backroom_domain::Instant;
use serde::Serialize;

use super::error::BackupError;
use super::manifest::{self, Manifest};
use super::vault::Vault;
use crate::types::Revision;

/// One backup, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listed {
    /// Its manifest.
    pub manifest: String,
    /// The last revision in it.
    pub revision: Revision,
    /// When it was made; none if the manifest is damaged.
    pub made_at: Option<Instant>,
    /// Entries that it added.
    pub entries: u64,
    /// Bytes that it added, as they are kept.
    pub kept_bytes: u64,
    /// Tenants with a chain, the provider's own left out.
    pub tenants: u64,
    /// What is wrong with the manifest, if it cannot be read.
    pub problem: Option<String>,
}

/// All backups in a vault, the oldest first.
///
/// # Errors
/// [`BackupError::Nothing`] if there is none; what the vault reports. A damaged manifest is in the list.
pub fn list(vault: &dyn Vault) -> Result<Vec<Listed>, BackupError> {
    let mut listed = Vec::new();
    for to in manifest::all(vault)? {
        listed.push(match Manifest::read(vault, to) {
            Ok(manifest) => Listed {
                manifest: manifest.name(),
                revision: to,
                made_at: Some(manifest.made_at),
                entries: manifest.to + 1 - manifest.from,
                kept_bytes: kept_bytes(&manifest),
                tenants: manifest.heads.keys().filter(|tenant| tenant.0 != 0).count() as u64,
                problem: None,
            },
            Err(error @ (BackupError::Damaged { .. } | BackupError::Newer { .. })) => Listed {
                manifest: manifest::name_of(to),
                revision: to,
                made_at: None,
                entries: 0,
                kept_bytes: 0,
                tenants: 0,
                problem: Some(error.to_string()),
            },
            Err(error) => return Err(error),
        });
    }
    if listed.is_empty() { Err(BackupError::Nothing(vault.shown())) } else { Ok(listed) }
}

fn kept_bytes(manifest: &Manifest) -> u64 {
    let chunks = manifest.chunks.iter().map(|chunk| chunk.bytes);
    chunks.chain(manifest.releases.iter().map(|component| component.bytes)).sum()
}

/// The manifests from the beginning of the log up to the first that has revision `up_to`, or to the newest, in order. All
/// but the last are without their heads: there can be thousands.
///
/// # Errors
/// [`BackupError::Nothing`]; [`BackupError::Moment`] if none has the revision; [`BackupError::Damaged`] at a manifest that is
/// missing, damaged, or does not go on from the one it names.
pub(super) fn load(vault: &dyn Vault, up_to: Option<Revision>) -> Result<Vec<Manifest>, BackupError> {
    let all = manifest::all(vault)?;
    let newest = *all.last().ok_or_else(|| BackupError::Nothing(vault.shown()))?;
    let end = match up_to {
        None => newest,
        Some(0) => return Err(BackupError::Moment("revisions begin with 1".to_owned())),
        Some(wanted) => *all.iter().find(|to| **to >= wanted).ok_or_else(|| {
            BackupError::Moment(format!("revision {wanted} is not in {}: it ends at {newest}", vault.shown()))
        })?,
    };
    let mut series = vec![Manifest::read(vault, end)?];
    while let Some(later) = series.last() {
        check(later)?;
        let Some(link) = later.previous.clone() else { break };
        let mut manifest = Manifest::read(vault, link.to)?;
        if manifest.own_hash() != link.hash || manifest.to + 1 != later.from || manifest.store != later.store {
            let what = format!("it is not the one that {} goes on from", later.name());
            return Err(BackupError::damaged(manifest.name(), what));
        }
        manifest.heads.clear();
        series.push(manifest);
    }
    series.reverse();
    Ok(series)
}

/// Whether the chunks of a manifest are just its revisions, and a beginning is one.
fn check(manifest: &Manifest) -> Result<(), BackupError> {
    let damaged = |what: String| BackupError::damaged(manifest.name(), what);
    let begins = if manifest.previous.is_none() { 1 } else { manifest.from };
    if manifest.from != begins || manifest.from > manifest.to {
        return Err(damaged(format!("it has revisions {} to {}", manifest.from, manifest.to)));
    }
    let mut next = manifest.from;
    for chunk in &manifest.chunks {
        if chunk.from != next || chunk.to < chunk.from {
            return Err(damaged(format!("{} does not begin with revision {next}", chunk.name())));
        }
        next = chunk.to + 1;
    }
    if next == manifest.to + 1 { Ok(()) } else { Err(damaged(format!("its chunks end before revision {next}"))) }
}
