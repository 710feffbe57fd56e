//! The ledger: chart of accounts, journal, balances.

pub(crate) mod accounts;
mod balances;
mod book;
mod budgets;
mod journal;
mod periods;
mod rates;
mod scan;

pub use accounts::{create_account, get_account, list_accounts};
pub use balances::{MAX_ROWS, balance, check_balance, trial_balance};
pub use budgets::{BudgetRow, BudgetStatus, budget_status, list_budgets, set_budget};
pub use journal::{Posted, check_post, get_entry, list_entries, post};
pub use periods::{
    Changed, PeriodRow, PeriodState, Periods, ScopeState, grant_exception, limit_future, list_exception_uses,
    list_exceptions, list_periods, lock_period, reopen_period, revoke_exception,
};
pub use rates::{CLOSING, RatesSet, SPOT, get_rate, list_rates, set_rates};
