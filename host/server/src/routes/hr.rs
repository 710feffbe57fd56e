//! Reads of people, and their erasure. What a caller may not see is left out by the use cases.

use backroom_domain::hr::{NewErasure, Place};
use backroom_domain::{BusinessDate, Id};
use backroom_office::hr::{self, EmploymentFilter};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::admission::Task;
use crate::auth::{Reads, Writes};
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathId, page_of};
use crate::keeper::Open;
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Employments {
    first_day: Option<BusinessDate>,
    last_day: Option<BusinessDate>,
    position: Option<Id>,
    place: Option<Place>,
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Benefits {
    plan: Id,
    first_day: BusinessDate,
    last_day: BusinessDate,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn workers(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| hr::list_workers(work, &paging.page())).await
}

pub(crate) async fn worker(Reads(books): Reads, PathId(id): PathId) -> Answer {
    books.read(move |work| hr::get_worker(work, &id)).await
}

pub(crate) async fn employments(Reads(books): Reads, Asked(asked): Asked<Employments>) -> Answer {
    let Employments { first_day, last_day, position, place, cursor, limit } = asked;
    let filter = EmploymentFilter { first_day, last_day, position, place };
    books.read(move |work| hr::list_employments(work, &filter, &page_of(cursor, limit))).await
}

pub(crate) async fn benefits(Reads(books): Reads, Asked(asked): Asked<Benefits>) -> Answer {
    let Benefits { plan, first_day, last_day, cursor, limit } = asked;
    books.read(move |work| hr::list_benefits(work, &plan, first_day, last_day, &page_of(cursor, limit))).await
}

/// Ends when the person's key is destroyed, whether the caller waits for it or not.
pub(crate) async fn erase(Writes(books): Writes, PathId(id): PathId, Json(new): Json<NewErasure>) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let erase = move |open: &Open| open.office.erase_person(tenant, caller, clock::now(), &id, new);
    books.session.write(tenant, Task::Write, erase).await
}
