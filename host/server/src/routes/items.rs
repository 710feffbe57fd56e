//! Open items and bank statements.

use backroom_domain::ledger::{ItemRef, NewMatch, NewStatement};
use backroom_domain::{BusinessDate, Id};
use backroom_office::ledger::{self, Changed, ItemFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use super::controls::change;
use crate::auth::{Reads, Writes};
use crate::extract::{Asked, Json, PathId, PathLine, page_of};
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Items {
    account: Option<Id>,
    party: Option<Id>,
    as_of: Option<BusinessDate>,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Aged {
    account: Option<Id>,
    party: Option<Id>,
    as_of: Option<BusinessDate>,
    /// Days with commas between.
    buckets: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Undoing {
    reason: String,
    entry: Option<Id>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Lines {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Confirming {
    item: ItemRef,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Reason {
    reason: String,
}

pub(crate) async fn open(Reads(books): Reads, Asked(asked): Asked<Items>) -> Answer {
    let Items { account, party, as_of, cursor, limit } = asked;
    let filter = ItemFilter { account, party, as_of };
    books.read(move |work| ledger::list_open_items(work, &filter, &page_of(cursor, limit))).await
}

/// Without buckets: 30, 60 and 90 days, as most reports have them.
pub(crate) async fn ageing(Reads(books): Reads, Asked(asked): Asked<Aged>) -> Answer {
    let Aged { account, party, as_of, buckets } = asked;
    let filter = ItemFilter { account, party, as_of };
    books
        .read(move |work| {
            let text = buckets.as_deref().unwrap_or("30,60,90");
            let limits = text.split(',').map(|days| days.trim().parse()).collect::<Result<Vec<u16>, _>>();
            let limits = limits.map_err(|_| {
                let message = "numbers of days with commas between, such as 30,60,90";
                backroom_domain::Error::invalid("buckets-invalid", "buckets", message)
            })?;
            ledger::ageing(work, &filter, limits)
        })
        .await
}

pub(crate) async fn matched(Writes(books): Writes, Json(new): Json<NewMatch>) -> Answer {
    change(books, "match-items", move |work| {
        let done = ledger::match_items(work, new)?;
        Ok(Changed { value: done.on_record, replayed: done.replayed })
    })
    .await
}

pub(crate) async fn unmatched(Writes(books): Writes, PathId(id): PathId, Json(asked): Json<Undoing>) -> Answer {
    change(books, "unmatch-items", move |work| {
        let done = ledger::unmatch(work, &id, &asked.reason, asked.entry.as_ref())?;
        Ok(Changed { value: done.on_record, replayed: done.replayed })
    })
    .await
}

pub(crate) async fn import(Writes(books): Writes, Json(new): Json<NewStatement>) -> Answer {
    change(books, "import-statement", move |work| {
        let done = ledger::import_statement(work, &new)?;
        Ok(Changed { value: done.statement, replayed: done.replayed })
    })
    .await
}

pub(crate) async fn suggestions(Reads(books): Reads, PathId(account): PathId, Asked(asked): Asked<Lines>) -> Answer {
    let Lines { cursor, limit } = asked;
    books.read(move |work| ledger::suggest_matches(work, &account, &page_of(cursor, limit))).await
}

pub(crate) async fn confirm(
    Writes(books): Writes,
    PathLine(account, line): PathLine,
    Json(Confirming { item }): Json<Confirming>,
) -> Answer {
    change(books, "confirm-bank-line", move |work| {
        let done = ledger::confirm_line(work, &account, &line, &item)?;
        Ok(Changed { value: done.line, replayed: done.replayed })
    })
    .await
}

pub(crate) async fn undo(
    Writes(books): Writes,
    PathLine(account, line): PathLine,
    Json(Reason { reason }): Json<Reason>,
) -> Answer {
    change(books, "undo-confirmation", move |work| {
        let done = ledger::undo_confirmation(work, &account, &line, &reason)?;
        Ok(Changed { value: done.line, replayed: done.replayed })
    })
    .await
}
