//! Reads of the ledger.

use backroom_office::ledger;

use crate::auth::Reads;
use crate::extract::{AsOf, Asked, Paging, PathId};
use crate::session::Answer;

pub(crate) async fn accounts(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| ledger::list_accounts(work, &paging.page())).await
}

pub(crate) async fn account(Reads(books): Reads, PathId(code): PathId) -> Answer {
    books.read(move |work| ledger::get_account(work, &code)).await
}

pub(crate) async fn balance(Reads(books): Reads, PathId(code): PathId, Asked(asked): Asked<AsOf>) -> Answer {
    books.read(move |work| ledger::balance(work, &code, asked.as_of)).await
}

pub(crate) async fn entries(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| ledger::list_entries(work, &paging.page())).await
}

pub(crate) async fn entry(Reads(books): Reads, PathId(id): PathId) -> Answer {
    books.read(move |work| ledger::get_entry(work, &id)).await
}

pub(crate) async fn trial_balance(Reads(books): Reads, Asked(asked): Asked<AsOf>) -> Answer {
    books.read(move |work| ledger::trial_balance(work, asked.as_of)).await
}
