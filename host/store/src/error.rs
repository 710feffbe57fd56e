//! What can go wrong, and what to do about it.

use std::io;
use std::sync::Arc;

use backroom_domain::Id;

use crate::types::TenantNo;

/// Why a record or an entry could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The value has no bytes, not even the one that says its version.
    #[error("the value is empty; every value begins with a version byte")]
    Empty,
    /// The value was written by a newer release than this one.
    #[error("version {found} is newer than {known}, the newest this release knows; start a newer release")]
    Version {
        /// The version the value says it has.
        found: u8,
        /// The newest version this release can read.
        known: u8,
    },
    /// The bytes are not what the version says they are.
    #[error("not a valid value: {0}")]
    Malformed(String),
}

impl CodecError {
    pub(crate) fn malformed(why: impl std::fmt::Display) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// Every failure of this crate. [`StoreError::retriable`] says whether the same call may succeed later.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store takes no commits: for now, because the log cannot be written (a full disk) or the database cannot be
    /// reached, or for good, because a sync failed or it was closed; the text says which, and what to do. Nothing that was
    /// acknowledged is lost; a commit whose ticket answers this may or may not be there afterwards. Durable state can still
    /// be read.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The tenant's turn, or room in a bounded queue, did not become free in time. Nothing was kept; try again.
    #[error("the store is busy: {0}. Nothing was kept; try again")]
    Busy(String),
    /// A key, value or entry is over its limit. Nothing was staged.
    #[error("{what} has {size}, the limit is {limit}. Split it up, or keep large content in files")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size: bytes, or pieces where `what` counts pieces.
        size: usize,
        /// The largest size allowed.
        limit: usize,
    },
    /// Commit of a unit of work that was opened by [`Store::read`](crate::Store::read).
    #[error("this unit of work was opened for reading and cannot be committed")]
    ReadOnly,
    /// Stored bytes are not what was written. Never repaired silently.
    #[error("damaged data in {place}: {what}. Run `backroom log verify`, then restore that file from a backup")]
    Corrupt {
        /// File and offset, or tenant and record space.
        place: String,
        /// What was found there.
        what: String,
    },
    /// Personal data of somebody are sealed, and the key for it is nowhere: as after a restore without the keys.
    #[error(
        "the key of person {person} of tenant {tenant} is missing, so their personal data cannot be read. No backup of the log \
         holds the keys: stop the service, put the copy of the folder `keys` back into the data directory (with PostgreSQL: the \
         rows of the table `backroom.person_key`), and start it again"
    )]
    KeysMissing {
        /// Whose worker.
        tenant: TenantNo,
        /// The worker's number.
        person: Id,
    },
    /// Another process has the data directory open.
    #[error("the data directory is in use by {holder}. Stop that process first")]
    Locked {
        /// Process id and version as the holder wrote them down.
        holder: String,
    },
    /// Another writer committed first (another host, or a plan gone stale). Nothing was kept; run it again.
    #[error("another writer of the tenant committed first. Nothing was kept; run it again")]
    Conflict,
    /// The snapshot was held so long that it stood in the way of writers, and was taken away. Begin a new one.
    #[error("the snapshot was held for too long. Begin a new unit of work")]
    Expired,
    /// A record of the store cannot be decoded.
    #[error("tenant {tenant}, record space {space}: {source}")]
    Codec {
        /// Whose record.
        tenant: TenantNo,
        /// The record space.
        space: u8,
        /// What is wrong with it.
        source: CodecError,
    },
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, and with which file.
        what: String,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
}

impl StoreError {
    /// Whether the same call, or the same unit of work run again, may succeed without anybody doing anything.
    #[must_use]
    pub fn retriable(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Conflict | Self::Expired => true,
            Self::Unavailable(_)
            | Self::TooLarge { .. }
            | Self::ReadOnly
            | Self::Corrupt { .. }
            | Self::KeysMissing { .. }
            | Self::Locked { .. }
            | Self::Codec { .. }
            | Self::Io { .. } => false,
        }
    }

    /// For `map_err`: names what was being done when the operating system refused.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source: Arc::new(source) }
    }

    pub(crate) fn corrupt(place: impl Into<String>, what: impl std::fmt::Display) -> Self {
        Self::Corrupt { place: place.into(), what: what.to_string() }
    }
}
