//! Reading journals of hledger: the subset that has a meaning in these books.
//!
//! [`read`] gives the transactions and the accounts of a text, each amount as it stands there; [`plan`] makes the chart of accounts
//! and the entries out of them. Neither stops at the first fault: all that is wrong comes back at once, with line, column and
//! reason, and nothing with a fault may be imported.
//!
//! Understood: transactions (date, status, code, description, comments, tags), postings (amounts with a commodity on either side, one
//! amount left out, costs `@` and `@@`, balance assertions `=`), the directives `account`, `commodity`, `decimal-mark`, `D`, `P`,
//! `Y`, `year`, `payee`, `tag`, comment lines, `comment` blocks. Refused: everything else.

mod amount;
mod chart;
mod directives;
mod entries;
mod lines;
mod scan;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::BusinessDate;
use crate::ledger::AccountType;

pub use amount::Exact;
pub use chart::{Options, Plan, Planned, plan};
pub use lines::read;

/// The most faults that are reported one by one.
pub const MAX_FAULTS: usize = 10_000;

/// Something that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
    /// A stable word in kebab-case.
    pub code: String,
    /// For people: what is wrong and what would be right.
    pub message: String,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
}

impl At {
    fn fault(self, code: &str, message: impl Into<String>) -> Fault {
        Fault { line: self.line, column: self.column, code: code.to_owned(), message: message.into() }
    }
}

/// An amount as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Where it begins.
    pub at: At,
    /// The number with its sign.
    pub quantity: Exact,
    /// The symbol of the commodity; empty if there is none, not even a default.
    pub commodity: String,
    /// A lone mark with three digits behind it, which some read as groups of thousands and some as decimals.
    pub doubt: Option<char>,
}

/// What an amount cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// `@@`: of the whole; `@`: of each unit.
    pub total: bool,
    /// Never below nothing.
    pub amount: Amount,
}

/// A line of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where its account begins.
    pub at: At,
    /// The full name of the account.
    pub account: String,
    /// None if it is left out.
    pub amount: Option<Amount>,
    /// What the amount cost, if that is said.
    pub cost: Option<Cost>,
    /// The balance of the account that must be there behind this posting.
    pub assertion: Option<Amount>,
    /// Comments behind and below it.
    pub comment: String,
    /// Tags in the comments.
    pub tags: Vec<(String, String)>,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Where it begins.
    pub at: At,
    /// Its day.
    pub date: BusinessDate,
    /// What stands in parentheses in front of the description.
    pub code: String,
    /// The description.
    pub description: String,
    /// Tags in its comments.
    pub tags: Vec<(String, String)>,
    /// Its postings in their order.
    pub postings: Vec<Posting>,
}

/// What an `account` directive says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// Where it stands.
    pub at: At,
    /// The tag `type`.
    pub kind: Option<AccountType>,
    /// The tag `code`.
    pub code: Option<String>,
    /// The tag `name`.
    pub name: Option<String>,
    /// The tag `currency`.
    pub currency: Option<String>,
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// In the order of the text.
    pub transactions: Vec<Transaction>,
    /// By full name.
    pub accounts: BTreeMap<String, Declared>,
    /// Market prices, which are left out.
    pub prices: u64,
    /// What is wrong with the text.
    pub faults: Vec<Fault>,
}

impl Journal {
    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }
}
