//! Accounts, journal entries, balances.

mod account;
mod allocate;
mod bank;
mod bases;
mod book;
pub mod budgets;
mod calendar;
mod details;
mod form;
mod hold;
mod items;
pub mod journal;
mod limits;
pub mod periods;
mod posting;
mod proof;
pub mod rates;
pub mod reports;
pub mod revaluation;
mod rules;
pub mod text;
mod totals;
mod types;
pub mod year;

pub use account::{changed_account, check_account, check_parent, same_account, sweep_entry};
pub use allocate::{Fraction, MAX_FRACTION, MAX_PORTIONS, Portion, allocate};
pub use bank::{
    BankLine, BankState, BankStatement, Judged, MAX_STATEMENT_LINES, NewBankLine, NewStatement, Suggestion,
    check_chain, check_statement, same_bank_line, same_statement, score,
};
pub use bases::{Differences, base_difference, difference_line, fill_bases, rates_needed};
pub use book::{Book, MAIN_BOOK, NewBook, book_part, check_book, same_book};
pub use budgets::{Budget, BudgetAction, BudgetLine, BudgetPeriod, NewBudget, Standing};
pub use calendar::{FiscalYear, Period};
pub use details::{EntryDetails, LineDetails, Made, Metadata};
pub use hold::{
    BatchItem, BatchMode, Hold, HoldRelease, HoldState, MAX_BATCH, MAX_HOLD_LINES, NewHold, Reversal, ReversalDate,
    Settlement, check_hold, check_open, kept_debits, same_hold, same_settlement, settle_parts, settling_entry,
};
pub use items::{
    Ageing, AgeingRow, BaseShares, Exchange, ItemRef, MAX_BUCKETS, MAX_MATCHES, MAX_PAIRS, Match, Matched, NewMatch,
    OpenItem, Pair, Undone, WriteOff, check_match, match_entry, match_pairs, same_match,
};
pub use limits::{Before, Floor, check_limits, check_new_limits};
pub use periods::{
    BookControl, ClosedYear, ExceptionUse, FutureLimit, Holder, Lock, LockChange, LockException, LockKind,
    NewException, Scope,
};
pub use posting::{
    Found, InBook, MAX_DIMENSIONS, MAX_LINES, Sums, Turnover, add_lines, check_accounts, check_balanced, check_entry,
    check_required, debit_totals, post, references, same_entry, sums,
};
pub use proof::why_unbalanced;
pub use rates::{FoundRate, NewRate, Rate};
pub use revaluation::{NewRevaluation, Revaluation, Revalued};
pub use rules::{AccountRules, Amount, Comparison, Figure, Guard};
pub use totals::{AccountDay, AccountMonth, AccountTotal, Adding, Gap, PostingRules};
pub use types::{
    Account, AccountChange, AccountClosing, AccountType, Balance, BaseBalance, Closing, Dimension, Entry, Line,
    NewAccount, NewEntry, Sweep, TrialBalance, TrialBalanceRow, TrialBalanceTotal,
};
pub use year::{NewClosing, Opening, YearClosing};
