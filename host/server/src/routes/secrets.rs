//! Secrets of a tenant: set, named and deleted, never shown.

use backroom_office::{Written, secrets};
use backroom_store::Ticket;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::Writes;
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathId};
use crate::keeper::Open;
use crate::session::Answer;

/// It is written down nowhere: no `Debug`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecret {
    value: String,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    deleted: bool,
}

pub(crate) async fn list(Writes(books): Writes, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| secrets::list(work, &paging.page())).await
}

pub(crate) async fn set(Writes(books): Writes, PathId(name): PathId, Json(new): Json<NewSecret>) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let set = move |open: &Open| open.office.set_secret(tenant, caller, clock::now(), name, &new.value);
    books.session.write(tenant, Task::Write, set).await
}

pub(crate) async fn delete(Writes(books): Writes, PathId(name): PathId) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let delete = move |open: &Open| {
        let deleted = open.office.delete_secret(tenant, caller, clock::now(), &name)?;
        // Nothing was made, so it is never answered as something new.
        let ticket = deleted.then(Ticket::durable);
        Ok(Written { value: Deleted { deleted }, replayed: true, ticket })
    };
    books.session.write(tenant, Task::Write, delete).await
}
