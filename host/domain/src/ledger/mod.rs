//! Accounts, journal entries, balances.

mod account;
pub mod budgets;
mod calendar;
pub mod periods;
mod posting;
pub mod rates;
mod totals;
mod types;

pub use account::{check_account, check_parent, same_account};
pub use budgets::{Budget, BudgetAction, BudgetLine, BudgetPeriod, NewBudget, Standing};
pub use calendar::{FiscalYear, Period};
pub use periods::{
    BookControl, ClosedYear, ExceptionUse, FutureLimit, Holder, Lock, LockChange, LockException, LockKind,
    NewException, Scope,
};
pub use posting::{
    Found, MAX_DIMENSIONS, MAX_LINES, Sums, Turnover, check_entry, debit_totals, post, same_entry, sums,
};
pub use rates::{FoundRate, NewRate, Rate};
pub use totals::{AccountDay, AccountTotal};
pub use types::{
    Account, AccountType, Balance, Dimension, Entry, Line, NewAccount, NewEntry, TrialBalance, TrialBalanceRow,
    TrialBalanceTotal,
};
