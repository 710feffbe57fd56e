//! What a storage engine must do, and the engines.
//!
//! The contract is small on purpose: turns, staging, typed records, hashing and verification are the same for all engines
//! and live above it.

pub mod embedded;
mod faulty;
mod memory;
pub mod postgres;

use std::fmt;
use std::ops::{Bound, ControlFlow, Deref};
use std::sync::Arc;

pub use embedded::Embedded;
pub use faulty::Faulty;
pub use memory::Memory;
pub use postgres::{Database, Postgres, PostgresOptions};

use backroom_domain::Instant;

pub use crate::entry::{Change, Sealed};
use crate::error::StoreError;
pub use crate::index::{Tip, head_key};
pub use crate::keyring::{KeyState, Keyring, MemoryKeyring};
use crate::leases::Leases;
pub use crate::ticket::Group;
use crate::ticket::Ticket;
use crate::types::{Head, Revision, TenantNo};

/// A storage engine. Every method may be called from any thread at any time.
pub trait Engine: Send + Sync {
    /// A view of the state that later commits do not change. [`At::Durable`] never shows what a power cut could take away;
    /// [`At::Sequenced`] shows every entry of a tenant that has its place, and is for who holds its turn. Cheap, and
    /// waits for nobody.
    ///
    /// # Errors
    /// What the engine itself reports; an embedded engine that has failed still gives durable snapshots.
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError>;

    /// The durable value of one full key by itself, where no other has to be of the same moment.
    ///
    /// # Errors
    /// As [`Engine::snapshot`] and [`Snapshot::get`].
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.snapshot(At::Durable)?.get(key)
    }

    /// What a writer begins with, once the tenant's turn has come: a sequenced snapshot, and the head that the commit must
    /// follow. None for the head if the engine makes sure by itself that all reads of the turn are of the state of the head
    /// that [`Engine::head`] gives at the end.
    ///
    /// # Errors
    /// As [`Engine::snapshot`] and [`Engine::head`].
    fn begin(&self, tenant: TenantNo) -> Result<(Box<dyn Snapshot>, Option<Head>), StoreError> {
        // The head first, so that what another host commits between the two makes a conflict instead of being read and
        // written over.
        let head = self.head(tenant)?;
        Ok((self.snapshot(At::Sequenced(tenant))?, Some(head)))
    }

    /// The end of the tenant's chain as sequenced, durable or not. The caller holds the tenant's turn.
    ///
    /// # Errors
    /// What reading the state reports.
    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError>;

    /// Gives the entry its place in the log and shows it to sequenced snapshots; does not wait for the disk. Waits a
    /// bounded time while queues are full. After an error nothing of the entry was kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if `sealed.follows` is not the tenant's head, [`StoreError::Busy`] if the queues stay full,
    /// [`StoreError::Unavailable`] once the engine has failed or was closed.
    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError>;

    /// How often entries of the tenant that had their place were lost here, or may have been; for [`Engine::sequenced`].
    fn losses(&self, _tenant: TenantNo) -> u64 {
        0
    }

    /// Tells when everything of the tenant that was seen since the losses were `losses` is durable, where that is more than
    /// waiting for a revision: where an entry that has its place can still end with [`StoreError::Conflict`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there were more losses meanwhile.
    fn sequenced(&self, _tenant: TenantNo, _losses: u64) -> Result<Option<Ticket>, StoreError> {
        Ok(None)
    }

    /// Shows the durable part of the log in order, beginning with revision `from`. Damage is shown as
    /// [`LogItem::Damage`] and reading goes on behind it.
    ///
    /// # Errors
    /// Only what prevents reading at all.
    fn read_log(&self, from: Revision, visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>)
    -> Result<(), StoreError>;

    /// The keys of persons, which stand beside log and state. When the engine is open, the key of every person whose erasure
    /// is on record is destroyed.
    fn keyring(&self) -> Arc<dyn Keyring>;

    /// Figures for health checks and operators. Cheap.
    fn status(&self) -> Status;

    /// Does what is done beside the service now, and waits for it. Engines without any have nothing to do.
    ///
    /// # Errors
    /// What prevents it. Nothing is lost by that.
    fn upkeep(&self, _what: Upkeep) -> Result<(), StoreError> {
        Ok(())
    }

    /// Where bytes that are no records are kept for all hosts; none where there is one host, which has a folder.
    fn blobs(&self) -> Option<&dyn Blobs> {
        None
    }

    /// Leases that all hosts see; none where there is one host, for which the store keeps them.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }

    /// Stops taking commits, waits until everything sequenced is durable and applied, and lets the files go as far as
    /// nobody else uses them. A second call does nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the engine had failed or could not bring everything to disk.
    fn close(&self) -> Result<(), StoreError>;
}

