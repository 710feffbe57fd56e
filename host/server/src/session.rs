//! Work on behalf of a known caller: admitted, done on a thread that may block, answered when it is durable.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use backroom_domain::rights::Rights;
use backroom_domain::{Class, Error, Id};
use backroom_office::{Caller, Failure, Work, Written};
use backroom_store::records::Tenant;
use backroom_store::{Revision, StoreError, TenantNo, Ticket, conflict_pauses};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::Span;

use crate::admission::{Permit, Task};
use crate::auth::number;
use crate::clock;
use crate::keeper::Open;
use crate::problem::Problem;
use crate::service::Api;

/// How often a replay looks whether the first writing is on disk. A sync takes 0.1 to some milliseconds.
const SYNC_POLL: Duration = Duration::from_millis(1);

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// A known caller, and the store that was open when the request came.
pub(crate) struct Session {
    pub(crate) api: Api,
    pub(crate) actor: String,
    pub(crate) rights: Arc<Rights>,
    /// Not held while the request waits: a failed store is opened again once nobody holds it.
    open: Weak<Open>,
}

/// A known caller and the tenant whose books are meant.
pub(crate) struct Books {
    pub(crate) session: Session,
    pub(crate) tenant: Tenant,
}

/// What came of doing something once.
pub(crate) struct Attempt<T> {
    pub(crate) told: Result<T, Error>,
    /// Of what was committed last, if anything was. A "no" can be committed as well.
    pub(crate) ticket: Option<Ticket>,
}

/// What has to come to pass before an answer may say "done".
enum Proof {
    /// Something was written.
    Ticket(Ticket),
    /// Something was found by a writer, who sees what is not on disk yet: the log has to be on disk up to here.
    Revision(Revision),
}

impl Proof {
    /// After a replay that found what there was to write, or a "no" that was found.
    fn of(open: &Open, tenant: TenantNo, losses: u64) -> Result<Self, StoreError> {
        let store = open.office.store();
        Ok(match store.sequenced(tenant, losses)? {
            Some(ticket) => Self::Ticket(ticket),
            None => Self::Revision(store.status().sequenced),
        })
    }
}

/// Whether it may have been said because of an entry that is lost if another host comes first. What is wrong with a request by
/// itself, or with the service, is not.
fn is_of_the_state(no: &Error) -> bool {
    match no.class {
        Class::NotFound | Class::Conflict | Class::Refused => true,
        Class::Invalid | Class::Denied | Class::Unavailable => false,
    }
}

impl Session {
    pub(crate) fn new(api: Api, open: &Arc<Open>, actor: String, rights: Arc<Rights>) -> Self {
        Self { api, actor, rights, open: Arc::downgrade(open) }
    }

    /// Does `work` on a thread that may block, once it is admitted.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        tenant: TenantNo,
        task: Task,
        work: impl FnOnce(&Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = self.api.shared.admission.enter(tenant, task).await?;
        self.admitted(permit, work).await
    }

    async fn admitted<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce(&Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let Some(open) = self.open.upgrade() else { return Err(gone()) };
        let done = blocking(permit, move || work(&open)).await?;
        done.map_err(|failure| self.failure(failure))
    }

    /// The number of a tenant that is named in the body of a request.
    pub(crate) async fn tenant(&self, id: Id) -> Result<TenantNo, Problem> {
        self.work(TenantNo::PROVIDER, Task::Read, move |open| Ok(number(&open.office.tenant(&id)?))).await
    }

    /// Answers with what `work` reads.
    pub(crate) async fn read<T: Serialize>(
        &self,
        tenant: TenantNo,
        work: impl FnOnce(&Open) -> Result<T, Failure> + Send + 'static,
    ) -> Answer {
        self.take(tenant, Task::Read, work).await
    }

    /// Answers with what `work` gives; nothing has to become durable. It is written as JSON on the same thread: a page of a
    /// list takes longer to write than to read.
    pub(crate) async fn take<T: Serialize>(
        &self,
        tenant: TenantNo,
        task: Task,
        work: impl FnOnce(&Open) -> Result<T, Failure> + Send + 'static,
    ) -> Answer {
        let body = self.work(tenant, task, move |open| Ok(serde_json::to_vec(&work(open)?))).await?;
        Ok(json(StatusCode::OK, body.map_err(|error| Problem::internal(&error))?))
    }

    /// Answers with what `work` wrote, once it is on disk: 201, or 200 if the same had been written before. As
    /// [`Session::commit`].
    pub(crate) async fn write<T: Serialize>(
        &self,
        tenant: TenantNo,
        task: Task,
        work: impl FnOnce(&Open) -> Result<Written<T>, Failure> + Clone + Send + 'static,
    ) -> Answer {
        let written = self.commit(tenant, task, move |open| {
            let Written { value, replayed, ticket } = work(open)?;
            Ok(Attempt { told: Ok((serde_json::to_vec(&value), replayed)), ticket })
        });
        let (body, replayed) = written.await?;
        let status = if replayed { StatusCode::OK } else { StatusCode::CREATED };
        Ok(json(status, body.map_err(|error| Problem::internal(&error))?))
    }

