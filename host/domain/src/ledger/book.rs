//! Books: what the accounts of one legal entity have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::Problems;
use crate::{Currency, Error, Id, Instant, Result};

/// The book that always is there. Until it is created it has no base currency, and its year begins in January.
pub const MAIN_BOOK: &str = "main";

/// A book as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewBook {
    /// Its id: the accounts of a book other than `main` have codes that begin with it and a slash.
    #[n(0)]
    pub id: Id,
    /// For people; 1 to 200 characters.
    #[n(1)]
    pub name: String,
    /// The currency in which every entry of the book balances over all its lines.
    #[n(2)]
    pub base: Currency,
    /// The month, 1 to 12, on whose first day its fiscal year begins.
    #[n(3)]
    #[serde(default = "january")]
    pub year_start: u8,
    /// Takes the result of a year that is closed.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_earnings: Option<Id>,
    /// Takes gains from exchange differences.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_gain: Option<Id>,
    /// Takes losses from exchange differences.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_loss: Option<Id>,
}

fn january() -> u8 {
    1
}

/// A book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Book {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewBook,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
}

/// The book that an account of this code is in, if there is a book of that id: what stands before the first slash.
pub fn book_part(code: &Id) -> Option<Id> {
    let (book, rest) = code.as_str().split_once('/')?;
    (!rest.is_empty() && book != MAIN_BOOK).then(|| Id::parse(book, "book").ok())?
}

/// The form of the request, all problems together: `id-invalid` (a slash in it), `text-invalid`, `month-invalid`.
pub fn check_book(new: &NewBook) -> Result<()> {
    let mut problems = Problems::default();
    if new.id.as_str().contains('/') {
        let message = || "the id of a book has no slash, as one ends it in the codes of its accounts".to_owned();
        problems.add("id-invalid", || "id".to_owned(), message);
    }
    problems.text(|| "name".to_owned(), &new.name, 1, 200);
    if !(1..=12).contains(&new.year_start) {
        problems.add("month-invalid", || "year-start".to_owned(), || "a month is 1 to 12".to_owned());
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_book(existing: &Book, new: &NewBook) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.name != new.name => "name",
        () if old.base != new.base => "base",
        () if old.year_start != new.year_start => "year-start",
        () if old.retained_earnings != new.retained_earnings => "retained-earnings",
        () if old.exchange_gain != new.exchange_gain => "exchange-gain",
        () if old.exchange_loss != new.exchange_loss => "exchange-loss",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("book", &new.id, field))
}
