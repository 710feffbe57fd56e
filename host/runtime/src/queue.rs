//! Runs that are asked for now and done later, by whichever host comes to them.

use std::cell::OnceCell;
use std::sync::Arc;

use backroom_domain::{Error, Id, Instant};
use backroom_office::queue::{self, MAX_QUEUED, MAX_QUEUED_INPUT};
use backroom_office::runs;
use backroom_store::records::{QueuedRun, RunRecord};
use backroom_store::{Lease, Meta, Ticket};

use crate::error::RunnerError;
use crate::report::Mode;
use crate::run::{Run, RunHandle, RunRequest, Runner, new_id};

/// What became of a run that was to be queued.
pub enum Enqueued {
    /// It waits. Nothing may be said to the caller before the ticket says that it is durable; if it waited before there may
    /// be none.
    Waiting {
        /// What waits.
        run: Box<QueuedRun>,
        /// `true` if it waited before.
        replayed: bool,
        /// Tells when it is on disk.
        ticket: Option<Ticket>,
    },
    /// It was done before.
    Done(Box<RunHandle>),
    /// The tenant's queue has no room. Nothing was kept.
    Full,
}

impl Runner {
    /// Queues a run instead of doing it now.
    ///
    /// # Errors
    /// As [`Runner::run`], but it is not begun anew; the input has at most [`MAX_QUEUED_INPUT`] bytes.
    pub fn enqueue(&self, request: RunRequest) -> Result<Enqueued, RunnerError> {
        if request.input.len() > MAX_QUEUED_INPUT {
            let message =
                format!("the input of a queued run has at most {MAX_QUEUED_INPUT} bytes, not {}", request.input.len());
            return Err(Error::invalid("input-too-large", "input", message).into());
        }
        let id = request.id.clone().map_or_else(|| new_id(request.now), Ok)?;
        let date = request.date.map_or_else(|| request.now.utc_date(), Ok)?;
        let (hash, tape) = (runs::input_hash(&request.input), OnceCell::new());
        let run = Run { runner: self, hash, id, made_up: false, date, request, fence: None, tape: &tape };
        let store = self.store();
        let mut tx = store.write(run.request.tenant)?;
        if let Some(record) = tx.get::<RunRecord>(&run.id)? {
            return run.known(tx, &record).map(|handle| Enqueued::Done(Box::new(handle)));
        }
        if let Some(found) = queue::waiting(&tx, &run.id)? {
            let ticket = tx.sequenced()?;
            drop(run.check_queued(tx, &found)?);
            return Ok(Enqueued::Waiting { run: Box::new(found), replayed: true, ticket });
        }
        drop(run.installation(&tx)?);
        if queue::length(&tx)? >= MAX_QUEUED {
            return Ok(Enqueued::Full);
        }
        let queued = run.queued(tx.commit_number()?);
        queue::add(&mut tx, &queued)?;
        let committed = tx.commit(Meta {
            at: queued.queued_at.0,
            actor: queued.actor.clone(),
            kind: "run-queued".to_owned(),
            run: Some(queued.id.to_string()),
            installation: Some(queued.installation.to_string()),
            input_hash: Some(run.hash.0),
            ..Meta::default()
        })?;
        Ok(Enqueued::Waiting { run: Box::new(queued), replayed: false, ticket: Some(committed.ticket) })
    }

    /// Does a run that waits, on this thread, under a lease of its tenant's queue. None if it does not wait any more. Whatever
    /// it comes to is on record then, and it waits no longer; only what says something about the service and nothing about
    /// the run is an error.
    ///
    /// # Errors
    /// [`RunnerError::Conflict`] if another host committed first, or has the lease now; else as [`Runner::run`], where it is
    /// the service that could not do it.
    pub fn run_queued(&self, lease: Lease, id: &Id, now: Instant) -> Result<Option<RunHandle>, RunnerError> {
        let Some(queued) = self.store().get::<QueuedRun>(lease.tenant, id)? else { return Ok(None) };
        let tape = OnceCell::new();
        let run = || -> Result<Run<'_>, RunnerError> {
            let date = queued.date.map_or_else(|| queued.queued_at.utc_date(), Ok)?;
            let request = RunRequest {
                tenant: lease.tenant,
                actor: queued.actor.clone(),
                rights: Arc::new(queued.rights.clone()),
                installation: queued.installation.clone(),
                id: Some(id.clone()),
                input: queued.input.as_str().into(),
                date: queued.date,
                mode: Mode::Commit,
                now,
            };
            let hash = runs::input_hash(&request.input);
            Ok(Run {
                runner: self,
                hash,
                id: id.clone(),
                made_up: false,
                date,
                request,
                fence: Some(lease.fence),
                tape: &tape,
            })
        };
        match run()?.commit() {
            // Asking again would give the same: whoever asked is told so by the record.
            Err(RunnerError::Business(error)) => run()?.refuse(error).map(Some),
            Err(RunnerError::Plugin(error)) if !error.is_passing() => {
                run()?.refuse(RunnerError::Plugin(error).into_error()).map(Some)
            }
            done => done.map(Some),
        }
    }
}
