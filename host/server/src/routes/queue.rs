//! Runs that wait: asked for here, and how many there are.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use backroom_domain::{Id, Instant};
use backroom_office::queue;
use backroom_runtime::{Enqueued, Mode, RunReport, RunRequest};
use backroom_store::records::{QueuedRun, Tenant};
use backroom_store::{Held, Leases as _, Store, StoreError, TenantNo};
use schemars::JsonSchema;
use serde::Serialize;

use super::runs;
use crate::admission::Task;
use crate::auth::{Admin, number};
use crate::keeper::Open;
use crate::problem::Problem;
use crate::session::{Answer, Attempt, Books, json};
use crate::workflows::failure;

/// A run that waits, or is under way.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Waiting {
    id: Id,
    installation: Id,
    /// `queued`, or `running`.
    status: &'static str,
    /// The host that has it under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    queued_at: Instant,
    /// Its place in the tenant's commit log, and so in the queue.
    number: u64,
    replayed: bool,
}

impl Waiting {
    fn new(run: QueuedRun, replayed: bool) -> Self {
        let QueuedRun { id, installation, queued_at, number, .. } = run;
        Self { id, installation, status: "queued", host: None, queued_at, number, replayed }
    }

    /// As it is now: who has the lease of the queue has its first run under way.
    pub(crate) fn of(store: &Store, tenant: TenantNo, run: QueuedRun) -> Result<Self, StoreError> {
        let first = queue::first(&store.read(tenant)?)?.is_some_and(|first| first.id == run.id);
        let mut waiting = Self::new(run, true);
        if first && let Some(held) = store.held()?.into_iter().find(|held| held.lease.tenant == tenant) {
            (waiting.status, waiting.host) = ("running", Some(held.owner));
        }
        Ok(waiting)
    }
}

/// What became of a request, as far as it has to be told.
enum Told {
    Waiting(Box<Waiting>),
    Done(Box<RunReport>),
    Full,
}

/// 202: it waits, and is on disk as such. As without a queue if it was done before.
pub(crate) async fn enqueue(books: &Books, request: RunRequest) -> Answer {
    if request.mode == Mode::DryRun {
        let detail = "a dry run keeps nothing, so there is nothing to wait for: send it without `queued`";
        return Err(Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, "queued-dry-run", detail));
    }
    let tenant = books.number();
    let enqueue = move |open: &Open| match open.workflows.enqueue(request).map_err(failure)? {
        Enqueued::Waiting { run, replayed, ticket } => {
            Ok(Attempt { told: Ok(Told::Waiting(Box::new(Waiting::new(*run, replayed)))), ticket })
        }
        Enqueued::Done(handle) => Ok(Attempt { told: Ok(Told::Done(Box::new(handle.report))), ticket: handle.ticket }),
        Enqueued::Full => Ok(Attempt { told: Ok(Told::Full), ticket: None }),
    };
    match books.session.commit(tenant, Task::Write, enqueue).await? {
        Told::Waiting(waiting) => {
            books.session.api.shared.wake.notify_one();
            let body = serde_json::to_vec(&waiting).map_err(|error| Problem::internal(&error))?;
            let mut answer = json(StatusCode::ACCEPTED, body);
            let location = format!("/v1/tenants/{}/runs/{}", books.tenant.id, escape(waiting.id.as_str()));
            if let Ok(location) = HeaderValue::from_str(&location) {
                answer.headers_mut().insert(LOCATION, location);
            }
            Ok(answer)
        }
        Told::Done(report) => {
            let body = serde_json::value::to_raw_value(&report).map_err(|error| Problem::internal(&error))?;
            runs::answer(books, &report, body)
        }
        Told::Full => {
            let detail = format!("{} runs of this tenant wait already; try again later", queue::MAX_QUEUED);
            Err(Problem::too_many(detail))
        }
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986: ids may hold a slash.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Tenants that are looked at together for who has the lease of one.
const TENANTS: usize = 1_000;

/// All queues together.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Status {
    /// Runs that wait or are under way.
    length: u64,
    /// When the first of them was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<Instant>,
    leases: Vec<Leased>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Leased {
    tenant: Id,
    fence: u64,
    host: String,
}

pub(crate) async fn status(Admin(session): Admin) -> Answer {
    let status = |open: &Open| {
        let store = open.office.store();
        let (mut length, mut oldest) = (0_u64, None::<Instant>);
        for tenant in store.waiting()? {
            let tx = store.read(tenant)?;
            length = length.saturating_add(queue::length(&tx)?);
            let first = queue::first(&tx)?.map(|first| first.queued_at);
            oldest = [oldest, first].into_iter().flatten().min_by_key(|at| at.0);
        }
        let held: BTreeMap<TenantNo, Held> = store.held()?.into_iter().map(|held| (held.lease.tenant, held)).collect();
        let tx = store.read(TenantNo::PROVIDER)?;
        let (mut leases, mut cursor) = (Vec::new(), None::<Vec<u8>>);
        while leases.len() < held.len() {
            let page = tx.scan::<Tenant>(&(), cursor.as_deref(), TENANTS)?;
            let Some((last, _)) = page.last() else { break };
            cursor = Some(last.clone());
            let leased = |(_, tenant): (_, Tenant)| {
                let Held { lease, owner } = held.get(&number(&tenant))?;
                Some(Leased { tenant: tenant.id, fence: lease.fence, host: owner.clone() })
            };
            leases.extend(page.into_iter().filter_map(leased));
        }
        Ok(Status { length, oldest, leases })
    };
    session.read(TenantNo::PROVIDER, status).await
}
