//! Import of a client's files.
//!
//! The files arrive as parts of a multipart body. Each is read up to its limit and not further; what is wrong with any of
//! them refuses all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::StatusCode;
use backroom_domain::Class;
use backroom_office::imports::{self, ImportFailure, ImportSummary, RowProblem};
use backroom_office::{Caller, Failure};
use backroom_store::{Meta, TenantNo};

use crate::admission::Task;
use crate::auth::Writes;
use crate::clock;
use crate::extract::too_slow;
use crate::keeper::Open;
use crate::paced::Paced;
use crate::problem::{Problem, Reason};
use crate::service::Api;
use crate::session::{Answer, Attempt, json};
use parking_lot::Mutex;

/// After a refusal the rest of the body is read and thrown away for so long: a caller that is still sending reads the answer
/// only then.
const DRAIN: Duration = Duration::from_secs(10);

/// What came of applying the files: a summary, or what is wrong with them.
type Applied = Result<(ImportSummary, StatusCode), Vec<RowProblem>>;

pub(crate) async fn import(Writes(books): Writes, State(api): State<Api>, request: Request) -> Answer {
    let held = api.shared.admission.enter_large_body(books.number()).await?;
    let paced = request.map(|body| Body::new(Paced::new(body)));
    let multipart = Multipart::from_request(paced, &api).await;
    let mut multipart = multipart.map_err(|rejection| refused_body(&rejection.body_text()))?;
    let files = match tokio::time::timeout(api.shared.limits.receive_time, read(&mut multipart, &api)).await {
        Ok(Ok(files)) => files,
        Ok(Err(problem)) => {
            drain(multipart).await;
            return Err(problem);
        }
        Err(_) => return Err(too_slow()),
    };
    let (caller, tenant) = (books.caller(), books.number());
    let (held, files) = (Arc::new(Mutex::new(Some(held))), Arc::new(files));
    let apply = move |open: &Open| {
        let _held = held.lock().take();
        apply(open, tenant, caller, &files)
    };
    match books.session.commit(tenant, Task::Write, apply).await? {
        Ok((summary, status)) => {
            Ok(json(status, serde_json::to_vec(&summary).map_err(|error| Problem::internal(&error))?))
        }
        Err(rows) => Err(refused_rows(rows)),
    }
}

fn apply(
    open: &Open,
    tenant: TenantNo,
    caller: Caller,
    files: &[(String, Vec<u8>)],
) -> Result<Attempt<Applied>, Failure> {
    let set = imports::read(files);
    let (actor, now) = (caller.actor.clone(), clock::now());
    let mut work = open.office.write(tenant, caller, now)?;
    let summary = match imports::apply(&mut work, &set) {
        Ok(summary) => summary,
        Err(ImportFailure::Rows(rows)) => return Ok(Attempt { told: Ok(Err(rows)), ticket: None }),
        Err(ImportFailure::Failure(failure)) => return Err(failure),
    };
    // The same files again: there is nothing to keep.
    if work.effects().is_empty() {
        return Ok(Attempt { told: Ok(Ok((summary, StatusCode::OK))), ticket: None });
    }
    let meta = Meta { at: now.0, actor, kind: "import".to_owned(), ..Meta::default() };
    let committed = work.seal()?.commit(meta)?;
    Ok(Attempt { told: Ok(Ok((summary, StatusCode::CREATED))), ticket: Some(committed.ticket) })
}

/// All files, each within its limit.
async fn read(multipart: &mut Multipart, api: &Api) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let limits = &api.shared.limits;
    let mut files = Vec::new();
    while let Some(field) = multipart.next_field().await.map_err(|error| incomplete(&error))? {
        if files.len() == limits.files {
            return Err(Problem::too_large(None, format!("an import has at most {} files", limits.files)));
        }
        files.push(read_file(field, limits.file_bytes).await?);
    }
    Ok(files)
}

async fn read_file(mut field: Field<'_>, limit: usize) -> Result<(String, Vec<u8>), Problem> {
    let name: String = field.file_name().or_else(|| field.name()).unwrap_or_default().chars().take(200).collect();
    let mut content = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| incomplete(&error))? {
        if content.len() + chunk.len() > limit {
            let detail = format!("{name} is larger than {} MiB; nothing was imported", limit >> 20);
            let reason = Reason { file: Some(name), ..Reason::new("file-too-large", None, detail.clone()) };
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Class::Invalid, "file-too-large", detail);
            return Err(Problem { errors: vec![reason], ..problem });
        }
        content.extend_from_slice(&chunk);
    }
    Ok((name, content))
}

/// Reads on without keeping anything.
async fn drain(mut multipart: Multipart) {
    let rest = async {
        while let Ok(Some(mut field)) = multipart.next_field().await {
            while let Ok(Some(_)) = field.chunk().await {}
        }
    };
    // Whoever sends for longer does not get the answer.
    if tokio::time::timeout(DRAIN, rest).await.is_err() {
        tracing::debug!("a refused import went on for too long");
    }
}

fn incomplete(error: &MultipartError) -> Problem {
    refused_body(&error.body_text())
}

fn refused_body(why: &str) -> Problem {
    let detail = format!("the body is no multipart/form-data with one part for each file: {why}");
    Problem::invalid(StatusCode::BAD_REQUEST, "multipart-malformed", detail)
}

fn refused_rows(rows: Vec<RowProblem>) -> Problem {
    let detail = format!("{} problems in the files; nothing was imported", rows.len());
    let reason = |row: RowProblem| {
        let RowProblem { file, line, column, code, message } = row;
        Reason { file: Some(file), line, ..Reason::new(code, column, message) }
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Class::Invalid, "import-invalid", detail);
    Problem { errors: rows.into_iter().map(reason).collect(), ..problem }
}
