//! Accounts, journal entries, balances.

mod account;
mod allocate;
pub mod journal;
mod posting;
pub mod reports;
pub mod text;
mod totals;
mod types;

pub use account::{check_account, check_parent, same_account};
pub use allocate::{Fraction, MAX_FRACTION, MAX_PORTIONS, Portion, allocate};
pub use posting::{
    Found, MAX_DIMENSIONS, MAX_LINES, Sums, Turnover, check_entry, debit_totals, post, same_entry, sums,
};
pub use totals::{AccountDay, AccountTotal};
pub use types::{
    Account, AccountType, Balance, Dimension, Entry, Line, NewAccount, NewEntry, TrialBalance, TrialBalanceRow,
    TrialBalanceTotal,
};
