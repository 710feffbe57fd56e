//! Runs of workflows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use backroom_domain::{BusinessDate, Class, Id};
use backroom_office::runs;
use backroom_runtime::{FaultKind, Mode, RunReport, RunRequest, Status};
use backroom_store::{StoreError, conflict_pauses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::queue::{self, Waiting};
use crate::admission::Task;
use crate::auth::{Reads, Writes};
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathId};
use crate::keeper::Open;
use crate::problem::Problem;
use crate::session::{Answer, Books, json};
use crate::workflows::failure;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewRun {
    /// The idempotency key; made up if there is none.
    id: Option<Id>,
    mode: Mode,
    /// The day of the books; today in UTC if none.
    date: Option<BusinessDate>,
    /// Reaches the plugin as it was written.
    #[schemars(with = "serde_json::Value")]
    input: Box<RawValue>,
    /// To be done later, by whichever host comes to it: the answer says that it waits.
    #[serde(default)]
    queued: bool,
}

/// 201: committed now. 200: planned, or committed before. Else a problem, with the report in `run`.
pub(crate) async fn run(Writes(books): Writes, PathId(installation): PathId, Json(new): Json<NewRun>) -> Answer {
    let NewRun { id, mode, date, input, queued } = new;
    let task = if mode == Mode::Commit { Task::Run } else { Task::Plan };
    let request = RunRequest {
        tenant: books.number(),
        actor: books.session.actor.clone(),
        rights: Arc::clone(&books.session.rights),
        installation,
        id,
        input: Box::<str>::from(input).into(),
        date,
        mode,
        now: clock::now(),
    };
    if queued {
        return queue::enqueue(&books, request).await;
    }
    let mut pauses = conflict_pauses();
    // Held until the next attempt has it, so that nothing is sent twice.
    let mut kept = None;
    let mut request = request;
    let (report, body) = loop {
        let attempt = request.clone();
        let run = move |open: &Open| {
            let handle = open.workflows.run(attempt).map_err(failure)?;
            let body = serde_json::value::to_raw_value(&handle.report);
            Ok((handle.report, body, handle.ticket, handle.sent))
        };
        let (report, body, ticket, sent) = books.session.work(books.number(), task, run).await?;
        kept = sent.or(kept);
        // What begins anew is the same run: by its id it finds what it has sent.
        request.id.get_or_insert_with(|| report.id.clone());
        match books.session.durable(ticket).await {
            Ok(()) => {
                if let Some(sent) = kept {
                    sent.recorded();
                }
                break (report, body);
            }
            // Another host committed first, and nothing was kept.
            Err(problem) if problem.is_conflict() => {
                let Some(pause) = pauses.next() else { return Err(problem) };
                books.session.api.shared.conflicts.fetch_add(1, Ordering::Relaxed);
                sleep(pause).await;
            }
            Err(problem) => return Err(in_doubt(problem, &report.id)),
        }
    };
    let body = body.map_err(|error| Problem::internal(&error))?;
    answer(&books, &report, body)
}

/// The answer that a finished run is to whoever asked for it.
pub(crate) fn answer(books: &Books, report: &RunReport, body: Box<RawValue>) -> Answer {
    match problem_of(report) {
        None => {
            let new = report.status == Status::Committed && !report.replayed;
            let status = if new { StatusCode::CREATED } else { StatusCode::OK };
            Ok(json(status, body.get().as_bytes().to_vec()))
        }
        Some(problem) => {
            books.session.check_store();
            Err(Problem { run: Some(body), ..problem })
        }
    }
}

/// The run has its place in the log, but nobody knows whether the disk has it: its id is what the caller needs to find out.
fn in_doubt(problem: Problem, id: &Id) -> Problem {
    let detail = format!("{}; the run may be on record or not: ask again with the id {id}", problem.detail);
    Problem { detail, ..problem }
}

/// `None` if the run did what it was to do.
fn problem_of(report: &RunReport) -> Option<Problem> {
    if let Some(fault) = &report.fault {
        let (code, status, class) = kind_of(fault.kind);
        let problem = Problem::new(status, class, code, fault.message.clone());
        let retry_after = (class == Class::Unavailable && fault.kind.is_passing()).then_some(2);
        return Some(Problem { retry_after, ..problem });
    }
    match (report.status, &report.error) {
        (Status::Ok | Status::Committed, _) => None,
        // A refused run did what it could: whatever class the plugin gave it, the request was understood and may be right
        // tomorrow. The class and the code are the plugin's own.
        (_, Some(error)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Some(Problem { status, retry_after: None, ..error.clone().into() })
        }
        (Status::Refused | Status::Failed, None) => {
            Some(Problem::internal(&"a run without an answer, an error or a fault"))
        }
    }
}

fn kind_of(kind: FaultKind) -> (&'static str, StatusCode, Class) {
    let refused = |code| (code, StatusCode::UNPROCESSABLE_ENTITY, Class::Refused);
    let unavailable = |code, status| (code, status, Class::Unavailable);
    match kind {
        FaultKind::Trap => refused("run-trapped"),
        FaultKind::Fuel => refused("run-out-of-fuel"),
        FaultKind::Deadline => refused("run-deadline"),
        FaultKind::Memory => refused("run-out-of-memory"),
        FaultKind::HostCalls => refused("run-host-calls"),
        FaultKind::Effects => refused("run-effects"),
        FaultKind::Output => refused("run-output"),
        FaultKind::Handles => refused("run-handles"),
        FaultKind::HostTime => refused("run-host-time"),
        FaultKind::OutputSize => refused("run-output-size"),
        FaultKind::OutputDepth => refused("run-output-depth"),
        FaultKind::DayFuel => refused("run-day-fuel"),
        FaultKind::Store => unavailable("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        FaultKind::Conflict => ("conflict", StatusCode::CONFLICT, Class::Conflict),
        FaultKind::Busy => unavailable("busy", StatusCode::SERVICE_UNAVAILABLE),
        FaultKind::Internal => unavailable("internal", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

pub(crate) async fn list(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    books.read(move |work| runs::list(work, &paging.page())).await
}

/// What is told of one run.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Told {
    Waiting(Waiting),
    Done(Box<RunReport>),
}

/// Everything that the commit log has about it; that it waits, if it does.
pub(crate) async fn show(Writes(books): Writes, PathId(id): PathId) -> Answer {
    let (caller, tenant) = (books.caller(), books.number());
    let report = move |open: &Open| {
        let work = open.office.read(tenant, caller, clock::now())?;
        if let Some(waiting) = backroom_office::queue::waiting(work.tx(), &id)? {
            return Ok(Told::Waiting(Waiting::of(open.office.store(), tenant, waiting)?));
        }
        let record = runs::get(&work, &id)?;
        let run = runs::recorded(open.office.store(), tenant, record.number)?;
        let run = run.ok_or_else(|| StoreError::Corrupt {
            place: format!("entry {} of tenant {tenant}", record.number),
            what: "it is no run".to_owned(),
        })?;
        Ok(Told::Done(Box::new(RunReport::recorded(record, run))))
    };
    books.session.read(tenant, report).await
}

/// Executes it again and compares; nothing is kept.
pub(crate) async fn replay(Writes(books): Writes, PathId(id): PathId) -> Answer {
    let tenant = books.tenant.clone();
    let replay = move |open: &Open| open.workflows.replay(&tenant, &id).map_err(failure);
    books.session.take(books.number(), Task::Plan, replay).await
}
