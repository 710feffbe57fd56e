//! `backroom:ledger/books`: books.

use backroom_domain::{Id, ledger as domain};
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::books::{Book, BookPage, Host};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, id: String) -> Result<Book, HostError> {
        let _host = self.guest.enter(id.len())?;
        let book = ledger::get_book(&self.work, &Id::parse(&id, "id")?)?;
        self.guest.leave(FIXED + book.new.name.len())?;
        Ok(given(book))
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<BookPage, HostError> {
        let _host = self.guest.enter(0)?;
        let page = ledger::list_books(&self.work, &convert::page_request(cursor, limit))?;
        self.guest.leave(page.items.iter().map(|book| FIXED + book.new.name.len()).sum())?;
        let (items, next) = convert::page(page, given);
        Ok(BookPage { items, next })
    }
}

fn given(book: domain::Book) -> Book {
    let domain::NewBook { id, name, base, year_start, .. } = book.new;
    Book { id: id.into(), name, base: base.into(), year_start }
}
