//! Units of work over a hash-chained commit log, with sled as the index of the state.
//!
//! ```text
//! Store::write(tenant) -> Tx: get, put, scan ... -> commit(meta) -> Committed { ticket } -> ticket.wait()
//! ```
//!
//! * [`Store`] hands out units of work ([`Tx`]); writers of one tenant take turns, readers never wait for them.
//! * [`Tx::commit`] puts the entry in its place in the log and lets the next writer start. It does not wait for the
//!   disk: [`Ticket::wait`] does, and a reply may only be given after it.
//! * [`Engine`] is what a storage engine must do; [`engine`] has the embedded one (commit log and sled), one over
//!   PostgreSQL that several hosts share, an in-memory twin for tests, and a wrapper that fails on purpose.
//!
//! * Personal data are sealed with a key per person ([`Seals`], [`Keyring`]) before they are staged. The keys stand beside log
//!   and state; destroying one erases what was sealed with it from both and from every copy of them.
//! * [`backup`] makes backups of the log and restores them, and takes one tenant from store to store in a file.
//!
//! The log is the truth. What sled holds can be thrown away at any time and is rebuilt from the log.
//!
//! Outside of [`records`] this crate knows nothing about ledgers, people or stock: records are typed by [`Record`] and
//! effects are opaque.

pub mod backup;
mod cache;
mod conflict;
pub mod engine;
mod entry;
mod error;
mod history;
mod index;
mod key;
mod keyring;
mod leases;
mod merge;
mod record;
pub mod records;
pub mod sched;
mod seal;
mod store;
mod ticket;
mod turns;
mod tx;
mod types;
mod verify;

pub use cache::Cache;
pub use conflict::{MAX_CONFLICTS, conflict_pauses};
pub use engine::{Blobs, Database, Engine, PostgresOptions, Status};
pub use entry::{Entry, MAX_CHANGES, MAX_PAYLOAD, Meta};
pub use error::{CodecError, StoreError};
pub use key::{MAX_KEY, RecordKey, split_key};
pub use keyring::{KeyState, Keyring};
pub use leases::{Held, Lease, Leases};
pub use record::{MAX_VALUE, Record};
pub use seal::{MasterKey, PersonKey, Seals};
pub use store::{Options, Store};
pub use ticket::{Committed, Ticket};
pub use tx::{Page, Tx, Wanted};
pub use types::{Hash, Head, Revision, TenantNo};
pub use verify::{Problem, Stage, VerifyProgress, VerifyReport};
