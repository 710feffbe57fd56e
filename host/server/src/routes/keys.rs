//! API keys: made, listed without their secrets, withdrawn.

use backroom_domain::Id;
use backroom_office::{KeyRow, Written};
use backroom_store::TenantNo;
use backroom_store::records::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::Admin;
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathText};
use crate::keeper::Open;
use crate::service::draw_secret;
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewKey {
    /// What the log calls whoever uses it.
    name: Id,
    role: Role,
    /// For operators and readers.
    tenant: Option<Id>,
}

/// The only answer that ever shows the secret.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Shown {
    #[serde(flatten)]
    key: KeyRow,
    secret: String,
}

pub(crate) async fn create(Admin(session): Admin, Json(new): Json<NewKey>) -> Answer {
    let (actor, secret) = (session.actor.clone(), draw_secret()?);
    let create = move |open: &Open| {
        let NewKey { name, role, tenant } = new;
        let written = open.office.create_key(&actor, clock::now(), name, role, tenant, &secret)?;
        let Written { value: key, replayed, ticket } = written;
        Ok(Written { value: Shown { key: key.into(), secret }, replayed, ticket })
    };
    session.write(TenantNo::PROVIDER, Task::Write, create).await
}

pub(crate) async fn list(Admin(session): Admin, Asked(paging): Asked<Paging>) -> Answer {
    session.read(TenantNo::PROVIDER, move |open: &Open| open.office.keys(&paging.page())).await
}

/// Whoever has it is a stranger from here on.
pub(crate) async fn withdraw(Admin(session): Admin, PathText(id): PathText) -> Answer {
    let actor = session.actor.clone();
    let withdraw = move |open: &Open| {
        let withdrawn = open.office.withdraw_key(&actor, clock::now(), &id)?;
        // Nothing was made, so it is never answered as something new.
        Ok(Written { replayed: true, ..withdrawn })
    };
    session.write(TenantNo::PROVIDER, Task::Write, withdraw).await
}
