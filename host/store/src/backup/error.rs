//! What can go wrong with backups and files of tenants, and what to do about it.

use std::io;
use std::sync::Arc;

use crate::error::StoreError;

/// Every failure of this module.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackupError {
    /// The store that is read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place where backups are kept, or a file, refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, and with what.
        what: String,
        /// The error of the place.
        source: Arc<io::Error>,
    },
    /// An object is not what was written.
    #[error("damaged: {object}: {what}")]
    Damaged {
        /// The object's name in the vault, or what stands for it.
        object: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// An object was made by a newer release than this one.
    #[error("{object} has format {found}, newer than {known}, the newest this release knows; use a newer release")]
    Newer {
        /// The object.
        object: String,
        /// Its format.
        found: u64,
        /// The newest one known.
        known: u32,
    },
    /// The log does not go on from the last backup in the vault.
    #[error(
        "this store does not continue the backups in {vault}: {why}. Back it up to a new place, and keep the old one until \
         nobody needs it"
    )]
    Foreign {
        /// The vault.
        vault: String,
        /// Why not.
        why: String,
    },
    /// There is no backup where one was looked for.
    #[error("there is no backup in {0}; `backroom backup --to` makes one")]
    Nothing(String),
    /// The moment asked for is not in the backup.
    #[error("{0}")]
    Moment(String),
    /// The target of a restore holds something.
    #[error("{dir} is not empty: it holds {found}. Restore to a new or an empty one")]
    NotEmpty {
        /// The folder.
        dir: String,
        /// What is in it.
        found: String,
    },
    /// Somebody else restores into the same folder at the moment.
    #[error("another restore into {0} is under way; wait for it, or restore to another folder")]
    UnderWay(String),
    /// The component of a release cannot be read or kept.
    #[error("the component of release {digest}: {what}")]
    Component {
        /// The release.
        digest: String,
        /// What is wrong.
        what: String,
    },
}

impl BackupError {
    /// For `map_err`: names what was being done when the place refused.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source: Arc::new(source) }
    }

    pub(super) fn damaged(object: impl Into<String>, what: impl std::fmt::Display) -> Self {
        Self::Damaged { object: object.into(), what: what.to_string() }
    }
}
