//! Reads of stock.

use backroom_domain::Id;
use backroom_office::{Page, inventory};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::Reads;
use crate::extract::{Asked, Paging, PathId, page_of};
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OnHand {
    location: Option<Id>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn items(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| inventory::list_items(work, &paging.page())).await
}

pub(crate) async fn item(Reads(books): Reads, PathId(id): PathId) -> Answer {
    books.read(move |work| inventory::get_item(work, &id)).await
}

pub(crate) async fn on_hand(Reads(books): Reads, PathId(item): PathId, Asked(asked): Asked<OnHand>) -> Answer {
    let OnHand { location, cursor, limit } = asked;
    books.read(move |work| inventory::list_on_hand(work, &item, location.as_ref(), &page_of(cursor, limit))).await
}

pub(crate) async fn valuation(Reads(books): Reads, PathId(item): PathId) -> Answer {
    books.read(move |work| inventory::valuation(work, &item)).await
}

pub(crate) async fn locations(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| inventory::list_locations(work, &paging.page())).await
}

pub(crate) async fn moves(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| inventory::list_moves(work, &paging.page())).await
}

pub(crate) async fn valuations(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| inventory::list_valuations(work, &paging.page())).await
}

/// Not paged: a company has a handful of stock control accounts. The same form as other lists.
pub(crate) async fn stock_control(Reads(books): Reads) -> Answer {
    books.read(move |work| Ok(Page { items: inventory::stock_control(work)?, next: None })).await
}
