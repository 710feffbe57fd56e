//! The books as text for other programs: hledger, ledger, beancount, and CSV.
//!
//! An export is [`head`] and then [`entry`] for every entry in the order of the journal, so that books of any size go out in pieces.
//! What stands in for a character that a format cannot have is said at each function of `names`.

mod beancount;
mod csv;
mod names;
mod notes;
mod plain;

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ledger::{Account, Entry};
use crate::{Currency, Error, Result};

pub use names::Chart;

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// hledger's journal (1.25 or newer).
    Hledger,
    /// ledger's journal (3.3 or newer).
    Ledger,
    /// beancount's syntax, version 2 or 3.
    Beancount,
    /// One row for each line of an entry: RFC 4180 with a header row, in UTF-8.
    Csv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hledger, Self::Ledger, Self::Beancount, Self::Csv];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hledger => "hledger",
            Self::Ledger => "ledger",
            Self::Beancount => "beancount",
            Self::Csv => "csv",
        }
    }

    /// The media type of such a text.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    /// The format of this name, or `format-unknown`.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message = format!("{shown:?} is no format: hledger, ledger, beancount and csv are known");
            Error::invalid("format-unknown", "format", message)
        })
    }
}

/// The beginning of the text: what the program must know before the first entry. Declares the currencies and the accounts of
/// `chart`.
pub fn head(format: Format, chart: &Chart) -> String {
    let mut out = String::new();
    match format {
        Format::Hledger => plain::head_of_hledger(&mut out, chart),
        Format::Ledger => plain::head_of_ledger(&mut out, chart),
        Format::Beancount => beancount::head(&mut out, chart),
        Format::Csv => csv::head(&mut out),
    }
    out
}

/// Appends an entry. A line on an account that is not in `chart` goes by its bare code below the assets, which no account of the
/// books does.
pub fn entry(format: Format, chart: &Chart, entry: &Entry, out: &mut String) {
    match format {
        Format::Hledger | Format::Ledger => plain::entry(out, chart, entry),
        Format::Beancount => beancount::entry(out, chart, entry),
        Format::Csv => csv::entry(out, chart, entry),
    }
}

/// What is posted to the base column alone goes to this account below the account itself.
const BASE: &str = "base";
/// The same for beancount.
const BASE_CAPITAL: &str = "Base";

/// The currencies of the accounts.
fn currencies<'a>(accounts: impl Iterator<Item = &'a Account>) -> BTreeSet<Currency> {
    accounts.map(|account| account.new.currency).collect()
}
