//! Verification of a vault: everything is read back. Nothing stops it, and nothing is repaired.

use serde::Serialize;

use super::Progress;
use super::error::BackupError;
use super::manifest::{self, Manifest};
use super::player::Player;
use super::series;
use super::vault::Vault;
use crate::types::Revision;

/// What was read and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// The last revision in the vault.
    pub revision: Revision,
    /// Manifests.
    pub manifests: u64,
    /// Chunks.
    pub chunks: u64,
    /// Entries whose chain holds.
    pub entries: u64,
    /// Components of releases.
    pub releases: u64,
    /// Bytes read, as they are kept.
    pub bytes: u64,
    /// What is wrong.
    pub problems: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The object.
    pub object: String,
    /// What is wrong with it.
    pub message: String,
}

/// Reads every object of a vault back: hashes, the row of the manifests, the sequence of the log, every chain.
///
/// # Errors
/// [`BackupError::Nothing`] if there is no backup; what the vault reports. What is wrong with the data is in the report.
pub fn verify(vault: &dyn Vault, progress: Progress<'_>) -> Result<Verified, BackupError> {
    let all = manifest::all(vault)?;
    let newest = *all.last().ok_or_else(|| BackupError::Nothing(vault.shown()))?;
    let mut check = Check { vault, report: Verified { revision: newest, ..Verified::default() }, player: None };
    if let Err(error) = series::load(vault, None) {
        check.fault(error)?;
    }
    for to in all {
        match Manifest::read(vault, to) {
            Ok(manifest) => check.manifest(&manifest)?,
            Err(error) => check.fault(error)?,
        }
        progress(to, newest);
    }
    let mut report = check.report;
    report.sound = report.problems.is_empty();
    Ok(report)
}

struct Check<'a> {
    vault: &'a dyn Vault,
    report: Verified,
    /// Lost behind damage, and found again at the end of a manifest, which has the heads of all chains. None is also where
    /// nothing has been played yet.
    player: Option<Player>,
}

impl Check<'_> {
    fn manifest(&mut self, manifest: &Manifest) -> Result<(), BackupError> {
        self.report.manifests += 1;
        // Two hosts that make a backup at once go on from the same one.
        if self.player.as_ref().is_none_or(|player| player.to + 1 != manifest.from) {
            self.player = self.base(manifest);
        }
        for chunk in &manifest.chunks {
            self.report.chunks += 1;
            match chunk.read(self.vault) {
                Ok(raw) => {
                    self.report.bytes += chunk.bytes;
                    self.play(chunk, &raw)?;
                }
                Err(error) => {
                    self.player = None;
                    self.fault(error)?;
                }
            }
        }
        for component in &manifest.releases {
            self.report.releases += 1;
            self.report.bytes += component.bytes;
            if let Err(error) = component.read(self.vault) {
                self.fault(error)?;
            }
        }
        let ends = self.player.take().is_none_or(|player| player.to == manifest.to && player.heads == manifest.heads);
        if !ends {
            self.fault(BackupError::damaged(manifest.name(), "the chains do not end as it says"))?;
        }
        self.player = Some(Player { to: manifest.to, heads: manifest.heads.clone() });
        Ok(())
    }

    /// The end of the manifest before this one; none if it is damaged, which is a finding of its own.
    fn base(&self, manifest: &Manifest) -> Option<Player> {
        let Some(link) = &manifest.previous else { return Some(Player::default()) };
        let base = Manifest::read(self.vault, link.to).ok()?;
        Some(Player { to: base.to, heads: base.heads })
    }

    fn play(&mut self, chunk: &super::chunk::Chunk, raw: &[u8]) -> Result<(), BackupError> {
        let Some(player) = &mut self.player else { return Ok(()) };
        let entries = &mut self.report.entries;
        let played = player.chunk(chunk, raw, &mut |_| {
            *entries += 1;
            Ok(true)
        });
        if let Err(error) = played {
            self.player = None;
            self.fault(error)?;
        }
        Ok(())
    }

    /// Damage is a finding, listed once; everything else ends the verification.
    fn fault(&mut self, error: BackupError) -> Result<(), BackupError> {
        let fault = match error {
            BackupError::Damaged { object, what } => Fault { object, message: what },
            BackupError::Newer { ref object, .. } => Fault { object: object.clone(), message: error.to_string() },
            other => return Err(other),
        };
        if !self.report.problems.contains(&fault) {
            self.report.problems.push(fault);
        }
        Ok(())
    }
}
