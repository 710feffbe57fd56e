//! What surrounds the journal: periods and their locks, exchange rates, budgets.
//!
//! The book is `main` if none is named.

use backroom_domain::ledger::{LockKind, NewBudget, NewClosing, NewException, NewRate, NewRevaluation, Scope};
use backroom_domain::{BusinessDate, Currency, Id};
use backroom_office::ledger::{self, Changed};
use backroom_office::{Failure, Work, Written};
use backroom_store::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::{Reads, Writes};
use crate::clock;
use crate::extract::{Asked, Json, PathId, page_of};
use crate::keeper::Open;
use crate::session::{Answer, Books};

/// The book of a request; none: `main`.
type Book = Option<Id>;

/// The book that is meant.
fn named(book: Book) -> Result<Id, Failure> {
    Ok(book.map_or_else(|| Id::parse("main", "book"), Ok)?)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OfBook {
    book: Book,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Year {
    book: Book,
    year: Option<u16>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewLock {
    book: Book,
    scope: Scope,
    kind: LockKind,
    until: BusinessDate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Reopening {
    book: Book,
    scope: Scope,
    from: BusinessDate,
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FutureDays {
    book: Book,
    days: Option<u16>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Granting {
    book: Book,
    exception: NewException,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Revocation {
    book: Book,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewRates {
    book: Book,
    rates: Vec<NewRate>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WantedRate {
    book: Book,
    from: Currency,
    to: Currency,
    #[serde(rename = "type")]
    kind: Id,
    date: BusinessDate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Budgeting {
    book: Book,
    budget: NewBudget,
    replaces: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Closing {
    book: Book,
    closing: NewClosing,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OfYear {
    book: Book,
    year: u16,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Revaluing {
    book: Book,
    revaluation: NewRevaluation,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct InBook {
    book: Book,
}

/// Does one change and answers with it once it is on disk; a repeat changes nothing.
pub(super) async fn change<T: Serialize + Send + 'static>(
    books: Books,
    kind: &'static str,
    change: impl FnOnce(&mut Work) -> Result<Changed<T>, Failure> + Clone + Send + 'static,
) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let apply = move |open: &Open| {
        let (now, actor) = (clock::now(), caller.actor.clone());
        let mut work = open.office.write(tenant, caller, now)?;
        let value = change(&mut work)?;
        if value.replayed {
            return Ok(Written { value, replayed: true, ticket: None });
        }
        let meta = Meta { at: now.0, actor, kind: kind.to_owned(), ..Meta::default() };
        let committed = work.seal()?.commit(meta)?;
        Ok(Written { value, replayed: false, ticket: Some(committed.ticket) })
    };
    books.session.write(tenant, Task::Write, apply).await
}

pub(crate) async fn periods(Reads(books): Reads, Asked(Year { book, year }): Asked<Year>) -> Answer {
    books.read(move |work| ledger::list_periods(work, &named(book)?, year)).await
}

pub(crate) async fn lock(Writes(books): Writes, Json(new): Json<NewLock>) -> Answer {
    let NewLock { book, scope, kind, until } = new;
    change(books, "lock-period", move |work| ledger::lock_period(work, &named(book)?, scope, kind, until)).await
}

pub(crate) async fn reopen(Writes(books): Writes, Json(new): Json<Reopening>) -> Answer {
    let Reopening { book, scope, from, reason } = new;
    change(books, "reopen-period", move |work| ledger::reopen_period(work, &named(book)?, scope, from, reason)).await
}

pub(crate) async fn limit_future(Writes(books): Writes, Json(new): Json<FutureDays>) -> Answer {
    change(books, "limit-future", move |work| ledger::limit_future(work, &named(new.book)?, new.days)).await
}

pub(crate) async fn grant_exception(Writes(books): Writes, Json(new): Json<Granting>) -> Answer {
    let Granting { book, exception } = new;
    change(books, "grant-exception", move |work| ledger::grant_exception(work, &named(book)?, exception)).await
}

pub(crate) async fn revoke_exception(
    Writes(books): Writes,
    PathId(id): PathId,
    Json(Revocation { book }): Json<Revocation>,
) -> Answer {
    change(books, "revoke-exception", move |work| ledger::revoke_exception(work, &named(book)?, &id)).await
}

pub(crate) async fn exceptions(Reads(books): Reads, Asked(asked): Asked<OfBook>) -> Answer {
    let OfBook { book, cursor, limit } = asked;
    books.read(move |work| ledger::list_exceptions(work, &named(book)?, &page_of(cursor, limit))).await
}

pub(crate) async fn exception_uses(Reads(books): Reads, PathId(id): PathId, Asked(asked): Asked<OfBook>) -> Answer {
    let OfBook { book, cursor, limit } = asked;
    books.read(move |work| ledger::list_exception_uses(work, &named(book)?, &id, &page_of(cursor, limit))).await
}

pub(crate) async fn set_rates(Writes(books): Writes, Json(new): Json<NewRates>) -> Answer {
    let NewRates { book, rates } = new;
    let set = move |work: &mut Work| {
        let value = ledger::set_rates(work, &named(book)?, rates)?;
        Ok(Changed { replayed: value.set == 0, value })
    };
    change(books, "set-rates", set).await
}

pub(crate) async fn rate(Reads(books): Reads, Asked(asked): Asked<WantedRate>) -> Answer {
    let WantedRate { book, from, to, kind, date } = asked;
    books.read(move |work| ledger::get_rate(work, &named(book)?, from, to, &kind, date)).await
}

pub(crate) async fn rates(Reads(books): Reads, Asked(asked): Asked<OfBook>) -> Answer {
    let OfBook { book, cursor, limit } = asked;
    books.read(move |work| ledger::list_rates(work, &named(book)?, &page_of(cursor, limit))).await
}

pub(crate) async fn set_budget(Writes(books): Writes, Json(new): Json<Budgeting>) -> Answer {
    let Budgeting { book, budget, replaces } = new;
    change(books, "set-budget", move |work| ledger::set_budget(work, &named(book)?, budget, replaces)).await
}

pub(crate) async fn budget(Reads(books): Reads, PathId(id): PathId, Asked(InBook { book }): Asked<InBook>) -> Answer {
    books.read(move |work| ledger::budget_status(work, &named(book)?, &id)).await
}

pub(crate) async fn budgets(Reads(books): Reads, Asked(asked): Asked<OfBook>) -> Answer {
    let OfBook { book, cursor, limit } = asked;
    books.read(move |work| ledger::list_budgets(work, &named(book)?, &page_of(cursor, limit))).await
}

pub(crate) async fn close_year(Writes(books): Writes, Json(new): Json<Closing>) -> Answer {
    let Closing { book, closing } = new;
    change(books, "close-year", move |work| ledger::close_year(work, &named(book)?, closing)).await
}

pub(crate) async fn openings(Reads(books): Reads, Asked(asked): Asked<OfYear>) -> Answer {
    let OfYear { book, year, cursor, limit } = asked;
    books.read(move |work| ledger::list_openings(work, &named(book)?, year, &page_of(cursor, limit))).await
}

pub(crate) async fn revalue(Writes(books): Writes, Json(new): Json<Revaluing>) -> Answer {
    let Revaluing { book, revaluation } = new;
    change(books, "revalue", move |work| ledger::revalue(work, &named(book)?, revaluation)).await
}
