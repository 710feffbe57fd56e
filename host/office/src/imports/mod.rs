//! Import of the files that a client sends: chart of accounts, opening balances, people, stock.
//!
//! [`read`] turns bytes into rows and finds what is wrong with the files by themselves. [`apply`] stages the rows with the use cases that
//! everybody else uses, and finds what is wrong with them in view of the tenant's records. Whatever is found in both is
//! reported at once, with file, line and column, and nothing at all is imported unless everything is right.
//! What is already there with the same content is left as it is, so importing the same files again changes nothing.
//!
//! # Files
//!
//! CSV as in RFC 4180: comma, double quotes, CRLF or LF; UTF-8, with or without a byte order mark; a header row with the columns
//! below in any order. An empty cell means "none"; empty lines are skipped. Dates are `YYYY-MM-DD`, amounts and quantities
//! plain decimals (`1234.50`), yes and no the words `yes` and `no`. Columns marked `?` may have empty cells.
//!
//! | file | columns |
//! | --- | --- |
//! | `accounts.csv` | `code`, `name`, `type` (asset, liability, equity, income, expense), `parent`?, `currency`, `posting`, `stock-control` |
//! | `opening-balances.csv` | `account`, `date` (the same in every row), `debit`?, `credit`? (one of the two), `currency` |
//! | `workers.csv` | `id`, `name`, `email`?, `bank-account`? |
//! | `employments.csv` | `worker`, `first-day`, `last-day`?, `position`, `place` (office, remote, hybrid), `cost-center`, `salary`? (gross a month), `currency`? (with a salary) |
//! | `items.csv` | `id`, `name`, `unit`, `decimals` (0 to 6), `tracking` (none, lot, serial), `stock-account` |
//! | `locations.csv` | `id`, `name`, `usage` (internal, transit, supplier, customer, consumption, adjustment) |
//! | `lots.csv` | `id`, `item`, `expiry`? |
//! | `stock.csv` | `item`, `location`, `lot`?, `quantity`, `value` (of the whole quantity), `currency`, `source` (the adjustment location that opening stock comes from) |
//!
//! `books.journal` is a journal of hledger; [`backroom_domain::ledger::journal`] says what is understood of it. Where a problem is in it
//! says a column of the line.
//!
//! The opening balances become one journal entry `opening:<date>`; row *n* of the stock becomes the move `opening-stock:<n>`
//! of that date, which names the entry. The stock under a stock control account must be worth its opening balance.

mod apply;
mod cells;
mod csv;
mod files;
mod journal;
mod opening;
mod problems;
mod read;
mod stage;

pub use apply::{FileSummary, ImportFailure, ImportSummary, apply};
pub use files::File;
pub use problems::{MAX_PROBLEMS, RowProblem};
pub use read::{ImportSet, MAX_FILE, MAX_ROWS, parse, read};
