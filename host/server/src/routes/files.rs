//! Files of a tenant: folders, lists, and content in and out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use backroom_domain::files::{File, MAX_FILE};
use backroom_office::files;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::admission::Task;
use crate::auth::{Admin, Writes};
use crate::clock;
use crate::download::Download;
use crate::extract::{self, Asked, Json, PathFile, PathText, page_of};
use crate::keeper::Open;
use crate::service::Api;
use crate::session::Answer;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Files {
    #[serde(default)]
    prefix: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn folders(Writes(books): Writes) -> Answer {
    books.read(files::folders).await
}

pub(crate) async fn list(Writes(books): Writes, PathText(folder): PathText, Asked(asked): Asked<Files>) -> Answer {
    let Files { prefix, cursor, limit } = asked;
    books.read(move |work| files::list(work, &folder, &prefix, &page_of(cursor, limit))).await
}

/// The content, never to be taken for a page by a browser.
pub(crate) async fn get(Writes(books): Writes, PathFile(folder, path): PathFile) -> Answer {
    let (file, body) = Download::begin(books, folder, path).await?;
    Ok(content(&file, body))
}

fn content(file: &File, body: Body) -> Response {
    let headers: [(HeaderName, String); 5] = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, file.size.to_string()),
        (CONTENT_DISPOSITION, "attachment".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (ETAG, format!("\"{}\"", file.digest)),
    ];
    (headers, body).into_response()
}

/// The body is the content.
pub(crate) async fn put(
    Writes(books): Writes,
    State(api): State<Api>,
    PathFile(folder, path): PathFile,
    request: Request,
) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let held = api.shared.admission.enter_large_body(tenant).await?;
    let bytes = extract::bytes(request, usize::try_from(MAX_FILE).unwrap_or(usize::MAX), &api).await?;
    let (held, bytes) = (Arc::new(Mutex::new(Some(held))), Arc::new(bytes));
    let put = move |open: &Open| {
        let _held = held.lock().take();
        open.office.put_file(tenant, caller, clock::now(), (&folder, &path), &bytes)
    };
    books.session.write(tenant, Task::Write, put).await
}

pub(crate) async fn delete(Writes(books): Writes, PathFile(folder, path): PathFile) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let delete = move |open: &Open| open.office.delete_file(tenant, caller, clock::now(), (&folder, &path));
    books.session.write(tenant, Task::Write, delete).await
}

/// How much room there is: the provider's to say.
pub(crate) async fn quota(Admin(session): Admin, Json(new): Json<files::NewQuota>) -> Answer {
    let tenant = session.tenant(new.tenant.clone()).await?;
    let actor = session.actor.clone();
    let set = move |open: &Open| open.office.set_files_quota(&actor, clock::now(), new);
    session.write(tenant, Task::Write, set).await
}
