//! Backups of a whole store, and files with one tenant to take away.
//!
//! ```text
//! store --make--> vault: chunks of the log, components of releases, and last a manifest --restore--> data directory
//! store --export--> one file: a tenant's chain and its releases --import--> another store, under another number
//! ```
//!
//! The log is the truth, so a backup is the log: everything else is rebuilt from it. What is here reads the log through the
//! engine and writes it through the engine, so it is the same for all engines. A vault is only ever added to, and a backup
//! that was interrupted has no manifest: it is none, and the next one goes on where the last whole one ended.

mod chunk;
mod error;
mod export;
mod folder;
mod import;
mod make;
mod manifest;
mod player;
mod restore;
mod series;
mod stage;
mod tenant_file;
mod vault;
mod verify;

pub use self::error::BackupError;
pub use self::export::Exported;
pub use self::folder::Folder;
pub use self::import::{CheckedFile, IMPORTED, Origin, check_file};
pub use self::make::{Made, Making};
pub use self::restore::{Moment, Restored, RestoredDatabase, restore, restore_into, restore_into_database};
pub use self::series::{Listed, list};
pub(crate) use self::stage::STAGE;
pub use self::stage::is_restoring;
pub use self::tenant_file::FileHead;
pub use self::vault::{Vault, too_large};
pub use self::verify::{Fault, Verified, verify};
pub use crate::engine::embedded::BroughtKeys;

/// Gives the bytes of the component with this digest.
pub type ReadComponent<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Keeps the bytes of the component with this digest.
pub type KeepComponent<'a> = &'a mut dyn FnMut(&str, &[u8]) -> Result<(), String>;

/// How far long work is: revisions (or entries) done, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);
