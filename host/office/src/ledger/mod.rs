//! The ledger: chart of accounts, journal, balances.

pub(crate) mod accounts;
pub(crate) mod balances;
mod export;
pub(crate) mod journal;
pub mod reports;

pub use accounts::{create_account, get_account, list_accounts};
pub use balances::{MAX_ROWS, balance, check_balance, trial_balance};
pub use export::{ExportFailure, Exported, export};
pub use journal::{Posted, check_post, get_entry, list_entries, post};
