//! Writes of the ledger: one use case each, committed at once.

use axum::http::StatusCode;
use backroom_domain::Error;
use backroom_domain::ledger::{
    AccountChange, AccountClosing, BatchItem, BatchMode, HoldRelease, NewAccount, NewBook, NewEntry, NewHold, Reversal,
    Settlement,
};
use backroom_office::ledger::{self, Outcome, Posted};
use backroom_office::{Failure, Work};
use backroom_store::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::Writes;
use crate::clock;
use crate::extract::{Asked, Json, PathId};
use crate::keeper::Open;
use crate::session::{Answer, Attempt, Books, json};

/// The query of a write.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct How {
    /// Do it all and keep nothing: the answer is the one that there would be.
    dry_run: bool,
}

/// Entries to post together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    items: Vec<BatchItem>,
    #[serde(default)]
    mode: BatchMode,
}

/// What became of one entry of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Told {
    Posted(Box<Posted>),
    Refused(Error),
}

impl From<Outcome> for Told {
    fn from(outcome: Outcome) -> Self {
        outcome.map_or_else(Self::Refused, |posted| Self::Posted(Box::new(posted)))
    }
}

/// Why an account is opened again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reopening {}

pub(crate) async fn create_book(Writes(books): Writes, Asked(how): Asked<How>, Json(new): Json<NewBook>) -> Answer {
    write(books, how, "ledger-book", move |work| ledger::create_book(work, new)).await
}

pub(crate) async fn create_account(
    Writes(books): Writes,
    Asked(how): Asked<How>,
    Json(new): Json<NewAccount>,
) -> Answer {
    write(books, how, "ledger-account", move |work| ledger::create_account(work, new)).await
}

pub(crate) async fn update_account(
    Writes(books): Writes,
    PathId(code): PathId,
    Asked(how): Asked<How>,
    Json(change): Json<AccountChange>,
) -> Answer {
    write(books, how, "ledger-account", move |work| ledger::update_account(work, &code, change)).await
}

pub(crate) async fn close_account(
    Writes(books): Writes,
    PathId(code): PathId,
    Asked(how): Asked<How>,
    Json(closing): Json<AccountClosing>,
) -> Answer {
    write(books, how, "ledger-account", move |work| ledger::close_account(work, &code, closing)).await
}

pub(crate) async fn reopen_account(
    Writes(books): Writes,
    PathId(code): PathId,
    Asked(how): Asked<How>,
    Json(Reopening {}): Json<Reopening>,
) -> Answer {
    write(books, how, "ledger-account", move |work| ledger::reopen_account(work, &code)).await
}

pub(crate) async fn post(Writes(books): Writes, Asked(how): Asked<How>, Json(new): Json<NewEntry>) -> Answer {
    write(books, how, "ledger-post", move |work| ledger::post(work, new)).await
}

pub(crate) async fn post_batch(Writes(books): Writes, Asked(how): Asked<How>, Json(batch): Json<Batch>) -> Answer {
    let Batch { items, mode } = batch;
    let post = move |work: &mut Work| {
        let outcomes = ledger::post_batch(work, items, mode)?;
        Ok(outcomes.into_iter().map(Told::from).collect::<Vec<_>>())
    };
    write(books, how, "ledger-batch", post).await
}

pub(crate) async fn reverse(Writes(books): Writes, Asked(how): Asked<How>, Json(asked): Json<Reversal>) -> Answer {
    write(books, how, "ledger-reverse", move |work| ledger::reverse(work, &asked)).await
}

pub(crate) async fn hold(Writes(books): Writes, Asked(how): Asked<How>, Json(new): Json<NewHold>) -> Answer {
    write(books, how, "ledger-hold", move |work| ledger::hold(work, new)).await
}

pub(crate) async fn settle(Writes(books): Writes, Asked(how): Asked<How>, Json(asked): Json<Settlement>) -> Answer {
    write(books, how, "ledger-settle", move |work| ledger::settle(work, &asked)).await
}

pub(crate) async fn release(Writes(books): Writes, Asked(how): Asked<How>, Json(asked): Json<HoldRelease>) -> Answer {
    write(books, how, "ledger-release", move |work| ledger::release(work, &asked)).await
}

/// Does it and commits what came of it: 201 if something was kept, 200 if there was nothing to keep or nothing was to be.
///
/// A refusal is committed as well if it is one for good: the id must be found refused by whoever asks again.
async fn write<T: Serialize>(
    books: Books,
    how: How,
    kind: &'static str,
    use_case: impl FnOnce(&mut Work) -> Result<T, Failure> + Clone + Send + 'static,
) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    if how.dry_run {
        let plan = move |open: &Open| use_case(&mut open.office.read(tenant, caller, clock::now())?);
        return books.session.take(tenant, Task::Write, plan).await;
    }
    let done = move |open: &Open| {
        let (actor, now) = (caller.actor.clone(), clock::now());
        let mut work = open.office.write(tenant, caller, now)?;
        let (told, refused) = match use_case(&mut work) {
            Ok(value) => (encoded(&value)?, None),
            Err(Failure::Business(error)) => (Vec::new(), Some(error)),
            Err(failure) => return Err(failure),
        };
        let ticket = match work.tx().changes() {
            0 => None,
            _ => {
                let meta = Meta { at: now.0, actor, kind: kind.to_owned(), ..Meta::default() };
                Some(work.seal()?.commit(meta)?.ticket)
            }
        };
        let status = if ticket.is_some() { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Attempt { told: refused.map_or(Ok((told, status)), Err), ticket })
    };
    let (body, status) = books.session.commit(tenant, Task::Write, done).await?;
    Ok(json(status, body))
}

/// The answer as JSON.
fn encoded(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|why| Error::refused("answer-unwritable", why.to_string()).into())
}
