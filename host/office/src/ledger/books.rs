//! Books: setting them up, and what the rest of the ledger asks of them.

use std::ops::Bound;

use backroom_domain::ledger::{self, Account, AccountTotal, AccountType, Book, MAIN_BOOK, NewBook, PostingRules};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Currency, Effect, Error, Id};
use backroom_store::StoreError;

use crate::error::Result;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Accounts read at once.
const CHUNK: usize = 500;

/// Creates a book; needs the right to set it up. A repeat with the same content gives the book on record.
///
/// The book `main` is there before it is created, and may have entries: with them it gets a base currency only if all of them are in
/// that currency.
///
/// # Errors
/// In order: `chart-denied`; `id-invalid`, `text-invalid`, `month-invalid` together; `exists-with-different`; `book-mismatch` (an
/// account of another book); `book-has-accounts` (codes that begin so); `book-has-foreign-entries`.
pub fn create_book(work: &mut Work, new: NewBook) -> Result<Book> {
    work.rights().check_chart(Operation::CreateBook, Some(&new.id))?;
    ledger::check_book(&new)?;
    if let Some(existing) = work.tx().get::<Book>(&new.id)? {
        ledger::same_book(&existing, &new)?;
        return Ok(existing);
    }
    let own = |account: &Id| match new.id.as_str() {
        MAIN_BOOK => true,
        book => ledger::book_part(account).is_some_and(|of| of.as_str() == book),
    };
    let accounts = [
        ("retained-earnings", &new.retained_earnings),
        ("exchange-gain", &new.exchange_gain),
        ("exchange-loss", &new.exchange_loss),
    ];
    for (field, account) in accounts {
        if let Some(account) = account.as_ref().filter(|account| !own(account)) {
            let message = format!("account {account} is not of the book {}", new.id);
            return Err(Error::at(Class::Refused, "book-mismatch", field, message).into());
        }
    }
    match new.id.as_str() {
        MAIN_BOOK => take_accounts_over(work, new.base)?,
        book => check_no_accounts(work, book)?,
    }
    let book = Book { new, recorded_at: work.now };
    work.put(&book)?;
    work.effect(Effect::BookCreated(book.clone()));
    Ok(book)
}

/// The book with this id; needs the right to read some account.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`.
pub fn get_book(work: &Work, id: &Id) -> Result<Book> {
    work.rights().check_read_ledger(Operation::BooksGet)?;
    Ok(work.tx().get::<Book>(id)?.ok_or_else(|| Error::not_found("book", id))?)
}

/// Books in order of their ids; needs the right to read some account.
///
/// # Errors
/// In order: `ledger-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_books(work: &Work, request: &PageRequest) -> Result<Page<Book>> {
    work.rights().check_read_ledger(Operation::BooksList)?;
    list::<Book, _>(work, &(), None, request, |book| Ok(Step::Take(book)))
}

/// The book of an account of this code, and the base currency of it; none: `main`.
pub(crate) fn book_of(work: &Work, code: &Id) -> Result<(Option<Id>, Option<Currency>)> {
    if let Some(id) = ledger::book_part(code)
        && let Some(book) = work.tx().get::<Book>(&id)?
    {
        return Ok((Some(id), Some(book.new.base)));
    }
    let main = work.tx().get::<Book>(&Id::parse(MAIN_BOOK, "book")?)?;
    Ok((None, main.map(|book| book.new.base)))
}

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

/// `chart-denied` unless accounts of the book that the code is in may be set up.
///
/// # Errors
/// `chart-denied`.
pub fn check_chart(work: &Work, operation: Operation, code: &Id) -> Result<()> {
    let book = book_of(work, code)?.0.map_or_else(|| Id::parse(MAIN_BOOK, "book"), Ok)?;
    Ok(work.rights().check_chart(operation, Some(&book))?)
}

/// What posting has to know of an account, beside what is in its total.
pub(crate) fn posting_rules(work: &Work, account: &Account) -> Result<PostingRules> {
    let (book, base) = book_of(work, &account.new.code)?;
    let (kind, rules) = (account.new.kind, account.new.rules.clone());
    Ok(PostingRules { kind, book, base, closed: account.closed.is_some(), rules })
}

/// No account has a code that would be of the book.
fn check_no_accounts(work: &Work, book: &str) -> Result<()> {
    let from = Id::parse(&format!("{book}/"), "id")?;
    let first = work.tx().scan_range::<Account>(Bound::Included(from.clone()), Bound::Unbounded, 1)?.pop();
    match first.filter(|(_, account)| account.new.code.as_str().starts_with(from.as_str())) {
        None => Ok(()),
        Some((_, account)) => {
            let message = format!("the account {} was there before the book and is of `main`", account.new.code);
            Err(Error::at(Class::Refused, "book-has-accounts", "id", message).into())
        }
    }
}

/// Gives the accounts of `main` its base currency.
fn take_accounts_over(work: &mut Work, base: Currency) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let accounts = work.tx().scan::<Account>(&(), after.as_deref(), CHUNK)?;
        let last = accounts.len() < CHUNK;
        for (key, account) in accounts {
            after = Some(key);
            if account.new.posting {
                take_over(work, &account, base)?;
            }
        }
        if last {
            return Ok(());
        }
    }
}

fn take_over(work: &mut Work, account: &Account, base: Currency) -> Result<()> {
    let rules = posting_rules(work, account)?;
    if rules.book.is_some() {
        return Ok(());
    }
    let code = &account.new.code;
    let mut total = total_of(work, code)?;
    let used = total.balance.debits > 0 || total.balance.credits > 0;
    if used && total.balance.currency != base {
        let message =
            format!("account {code} has entries in {}, whose base amounts nobody knows", total.balance.currency);
        return Err(Error::at(Class::Refused, "book-has-foreign-entries", "base", message).into());
    }
    total.rules = Some(Box::new(PostingRules { base: Some(base), ..rules }));
    work.put(&total)
}

/// The total of a posting account.
pub(crate) fn total_of(work: &Work, code: &Id) -> Result<AccountTotal> {
    Ok(work.tx().get::<AccountTotal>(code)?.ok_or_else(|| StoreError::Corrupt {
        place: format!("the totals of account {code}"),
        what: "a posting account without totals".to_owned(),
    })?)
}

/// The type of an account with this total, from before it was kept there.
pub(crate) fn kind_of_total(work: &Work, total: &AccountTotal) -> Result<AccountType> {
    match total.kind() {
        Some(kind) => Ok(kind),
        None => Ok(work.tx().get::<Account>(&total.balance.account)?.map_or(AccountType::Asset, |a| a.new.kind)),
    }
}
