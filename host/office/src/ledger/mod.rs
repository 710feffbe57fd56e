//! The ledger: chart of accounts, journal, balances.

pub(crate) mod accounts;
pub(crate) mod balances;
mod batch;
mod books;
mod budgets;
mod export;
mod holds;
pub(crate) mod journal;
mod making;
mod periods;
mod rates;
pub mod reports;
mod reverse;

pub use accounts::{close_account, create_account, get_account, list_accounts, reopen_account, update_account};
pub use balances::{AsOf, MAX_ACCOUNTS, MAX_ROWS, balance, balance_at, balances_at, check_balance, trial_balance};
pub use batch::{Outcome, post_batch};
pub use books::{create_book, get_book, list_books};
pub use export::{ExportFailure, Exported, export};
pub use holds::{Placed, get_hold, hold, list_holds, release, settle};
pub use journal::{Posted, check_post, get_entry, list_entries, post};
pub use reverse::reverse;