/// Bytes named by their digest, shared by all hosts: the components of releases.
pub trait Blobs: Send + Sync {
    /// Keeps the bytes; durable when it returns. What was kept under the same digest before is replaced.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Busy`]; nothing was kept then, or the same bytes.
    fn keep_bytes(&self, digest: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// The bytes as they were kept: whoever reads them checks them.
    ///
    /// # Errors
    /// As [`Blobs::keep_bytes`].
    fn read_bytes(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A view of the state at one revision. It holds resources: drop it when done.
pub trait Snapshot: Send + Sync {
    /// The revision that is seen.
    fn revision(&self) -> Revision;

    /// The value of a full key.
    ///
    /// # Errors
    /// Damage in the state, or [`StoreError::Expired`].
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError>;

    /// Tells when everything that can be seen here is durable, as [`Engine::sequenced`] does.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if some of it was lost already.
    fn sequenced(&self) -> Result<Option<Ticket>, StoreError> {
        Ok(None)
    }

    /// Whether each reading is a trip to another process, so that [`Snapshot::prefetch`] is worth its while.
    fn is_far(&self) -> bool {
        false
    }

    /// Reads these full keys of one tenant at once, so that [`Snapshot::get`] has them at hand. Changes nothing else.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    fn prefetch(&self, _keys: &[Vec<u8>]) -> Result<(), StoreError> {
        Ok(())
    }

    /// Keys and values of `range` in order, or in reverse order. The range lies within one tenant. Most likely no more than
    /// `wanted` of them will be taken: so many are worth reading at once. After an error the iterator ends.
    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_>;

    /// The first tenant from `from` on that has any record.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError>;
}

/// Which state a snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// What is on disk: for readers.
    Durable,
    /// Everything of this tenant that has its place in the log: for the holder of its turn.
    Sequenced(TenantNo),
}

/// What [`Engine::upkeep`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// Whatever is due.
    Due,
    /// A checkpoint of the state.
    Checkpoint,
    /// The state index written anew, so that it takes less room.
    Compact,
}

/// A range of full keys.
pub type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Ranges that hold nothing, which `BTreeMap::range` and sled do not take.
pub(crate) fn range_is_empty(range: &KeyRange) -> bool {
    match range {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

/// Keys and values in order.
pub type Pairs<'a> = Box<dyn Iterator<Item = Result<(Value, Value), StoreError>> + Send + 'a>;

/// The place that an entry got.
#[derive(Debug)]
pub struct Appended {
    /// Its revision.
    pub revision: Revision,
    /// Tells when it is durable.
    pub ticket: Ticket,
}

/// Where in the log something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The segment file, or the name of what stands for one.
    pub segment: String,
    /// The offset of the frame in it, in bytes.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log/{} at byte {}", self.segment, self.offset)
    }
}

/// One thing found while reading the log.
#[derive(Debug)]
pub enum LogItem<'a> {
    /// A frame whose checksum is right.
    Entry {
        /// Where.
        place: &'a Place,
        /// The revision in the frame.
        revision: Revision,
        /// The payload, not yet decoded.
        payload: &'a [u8],
    },
    /// Bytes that are not a frame where one should be.
    Damage {
        /// Where.
        place: &'a Place,
        /// What is wrong.
        what: String,
        /// Tenant and number, as far as the damaged bytes still say.
        whose: Option<(TenantNo, u64)>,
    },
}

/// Figures about a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The last revision that is on disk.
    pub durable: Revision,
    /// The last revision given out.
    pub sequenced: Revision,
    /// The last revision that the state index has; equal to `durable` where there is no separate index.
    pub applied: Revision,
    /// Why the store stopped taking commits, if it did. It must be opened again.
    pub failed: Option<String>,
    /// Why commits are refused for now: the log cannot be written. It is tried again until it can; reading goes on.
    pub held: Option<String>,
    /// Syncs of the log since it was opened.
    pub syncs: u64,
    /// Bytes of the overlay: changes that are not in the state index yet.
    pub overlay_bytes: usize,
    /// Bytes that wait for the log thread.
    pub pending_bytes: usize,
    /// Snapshots in use.
    pub snapshots: usize,
    /// Bytes of the log on the disk. This and the next two are taken from time to time.
    pub log_bytes: u64,
    /// Bytes of the state index on the disk.
    pub state_bytes: u64,
    /// Bytes of the checkpoints on the disk.
    pub checkpoint_bytes: u64,
    /// Bytes of all keys and values in the state index, about: what `state_bytes` is to be measured by.
    pub logical_bytes: u64,
    /// When the state index was written anew last; none if it never was.
    pub compacted_at: Option<Instant>,
    /// Bytes that the file system has left.
    pub free_bytes: u64,
    /// What operators should look at, in words: little room left, damage that upkeep met.
    pub warnings: Vec<String>,
}

/// Bytes of a key or a value, shared with the engine where it can.
#[derive(Clone)]
pub struct Value(Bytes);

#[derive(Clone)]
enum Bytes {
    Shared(Arc<[u8]>),
    Sled(sled::IVec),
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Shared(bytes) => bytes,
            Bytes::Sled(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<Arc<[u8]>> for Value {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Bytes::Shared(bytes))
    }
}

impl From<sled::IVec> for Value {
    fn from(bytes: sled::IVec) -> Self {
        Self(Bytes::Sled(bytes))
    }
}
