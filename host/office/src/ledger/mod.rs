//! The ledger: chart of accounts, journal, balances.

mod accounts;
mod balances;
mod journal;

pub use accounts::{create_account, get_account, list_accounts};
pub use balances::{MAX_ROWS, balance, trial_balance};
pub use journal::{Posted, get_entry, list_entries, post};
