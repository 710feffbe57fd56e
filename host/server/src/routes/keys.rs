//! API keys.

use backroom_domain::Id;
use backroom_office::Written;
use backroom_store::TenantNo;
use backroom_store::records::{ApiKey, Role};
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::Admin;
use crate::clock;
use crate::extract::Json;
use crate::keeper::Open;
use crate::service::draw_secret;
use crate::session::Answer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewKey {
    /// What the log calls whoever uses it.
    name: Id,
    role: Role,
    /// For operators and readers.
    tenant: Option<Id>,
}

/// The only answer that ever shows the secret.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    key: ApiKey,
    secret: String,
}

pub(crate) async fn create(Admin(session): Admin, Json(new): Json<NewKey>) -> Answer {
    let (actor, secret) = (session.actor.clone(), draw_secret()?);
    let create = move |open: &Open| {
        let NewKey { name, role, tenant } = new;
        let written = open.office.create_key(&actor, clock::now(), name, role, tenant, &secret)?;
        let Written { value: key, replayed, ticket } = written;
        Ok(Written { value: Shown { key, secret }, replayed, ticket })
    };
    session.write(TenantNo::PROVIDER, Task::Write, create).await
}