    /// Does `work`, and tells what came of it once that is on disk, and what it was found by. Where another host commits for
    /// the tenant first nothing was kept, and it is done again, from a copy of what it was given; each time it is admitted anew.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        tenant: TenantNo,
        task: Task,
        work: impl FnOnce(&Open) -> Result<Attempt<T>, Failure> + Clone + Send + 'static,
    ) -> Result<T, Problem> {
        let mut pauses = conflict_pauses();
        loop {
            match self.attempt(tenant, task, &work).await {
                Err(problem) if problem.is_conflict() => {
                    let Some(pause) = pauses.next() else { return Err(problem) };
                    self.api.shared.conflicts.fetch_add(1, Ordering::Relaxed);
                    sleep(pause).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt<T: Send + 'static>(
        &self,
        tenant: TenantNo,
        task: Task,
        work: &(impl FnOnce(&Open) -> Result<Attempt<T>, Failure> + Clone + Send + 'static),
    ) -> Result<T, Problem> {
        let permit = self.api.shared.admission.enter(tenant, task).await?;
        let work = work.clone();
        let attempt = self.admitted(permit, move |open| {
            let losses = open.office.store().losses(tenant);
            let Attempt { told, ticket } = match work(open) {
                Err(Failure::Business(no)) => Attempt { told: Err(no), ticket: None },
                done => done?,
            };
            let proof = match (&told, ticket) {
                (_, Some(ticket)) => Proof::Ticket(ticket),
                (Err(no), None) if !is_of_the_state(no) => return Err(no.clone().into()),
                (_, None) => Proof::of(open, tenant, losses)?,
            };
            Ok((told, proof))
        });
        let (told, proof) = attempt.await?;
        self.proven(proof).await?;
        told.map_err(Problem::from)
    }

    /// If the store has stopped, opening it again begins.
    pub(crate) fn check_store(&self) {
        if let Some(open) = self.open.upgrade() {
            self.api.check(&open);
        }
    }

    /// Waits until a commit is on disk. No thread waits.
    pub(crate) async fn durable(&self, ticket: Option<Ticket>) -> Result<(), Problem> {
        let Some(ticket) = ticket else { return Ok(()) };
        let (told, tells) = oneshot::channel();
        // If the caller went away there is nobody to tell.
        ticket.on_durable(Box::new(move |outcome| drop(told.send(outcome))));
        match tells.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.failure(error.into())),
            Err(lost) => Err(Problem::internal(&lost)),
        }
    }

    /// Waits until what was found or written is on disk.
    async fn proven(&self, proof: Proof) -> Result<(), Problem> {
        let revision = match proof {
            Proof::Ticket(ticket) => return self.durable(Some(ticket)).await,
            Proof::Revision(revision) => revision,
        };
        loop {
            let Some(open) = self.open.upgrade() else { return Err(gone()) };
            let status = open.office.store().status();
            if status.durable >= revision {
                return Ok(());
            }
            // While the disk is full it may take as long as it likes.
            if let Some(why) = status.failed.or(status.held) {
                return Err(self.api.failure(&open, StoreError::Unavailable(why).into()));
            }
            drop(open);
            sleep(SYNC_POLL).await;
        }
    }

    fn failure(&self, failure: Failure) -> Problem {
        match (self.open.upgrade(), failure) {
            (Some(open), failure) => self.api.failure(&open, failure),
            (None, Failure::Business(error)) => error.into(),
            (None, Failure::Store(error)) => error.into(),
        }
    }
}

impl Books {
    pub(crate) fn new(session: Session, tenant: Tenant) -> Self {
        Self { session, tenant }
    }

    pub(crate) fn number(&self) -> TenantNo {
        number(&self.tenant)
    }

    /// The caller as the use cases see them.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            actor: self.session.actor.clone(),
            layers: vec![Arc::clone(&self.session.rights)],
            installation: None,
            run: None,
        }
    }

    /// Answers with what a use case reads.
    pub(crate) async fn read<T: Serialize>(
        &self,
        use_case: impl FnOnce(&Work) -> Result<T, Failure> + Send + 'static,
    ) -> Answer {
        let (caller, number) = (self.caller(), self.number());
        self.session.read(number, move |open| use_case(&open.office.read(number, caller, clock::now())?)).await
    }
}

/// Runs `work` on a thread that may block, in the span of the request. The permit is held until it ends, even if nobody
/// waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let span = Span::current();
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        span.in_scope(work)
    });
    done.await.map_err(|panic| Problem::internal(&panic))
}

/// The store failed while the request waited.
fn gone() -> Problem {
    Problem::unavailable(
        "unavailable",
        "the store has stopped and is being opened again; send the same again, with the same id: it is done at most once",
        2,
    )
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.into()).into_response()
}
