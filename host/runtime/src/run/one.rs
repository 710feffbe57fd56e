//! One request on its way: the dry run, the commit, the record of an attempt, and the answer to the same id again.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use backroom_domain::{BusinessDate, Error, Id, Instant};
use backroom_office::calls::Exchange;
use backroom_office::limits::Budget;
use backroom_office::runs::{self, RunDetail};
use backroom_office::{Caller, Failure, Work, queue};
use backroom_store::records::{Installation, QueuedRun, RunRecord, RunStatus};
use backroom_store::{Committed, Hash, Meta, Store, StoreError, TenantNo, Tx};

use super::end::{End, Tail, execute, layers, too_large};
use super::{Installed, RunHandle, RunRequest, Runner};
use crate::error::RunnerError;
use crate::outbound::{Calls, Held, RunKey, Tape};
use crate::plugin::Plugin;
use crate::report::{RunReport, Status};

/// How long the answer to a repeated request waits until the first one is on disk.
const SETTLE: Duration = Duration::from_secs(10);

/// One request on its way.
pub(crate) struct Run<'a> {
    pub(crate) runner: &'a Runner,
    pub(crate) request: RunRequest,
    pub(crate) id: Id,
    /// The id was made up for it, and so nothing can be on record under it: that is not looked up, as nothing that is not there
    /// is found quickly.
    pub(crate) made_up: bool,
    pub(crate) date: BusinessDate,
    /// Of the input.
    pub(crate) hash: Hash,
    /// Of the lease under which it is done, if it waited for that.
    pub(crate) fence: Option<u64>,
    /// What its attempts have sent, held over all of them.
    pub(crate) tape: &'a OnceCell<Arc<Tape>>,
}

