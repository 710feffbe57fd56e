//! The ledger: chart of accounts, journal, balances.

pub(crate) mod accounts;
pub(crate) mod balances;
mod bank;
mod batch;
mod books;
mod budgets;
mod export;
mod gaps;
mod holds;
mod items;
pub(crate) mod journal;
pub(crate) mod kept;
mod making;
mod periods;
mod rates;
pub mod reports;
mod revalue;
mod reverse;
mod scan;
mod verify;
mod year;

pub use accounts::{
    check_update, close_account, create_account, get_account, list_accounts, reopen_account, update_account,
};
pub use balances::{AsOf, MAX_ACCOUNTS, MAX_ROWS, balance, balance_at, balances_at, check_balance, trial_balance};
pub use bank::{
    Confirmed, Imported, MAX_SUGGESTED, SuggestedLine, check_bank_right, confirm_line, import_statement,
    list_bank_lines, suggest_matches, undo_confirmation,
};
pub use batch::{Outcome, post_batch};
pub use books::{check_chart, create_book, get_book, list_books};
pub use budgets::{BudgetRow, BudgetStatus, budget_status, list_budgets, set_budget};
pub use export::{ExportFailure, Exported, export};
pub use holds::{Placed, get_hold, hold, list_holds, release, settle};
pub use items::{ItemFilter, ItemRow, MAX_AGED, MatchDone, ageing, list_open_items, match_items, unmatch};
pub use journal::{Posted, check_post, get_entry, get_entry_as, list_entries, post, post_as};
pub use periods::{
    Changed, PeriodRow, PeriodState, Periods, ScopeState, grant_exception, limit_future, list_exception_uses,
    list_exceptions, list_periods, lock_period, reopen_period, revoke_exception,
};
pub use rates::{CLOSING, RatesSet, SPOT, get_rate, list_rates, set_rates};
pub use revalue::revalue;
pub use reverse::reverse;
pub use verify::{BadEntry, Verified, verify};
pub use year::{close_year, list_openings};
