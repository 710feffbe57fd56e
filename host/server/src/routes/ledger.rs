//! Reads of the ledger.

use backroom_domain::{BusinessDate, Error, Id, Instant};
use backroom_office::ledger;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::Reads;
use crate::extract::{AsOf, Asked, Paging, PathId};
use crate::session::Answer;

pub(crate) async fn accounts(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| ledger::list_accounts(work, &paging.page())).await
}

pub(crate) async fn account(Reads(books): Reads, PathId(code): PathId) -> Answer {
    books.read(move |work| ledger::get_account(work, &code)).await
}

/// The query of balances.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Balances {
    /// Account codes with commas between them; not for one account.
    accounts: Option<String>,
    as_of: Option<BusinessDate>,
    recorded_at: Option<Instant>,
}

impl Balances {
    fn as_of(&self) -> ledger::AsOf {
        ledger::AsOf { date: self.as_of, recorded_at: self.recorded_at }
    }
}

pub(crate) async fn balance(Reads(books): Reads, PathId(code): PathId, Asked(asked): Asked<Balances>) -> Answer {
    books.read(move |work| ledger::balance_at(work, &code, asked.as_of())).await
}

pub(crate) async fn balances(Reads(books): Reads, Asked(asked): Asked<Balances>) -> Answer {
    let read = move |work: &backroom_office::Work| {
        let codes = asked.accounts.as_deref().unwrap_or_default().split(',').filter(|code| !code.is_empty());
        let codes = codes.map(|code| Id::parse(code, "accounts")).collect::<Result<Vec<_>, Error>>()?;
        ledger::balances_at(work, &codes, asked.as_of())
    };
    books.read(read).await
}

pub(crate) async fn books(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| ledger::list_books(work, &paging.page())).await
}

pub(crate) async fn book(Reads(books): Reads, PathId(id): PathId) -> Answer {
    books.read(move |work| ledger::get_book(work, &id)).await
}

pub(crate) async fn holds(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| ledger::list_holds(work, &paging.page())).await
}

pub(crate) async fn hold(Reads(books): Reads, PathId(id): PathId) -> Answer {
    books.read(move |work| ledger::get_hold(work, &id)).await
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
