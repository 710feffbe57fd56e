//! What periods, rates and budgets ask of a book.

use backroom_domain::{Class, Error, Id};

use crate::error::Result;
use crate::work::Work;

/// The month in which the fiscal year of a book begins.
///
/// # Errors
/// `book-not-found`.
pub(crate) fn fiscal_month(_work: &Work, book: &Id) -> Result<u8> {
    if book.as_str() == "main" {
        return Ok(1);
    }
    let message = format!("there is no book {book}");
    Err(Error::at(Class::NotFound, "book-not-found", "book", message).into())
}

/// Is an account in a book?
pub(crate) fn in_book(_work: &Work, _account: &Id, book: &Id) -> Result<bool> {
    Ok(book.as_str() == "main")
}
