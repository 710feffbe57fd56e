//! Client companies of the provider.

use backroom_domain::Id;
use backroom_office::limits::Ceilings;
use backroom_store::TenantNo;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::admission::Task;
use crate::auth::{Admin, Reads};
use crate::clock;
use crate::extract::{Asked, Json, Paging};
use crate::keeper::Open;
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewTenant {
    id: Id,
    name: String,
}

pub(crate) async fn create(Admin(session): Admin, Json(new): Json<NewTenant>) -> Answer {
    let actor = session.actor.clone();
    let create = move |open: &Open| open.office.create_tenant(&actor, clock::now(), new.id, &new.name);
    session.write(TenantNo::PROVIDER, Task::Write, create).await
}

pub(crate) async fn list(Admin(session): Admin, Asked(paging): Asked<Paging>) -> Answer {
    session.read(TenantNo::PROVIDER, move |open| open.office.tenants(&paging.page())).await
}

pub(crate) async fn show(Reads(books): Reads) -> Answer {
    let tenant = books.tenant.clone();
    books.session.read(books.number(), move |_| Ok(tenant)).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewLimits {
    tenant: Id,
    #[serde(default)]
    limits: Ceilings,
}

/// What every run of a tenant is bounded by: the provider's to say.
pub(crate) async fn limit(Admin(session): Admin, Json(new): Json<NewLimits>) -> Answer {
    let NewLimits { tenant, limits } = new;
    let tenant = session.tenant(tenant).await?;
    let actor = session.actor.clone();
    let set = move |open: &Open| open.office.set_tenant_limits(&actor, clock::now(), tenant, limits);
    session.write(tenant, Task::Write, set).await
}

pub(crate) async fn limits(Reads(books): Reads) -> Answer {
    let tenant = books.number();
    books.session.read(tenant, move |open| open.office.tenant_limits(tenant)).await
}
