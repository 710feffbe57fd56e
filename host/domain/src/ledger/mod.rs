//! Accounts, journal entries, balances.

mod types;

pub use types::{
    Account, AccountType, Balance, Dimension, Entry, Line, NewAccount, NewEntry, TrialBalance, TrialBalanceRow,
    TrialBalanceTotal,
};
