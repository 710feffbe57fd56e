//! What periods, rates and budgets ask of a book.

use backroom_domain::ledger::{Book, MAIN_BOOK};
use backroom_domain::{Class, Error, Id};

use super::books::book_of;
use crate::error::Result;
use crate::work::Work;

/// The record of a book; none of `main` before it is created.
///
/// # Errors
/// `book-not-found`.
pub(crate) fn known(work: &Work, book: &Id) -> Result<Option<Book>> {
    let found = work.tx().get::<Book>(book)?;
    if found.is_some() || book.as_str() == MAIN_BOOK {
        return Ok(found);
    }
    let message = format!("there is no book {book}");
    Err(Error::at(Class::NotFound, "book-not-found", "book", message).into())
}

/// The month in which the fiscal year of a book begins.
///
/// # Errors
/// `book-not-found`.
pub(crate) fn fiscal_month(work: &Work, book: &Id) -> Result<u8> {
    Ok(known(work, book)?.map_or(1, |book| book.new.year_start))
}

/// Is an account of this code in a book?
pub(crate) fn in_book(work: &Work, account: &Id, book: &Id) -> Result<bool> {
    let (of, _) = book_of(work, account)?;
    Ok(of.as_ref().map_or(MAIN_BOOK, Id::as_str) == book.as_str())
}
