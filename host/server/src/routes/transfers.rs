//! Tenants that leave and arrive, each as one file.
//!
//! The file never stands in memory: it is written to the folder for temporary files, and streamed from or to there, so that
//! a slow line holds nothing of the store.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use backroom_domain::Id;
use backroom_office::{TransferFailure, Written};
use backroom_runtime::RunnerError;
use backroom_store::backup::{BackupError, Exported};
use backroom_store::{TenantNo, Ticket};
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use crate::admission::Task;
use crate::auth::Admin;
use crate::clock;
use crate::extract::{Asked, Json, too_slow};
use crate::keeper::Open;
use crate::problem::Problem;
use crate::service::Api;
use crate::session::{Answer, Attempt, Session, json};
use crate::workflows::failure;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    tenant: Id,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arriving {
    /// The name that it gets here; its own if none.
    r#as: Option<Id>,
}

/// Answers with the file.
pub(crate) async fn export(Admin(session): Admin, Json(leaving): Json<Leaving>) -> Answer {
    let name = format!("attachment; filename=\"{}.backroom\"", leaving.tenant.as_str().replace([':', '/'], "-"));
    let export = move |open: &Open| {
        let tenant = open.office.tenant(&leaving.tenant)?;
        Ok(write_file(open, &tenant))
    };
    let (file, len) = session.work(TenantNo::PROVIDER, Task::Archive, export).await??;
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, len.to_string()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, body).into_response())
}

fn write_file(open: &Open, tenant: &backroom_store::records::Tenant) -> Result<(File, u64), Problem> {
    let out = BufWriter::new(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let mut components = |digest: &str| open.workflows.component(digest).map_err(|error| error.to_string());
    let written = open.office.store().export_tenant(tenant, clock::now(), out, &mut components, &mut |_, _| {});
    let (exported, out) = written.inspect_err(|error: &BackupError| tracing::error!(%error, "the export failed"))?;
    let Exported { entries, releases, .. } = exported;
    let mut file = out.into_inner().map_err(|error| no_room(error.error()))?;
    let len = file.seek(SeekFrom::End(0)).and_then(|len| file.rewind().map(|()| len));
    let len = len.map_err(|error| no_room(&error))?;
    tracing::info!(tenant = %tenant.id, entries, releases, bytes = len, "a tenant was exported");
    Ok((file, len))
}

/// The body is the file.
pub(crate) async fn import(
    Admin(session): Admin,
    State(api): State<Api>,
    Asked(arriving): Asked<Arriving>,
    request: Request,
) -> Answer {
    let held = api.shared.admission.enter_large_body(TenantNo::PROVIDER).await?;
    let limits = &api.shared.limits;
    let file = receive(request, limits.tenant_file_bytes, limits.receive_time).await?;
    drop(held);
    play(&session, file, arriving.r#as).await
}

async fn play(session: &Session, file: File, name: Option<Id>) -> Answer {
    let (actor, file) = (session.actor.clone(), Arc::new(file));
    let import = move |open: &Open| {
        let (now, workflows) = (clock::now(), &open.workflows);
        let mut refused = None;
        let mut upload = |bytes: &[u8]| {
            let uploaded = workflows.upload(&actor, now, bytes);
            uploaded.map(drop).map_err(|error| refused.insert(error).to_string())
        };
        let mut progress = |done: u64, of: u64| {
            if done.is_multiple_of(10_000) || done == of {
                tracing::info!(done, of, "importing a tenant");
            }
        };
        let arrived = open.office.import_tenant(&actor, now, &mut &*file, name, &mut upload, &mut progress);
        match arrived {
            Ok(Written { value, replayed, ticket }) => Ok(Attempt { told: Ok(Ok((value, replayed))), ticket }),
            Err(TransferFailure::Failure(failure)) => Err(failure),
            Err(TransferFailure::File(error)) => match refused {
                // Nothing is wrong with the file.
                Some(error @ RunnerError::Unavailable(_)) => Err(failure(error)),
                // What is wrong with it is so whatever anybody writes.
                _ => Ok(Attempt { told: Ok(Err(Problem::from(error))), ticket: Some(Ticket::durable()) }),
            },
        }
    };
    let (arrived, replayed) = session.commit(TenantNo::PROVIDER, Task::Archive, import).await??;
    let status = if replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json(status, serde_json::to_vec(&arrived).map_err(|error| Problem::internal(&error))?))
}

/// The body as a file, if it is no longer than `limit` and no piece of it keeps us waiting for longer than `idle`.
async fn receive(request: Request, limit: u64, idle: Duration) -> Result<File, Problem> {
    let too_large = || {
        let detail = format!("the file is larger than {limit} bytes; `backroom serve --max-tenant-file` allows more");
        Problem::too_large(None, detail)
    };
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|len: u64| len > limit) {
        return Err(too_large());
    }
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let (mut body, mut size) = (request.into_body(), 0_u64);
    while let Some(frame) = tokio::time::timeout(idle, body.frame()).await.map_err(|_| too_slow())? {
        let ended_early =
            |_| Problem::invalid(StatusCode::BAD_REQUEST, "body-incomplete", "the body ended before its end");
        let Ok(data) = frame.map_err(ended_early)?.into_data() else { continue };
        size = size.saturating_add(data.len() as u64);
        if size > limit {
            return Err(too_large());
        }
        file.write_all(&data).await.map_err(|error| no_room(&error))?;
    }
    file.flush().await.map_err(|error| no_room(&error))?;
    Ok(file.into_std().await)
}

fn no_room(error: &std::io::Error) -> Problem {
    let folder = std::env::temp_dir();
    let detail = format!("the file cannot be kept in {}: {error}; TMPDIR names another folder", folder.display());
    Problem::unavailable("no-room", detail, 30)
}
