//! Releases of plugins.

use axum::extract::{Request, State};
use backroom_store::TenantNo;

use crate::admission::Task;
use crate::auth::{Admin, Anyone};
use crate::clock;
use crate::extract::{self, Asked, Paging, PathText};
use crate::service::Api;
use crate::session::Answer;
use crate::workflows::failure;

/// The body is the component.
pub(crate) async fn upload(Admin(session): Admin, State(api): State<Api>, request: Request) -> Answer {
    let held = api.shared.admission.enter_large_body(TenantNo::PROVIDER).await?;
    let bytes = extract::bytes(request, api.shared.limits.component_bytes, &api).await?;
    let actor = session.actor.clone();
    // Compiling takes as much of a machine as a guest does.
    let upload = move |open: &crate::keeper::Open| {
        let uploaded = open.workflows.upload(&actor, clock::now(), &bytes);
        drop((bytes, held));
        uploaded.map_err(failure)
    };
    session.write(TenantNo::PROVIDER, Task::Plan, upload).await
}

pub(crate) async fn list(Anyone(session): Anyone, Asked(paging): Asked<Paging>) -> Answer {
    session.read(TenantNo::PROVIDER, move |open| open.office.releases(&paging.page())).await
}

pub(crate) async fn show(Anyone(session): Anyone, PathText(digest): PathText) -> Answer {
    session.read(TenantNo::PROVIDER, move |open| open.office.release(&digest)).await
}
