//! Releases of plugins.

use std::sync::Arc;

use axum::extract::{Request, State};
use backroom_office::Written;
use backroom_store::records::Release;
use backroom_store::{TenantNo, Ticket};

use crate::admission::Task;
use crate::auth::{Admin, Anyone};
use crate::clock;
use crate::extract::{self, Asked, Paging, PathText};
use crate::keeper::Open;
use crate::service::Api;
use crate::session::Answer;
use crate::workflows::failure;
use parking_lot::Mutex;

/// The body is the component.
pub(crate) async fn upload(Admin(session): Admin, State(api): State<Api>, request: Request) -> Answer {
    let held = api.shared.admission.enter_large_body(TenantNo::PROVIDER).await?;
    let bytes = extract::bytes(request, api.shared.limits.component_bytes, &api).await?;
    let (actor, now) = (session.actor.clone(), clock::now());
    let (held, bytes) = (Arc::new(Mutex::new(Some(held))), Arc::new(bytes));
    let upload = move |open: &Open| {
        let _held = held.lock().take();
        let uploaded = open.workflows.upload(&actor, now, &bytes);
        // Durable when it returns, but for one with an earlier time: it had been uploaded before, perhaps just now.
        let written = |value: Release| {
            let replayed = value.created_at != now;
            Written { value, replayed, ticket: (!replayed).then(Ticket::durable) }
        };
        uploaded.map(written).map_err(failure)
    };
    // Compiling takes as much of a machine as a guest does.
    session.write(TenantNo::PROVIDER, Task::Plan, upload).await
}

pub(crate) async fn list(Admin(session): Admin, Asked(paging): Asked<Paging>) -> Answer {
    session.read(TenantNo::PROVIDER, move |open| open.office.releases(&paging.page())).await
}

pub(crate) async fn show(Anyone(session): Anyone, PathText(digest): PathText) -> Answer {
    session.read(TenantNo::PROVIDER, move |open| open.office.release(&digest)).await
}
