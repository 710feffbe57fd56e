//! Accounts, journal entries, balances.

mod account;
mod posting;
mod totals;
mod types;

pub use account::{check_account, check_parent, same_account};
pub use posting::{
    Found, MAX_DIMENSIONS, MAX_LINES, Sums, Turnover, check_entry, debit_totals, post, same_entry, sums,
};
pub use totals::{AccountDay, AccountTotal};
pub use types::{
    Account, AccountType, Balance, Dimension, Entry, Line, NewAccount, NewEntry, TrialBalance, TrialBalanceRow,
    TrialBalanceTotal,
};
