//! Use cases: one function each, the same one for HTTP and for plugins.
//!
//! Every function takes a [`Work`]: the unit of work with its caller, rights and time. It checks the right, loads the facts, lets the
//! domain decide, and stages the changes. It never commits (the caller of the use cases does, once) and never asks for the time.
#![forbid(unsafe_code)]

pub mod calls;
mod control;
pub mod effects;
mod error;
pub mod files;
pub mod hr;
pub mod imports;
pub mod inventory;
mod keys;
pub mod ledger;
pub mod limits;
mod listing;
mod page;
pub mod queue;
pub mod runs;
pub mod secrets;
pub mod state;
mod transfer;
mod used;
mod work;

pub use control::{MAX_LIMITS, NewInstallation, Office, Written, observes};
pub use error::{Failure, Result};
pub use keys::KeyRow;
pub use page::{Page, PageRequest};
pub use transfer::{Arrived, TransferFailure};
pub use work::{Caller, Sealed, Work};
