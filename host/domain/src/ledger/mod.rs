//! Accounts, journal entries, balances.

mod account;
mod allocate;
mod bases;
mod book;
mod details;
mod form;
mod hold;
pub mod journal;
mod limits;
mod posting;
pub mod reports;
mod rules;
pub mod text;
mod totals;
mod types;

pub use account::{changed_account, check_account, check_parent, same_account, sweep_entry};
pub use allocate::{Fraction, MAX_FRACTION, MAX_PORTIONS, Portion, allocate};
pub use bases::{Differences, base_difference, difference_line, fill_bases, rates_needed};
pub use book::{Book, MAIN_BOOK, NewBook, book_part, check_book, same_book};
pub use details::{EntryDetails, LineDetails, Made, Metadata};
pub use hold::{
    BatchItem, BatchMode, Hold, HoldRelease, HoldState, MAX_BATCH, MAX_HOLD_LINES, NewHold, Reversal, ReversalDate,
    Settlement, check_hold, check_open, kept_debits, same_hold, same_settlement, settle_parts, settling_entry,
};
pub use limits::{Before, Floor, check_limits, check_new_limits};
pub use posting::{
    Found, InBook, MAX_DIMENSIONS, MAX_LINES, Sums, Turnover, add_lines, check_accounts, check_balanced, check_entry,
    check_required, debit_totals, post, references, same_entry, sums,
};
pub use rules::{AccountRules, Amount, Comparison, Figure, Guard};
pub use totals::{AccountDay, AccountMonth, AccountTotal, Adding, PostingRules};
pub use types::{
    Account, AccountChange, AccountClosing, AccountType, Balance, BaseBalance, Closing, Dimension, Entry, Line,
    NewAccount, NewEntry, Sweep, TrialBalance, TrialBalanceRow, TrialBalanceTotal,
};