impl Run<'_> {
    pub(super) fn plan(self) -> Result<RunHandle, RunnerError> {
        let inner = &self.runner.0;
        let tx = inner.store.read(self.request.tenant)?;
        let installation = self.installation(&tx)?;
        let plugin = self.runner.plugin(&installation.release)?;
        let release = installation.release.clone();
        let budget = self.budget(&tx, &installation)?;
        let work = self.work(tx, &plugin, &installation);
        let calls = self.runner.calls(self.request.tenant, true, Arc::default());
        let (of, input) = ((&*installation, &budget), &self.request.input);
        let (end, tail) = execute(&inner.runtime, &plugin, work, of, input, calls, inner.fails_at)?;
        let mut report = self.report(release, &tail);
        match end {
            End::Ok(sealed, output) => {
                report.effects = sealed.effects;
                report.output = Some(output);
            }
            End::Refused(error) => (report.status, report.error) = (Status::Refused, Some(error)),
            End::Failed(fault) => (report.status, report.fault) = (Status::Failed, Some(fault)),
        }
        Ok(RunHandle { report, ticket: None, sent: None })
    }

    pub(crate) fn commit(self) -> Result<RunHandle, RunnerError> {
        let inner = &self.runner.0;
        let mut loaded: Option<Arc<Plugin>> = None;
        let (tx, queued, installation, plugin) = loop {
            let tx = self.begin()?;
            if let Some(record) = self.recorded(&tx)? {
                return self.known(tx, &record);
            }
            let (tx, queued) = self.queued_before(tx)?;
            let installation = self.installation(&tx)?;
            let kept = loaded.take().filter(|plugin| plugin.digest() == installation.release);
            if let Some(plugin) = kept.or_else(|| inner.runtime.plugin(&installation.release)) {
                break (tx, queued, installation, plugin);
            }
            // Compiling takes seconds: not while others of this tenant wait.
            drop(tx);
            loaded = Some(self.runner.plugin(&installation.release)?);
        };
        let release = installation.release.clone();
        let number = tx.commit_number()?;
        let budget = self.budget(&tx, &installation)?;
        let work = self.work(tx, &plugin, &installation);
        let tape = self.tape.get_or_init(|| inner.tapes.of(&self.key()));
        let calls = self.runner.calls(self.request.tenant, false, Arc::clone(tape));
        let (of, input) = ((&*installation, &budget), &self.request.input);
        let executed = execute(&inner.runtime, &plugin, work, of, input, calls, inner.fails_at);
        // Whatever comes now: if it is begun anew, nothing is sent twice.
        if !tape.is_empty() {
            inner.tapes.keep(&self.key(), tape);
        }
        let (end, tail) = executed?;
        let mut report = self.report(release, &tail);
        match end {
            End::Ok(mut sealed, output) => {
                report.status = Status::Committed;
                report.output = Some(output);
                sealed.put(&self.record(RunStatus::Committed, number))?;
                if let Some(queued) = &queued {
                    queue::remove(sealed.tx_mut(), queued)?;
                }
                budget.spend(sealed.tx_mut(), tail.fuel)?;
                match sealed.commit_and_show(self.meta("run", RunStatus::Committed, &report, &tail)) {
                    Ok((committed, effects)) => {
                        report.effects = effects;
                        Ok(self.done(report, committed))
                    }
                    // Nothing of it can be kept, but what it sent has to stand somewhere.
                    Err(Failure::Store(error @ StoreError::TooLarge { .. })) => {
                        (report.status, report.output) = (Status::Refused, None);
                        report.error = Some(too_large(&error));
                        self.attempt(report, RunStatus::Refused, &tail, Some(&budget))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            End::Refused(error) => {
                (report.status, report.error) = (Status::Refused, Some(error));
                self.attempt(report, RunStatus::Refused, &tail, Some(&budget))
            }
            End::Failed(fault) => {
                (report.status, report.fault) = (Status::Failed, Some(fault));
                self.attempt(report, RunStatus::Failed, &tail, Some(&budget))
            }
        }
    }

    /// A unit of work for the run to be committed in.
    fn begin(&self) -> Result<Tx, RunnerError> {
        let mut tx = self.runner.0.store.write(self.request.tenant)?;
        if let Some(fence) = self.fence {
            tx.set_fence(fence);
        }
        Ok(tx)
    }

    /// What is on record under its id.
    fn recorded(&self, tx: &Tx) -> Result<Option<RunRecord>, RunnerError> {
        if self.made_up { Ok(None) } else { Ok(tx.get(&self.id)?) }
    }

    /// The same run as it waits in the queue. Whoever does it, the queue's turn or not, takes it out.
    fn queued_before(&self, tx: Tx) -> Result<(Tx, Option<QueuedRun>), RunnerError> {
        let queued = if self.made_up { None } else { queue::waiting(&tx, &self.id)? };
        match queued {
            Some(queued) => Ok((self.check_queued(tx, &queued)?, Some(queued))),
            None => Ok((tx, None)),
        }
    }

    /// Refuses if the id is that of another request that waits. That counts once it is durable only: until then, another host
    /// may have come first with something else. It is not waited for during the turn.
    pub(crate) fn check_queued(&self, tx: Tx, queued: &QueuedRun) -> Result<Tx, RunnerError> {
        let Err(refused) = self.check_same(&queued.installation, &queued.request_hash) else { return Ok(tx) };
        let kept = self.once_durable(tx, queued.number)?.get::<QueuedRun>(&queued.id)?;
        Err(if kept.as_ref() == Some(queued) { refused } else { RunnerError::Conflict })
    }

    /// The tenant's state once everything up to this number is durable, which `tx` has seen on its way.
    fn once_durable(&self, tx: Tx, number: u64) -> Result<Tx, RunnerError> {
        let (store, tenant) = (&self.runner.0.store, self.request.tenant);
        let seen = tx.sequenced()?;
        drop(tx);
        if let Some(ticket) = seen {
            // It is known at once if that was lost.
            ticket.wait()?;
        }
        settled(store, tenant, number)?;
        Ok(store.read(tenant)?)
    }

    /// Refuses if the id was used for another request.
    pub(crate) fn check_same(&self, installation: &Id, hash: &[u8; 32]) -> Result<(), RunnerError> {
        if *hash == self.request_hash() {
            return Ok(());
        }
        let field = if *installation == self.request.installation { "input" } else { "installation" };
        Err(Error::exists_with_different("run", &self.id, field).into())
    }

    /// As it is kept while it waits.
    pub(crate) fn queued(&self, number: u64) -> QueuedRun {
        QueuedRun {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            date: self.request.date,
            input: self.request.input.as_ref().to_owned(),
            actor: self.request.actor.clone(),
            rights: (*self.request.rights).clone(),
            request_hash: self.request_hash(),
            queued_at: self.request.now,
            number,
        }
    }

    /// Records that it was refused before the plugin began.
    pub(crate) fn refuse(self, error: Error) -> Result<RunHandle, RunnerError> {
        let found = self.runner.0.store.read(self.request.tenant)?.get::<Installation>(&self.request.installation)?;
        let release = found.map(|installation| installation.release).unwrap_or_default();
        let tail = Tail {
            fuel: 0,
            host_calls: 0,
            log: Vec::new(),
            log_dropped: 0,
            erased: Vec::new(),
            calls: Calls::default(),
        };
        let report = RunReport { status: Status::Refused, error: Some(error), ..self.report(release, &tail) };
        self.attempt(report, RunStatus::Refused, &tail, None)
    }

    /// Records a run of which nothing else is kept, but that it used its budget, if it began.
    fn attempt(
        self,
        report: RunReport,
        status: RunStatus,
        tail: &Tail,
        budget: Option<&Budget>,
    ) -> Result<RunHandle, RunnerError> {
        let tx = self.begin()?;
        // Between the two turns, the same request may have come again.
        if let Some(record) = self.recorded(&tx)? {
            return self.known(tx, &record);
        }
        let (mut tx, queued) = self.queued_before(tx)?;
        if let Some(queued) = queued {
            queue::remove(&mut tx, &queued)?;
        }
        if let Some(budget) = budget {
            budget.spend(&mut tx, tail.fuel)?;
        }
        tx.put(&self.record(status, tx.commit_number()?))?;
        let committed = tx.commit(self.meta("run-attempt", status, &report, tail))?;
        Ok(self.done(report, committed))
    }

    /// The answer to a request whose id is on record.
    pub(crate) fn known(self, tx: Tx, record: &RunRecord) -> Result<RunHandle, RunnerError> {
        // It may have been seen before it was durable. Another host may have come first, with another entry of that number.
        if self.once_durable(tx, record.number)?.get::<RunRecord>(&record.id)?.as_ref() != Some(record) {
            return Err(RunnerError::Conflict);
        }
        self.check_same(&record.installation, &record.request_hash)?;
        let number = record.number;
        let run = runs::recorded(&self.runner.0.store, self.request.tenant, number)?;
        let missing =
            || RunnerError::Unavailable(format!("the log has no run under number {number}; run `backroom log verify`"));
        Ok(RunHandle {
            report: RunReport::recorded(record.clone(), run.ok_or_else(missing)?),
            ticket: None,
            sent: None,
        })
    }

    pub(crate) fn installation(&self, tx: &Tx) -> Result<Arc<Installed>, RunnerError> {
        let name = &self.request.installation;
        let found = tx.get_kept(name, &self.runner.0.installations)?;
        Ok(found.ok_or_else(|| Error::not_found("installation", name))?)
    }

    fn budget(&self, tx: &Tx, installation: &Installed) -> Result<Budget, RunnerError> {
        Ok(Budget::of(tx, &installation.name, &installation.limits, day_of(self.request.now))?)
    }

    fn work(&self, tx: Tx, plugin: &Plugin, installation: &Installed) -> Work {
        let caller = Caller {
            actor: self.request.actor.clone(),
            layers: layers(Arc::clone(&self.request.rights), plugin, installation),
            installation: Some(installation.name.clone()),
            run: Some(self.id.clone()),
        };
        Work::new(tx, caller, self.request.now, self.date)
    }

    /// Which tape is its own.
    fn key(&self) -> RunKey {
        RunKey { tenant: self.request.tenant, run: self.id.clone(), request: self.request_hash() }
    }

    fn request_hash(&self) -> [u8; 32] {
        runs::request_hash(&self.request.installation, self.request.date, &self.request.input)
    }

    fn record(&self, status: RunStatus, number: u64) -> RunRecord {
        RunRecord {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            status,
            number,
            request_hash: self.request_hash(),
            at: self.request.now,
        }
    }

    /// The report of a dry run that is ok and has no effects; the caller knows better.
    fn report(&self, release: String, tail: &Tail) -> RunReport {
        RunReport {
            id: self.id.clone(),
            installation: self.request.installation.clone(),
            release,
            mode: self.request.mode,
            status: Status::Ok,
            at: self.request.now,
            date: self.date,
            input_hash: self.hash.to_string(),
            output: None,
            error: None,
            fault: None,
            effects: Vec::new(),
            fuel: tail.fuel,
            host_calls: tail.host_calls,
            log: tail.log.clone(),
            log_dropped: tail.log_dropped,
            calls: tail.calls.made.iter().map(Exchange::line).collect(),
            number: None,
            hash: None,
            replayed: false,
        }
    }

    fn meta(&self, kind: &str, status: RunStatus, report: &RunReport, tail: &Tail) -> Meta {
        let detail = RunDetail {
            installation: self.request.installation.clone(),
            release: report.release.clone(),
            date: self.date,
            now: self.request.now,
            input: self.request.input.as_ref().to_owned(),
            rights: (*self.request.rights).clone(),
            actor: self.request.actor.clone(),
            status,
            output: report.output.as_ref().map(|output| output.get().to_owned()),
            error: report.error.clone(),
            fault: report.fault.clone(),
            fuel: report.fuel,
            host_calls: report.host_calls,
            log: report.log.clone(),
            log_dropped: report.log_dropped,
            calls: tail.calls.made.clone(),
            abandoned: tail.calls.abandoned(),
        };
        Meta {
            at: self.request.now.0,
            actor: self.request.actor.clone(),
            kind: kind.to_owned(),
            run: Some(self.id.to_string()),
            installation: Some(self.request.installation.to_string()),
            release: hex::decode(&report.release).ok().and_then(|digest| digest.try_into().ok()),
            input_hash: Some(self.hash.0),
            detail: Some(detail.encode()),
            effects: Vec::new(),
        }
    }

    fn done(&self, report: RunReport, committed: Committed) -> RunHandle {
        let Committed { number, hash, ticket, .. } = committed;
        let report = RunReport { number: Some(number), hash: Some(hash.to_string()), ..report };
        let tape = self.tape.get().filter(|tape| !tape.is_empty());
        let sent = tape.map(|tape| Held::new(&self.runner.0.tapes, self.key(), Arc::clone(tape)));
        RunHandle { report, ticket: Some(ticket), sent }
    }
}

/// The day that a run is counted for. A time that no calendar has is after all days.
pub(crate) fn day_of(now: Instant) -> BusinessDate {
    now.utc_date().unwrap_or(BusinessDate::MAX)
}

/// Waits until the tenant's entry `number`, which has its place in the log, is on disk.
fn settled(store: &Store, tenant: TenantNo, number: u64) -> Result<(), RunnerError> {
    let began = std::time::Instant::now();
    while store.head(tenant)?.number < number {
        if store.status().failed.is_some() || began.elapsed() > SETTLE {
            return Err(RunnerError::Unavailable("the first request with this id is not on disk yet".into()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
