//! One request on one host, step by step, as the service does it: look whether the run is on record, work, seal, commit, wait for the
//! ticket. Between two steps anything else may happen. Every answer is compared with the model's.

use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};

use backroom_domain::rights::Rights;
use backroom_domain::{Effect, Id, Instant};
use backroom_office::imports::{self, ImportFailure};
use backroom_office::runs::{self, RunDetail};
use backroom_office::{Caller, Failure, NewInstallation, Sealed, Work, Written};
use backroom_store::records::{Installation, Limits, RunRecord, RunStatus};
use backroom_store::{Hash, Meta, StoreError, TenantNo, Ticket, Tx};

use crate::files::Files;
use crate::model::{Doer, Model, Ran};
use crate::plan::{Ask, Command, Dry, INSTALLATIONS, Script};
use crate::script::{day, id, perform, rights};
use crate::world::{Books, Machine};

/// What a client is told in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It stands in the tenant's chain under this number: committed, or refused and recorded.
    Recorded { number: u64, committed: bool },
    /// A dry run, an import that was refused, an installation that there was already, ...: nothing was written.
    Nothing,
}

/// What came of a step.
pub(crate) enum Came {
    /// It goes on.
    On,
    /// To be told to whoever asked.
    Told(Answer),
    /// The host could not do its part; whoever asked asks again.
    Failed,
}

/// A request under way.
pub(crate) struct Execution {
    pub(crate) command: Rc<Command>,
    /// The time of the request.
    now: u64,
    stage: Stage,
    /// Effects of the dry run before, and the head that it read.
    planned: Option<(Hash, Vec<Effect>)>,
}

type Heard = Arc<Mutex<Option<Result<(), StoreError>>>>;

enum Stage {
    Begin,
    Open(Box<Open>),
    /// The script was refused, and that is to be recorded.
    Refused,
    /// For the ticket.
    Waiting(Heard, Answer),
    /// For the head that was read: nothing may be said that a crash could take back.
    Settling(Hash, Answer),
}

/// A unit of work under way, and what it should be.
struct Open {
    work: Work,
    model: Model,
    base: Hash,
    next: usize,
    doer: Doer,
}

/// Why a step did not give what was wanted: told to be so, or the store.
type Step = Result<Came, StoreError>;

impl Execution {
    pub(crate) fn new(command: Rc<Command>, now: u64) -> Self {
        Self { command, now, stage: Stage::Begin, planned: None }
    }

    /// Does one step on `machine`, or waits.
    pub(crate) fn step(&mut self, machine: &Machine, books: &mut Books) -> Came {
        let stage = std::mem::replace(&mut self.stage, Stage::Begin);
        let came = match stage {
            Stage::Begin => self.begin(machine, books),
            Stage::Open(open) => self.work(*open, books),
            Stage::Refused => self.record_refusal(machine, books),
            Stage::Waiting(heard, answer) => self.wait(heard, answer),
            Stage::Settling(base, answer) => Ok(self.settle(base, answer, books)),
        };
        match came {
            Ok(came) => came,
            // Nothing was kept: from the beginning, sooner or later.
            Err(StoreError::Busy(_)) => Came::On,
            Err(error @ (StoreError::Conflict | StoreError::Expired)) => {
                assert!(error.retriable());
                books.counts.retried += 1;
                self.stage = Stage::Begin;
                Came::On
            }
            Err(StoreError::Unavailable(_)) => Came::Failed,
            Err(error) => panic!("{error} at {}", self.command),
        }
    }

    fn tenant(&self) -> TenantNo {
        TenantNo(self.command.tenant.into())
    }

    fn begin(&mut self, machine: &Machine, books: &mut Books) -> Step {
        let command = Rc::clone(&self.command);
        match &command.ask {
            Ask::Run(script) if script.dry != Dry::No && self.planned.is_none() => {
                let tx = machine.store.read(self.tenant())?;
                let base = machine.shared.head(self.tenant())?.hash;
                self.open(tx, base, script, books)
            }
            Ask::Run(script) => {
                let tx = machine.store.write(self.tenant())?;
                let base = machine.engine.look(self.tenant()).hash;
                if let Some(answer) = self.known(&tx, base, script, books)? {
                    return Ok(self.settling(base, answer));
                }
                self.open(tx, base, script, books)
            }
            Ask::Import { set, bad } => {
                let files = Files::of(*set);
                self.import(if *bad { files.spoilt() } else { files }, machine, books)
            }
            Ask::Install { name, clerk, config } => {
                self.install(INSTALLATIONS[usize::from(*name)], *clerk, *config, machine, books)
            }
            Ask::Company { number, name } => {
                self.company(&format!("c{number}"), &format!("Company {name}"), machine, books)
            }
        }
    }

    /// The answer to a run that is on record.
    fn known(&self, tx: &Tx, base: Hash, script: &Script, books: &Books) -> Result<Option<Answer>, StoreError> {
        let run = run_id(script);
        let found = tx.get::<RunRecord>(&run)?;
        let model = books.model(self.tenant(), base);
        let seen = found.map(|record| Ran {
            committed: record.status == RunStatus::Committed,
            number: record.number,
            installation: INSTALLATIONS.into_iter().find(|name| *name == record.installation.as_str()).unwrap(),
            request: record.request_hash,
        });
        assert_eq!(seen.as_ref(), model.runs.get(run.as_str()), "run {run} on record, at {}", self.command);
        Ok(seen.map(|ran| {
            let same = ran.request == request_hash(script);
            if same { Answer::Recorded { number: ran.number, committed: ran.committed } } else { Answer::Nothing }
        }))
    }

    fn open(&mut self, tx: Tx, base: Hash, script: &Script, books: &Books) -> Step {
        let model = books.model(self.tenant(), base).begin();
        let name = INSTALLATIONS[usize::from(script.installation)];
        let installed = tx.get::<Installation>(&id(name))?;
        let expected = model.installations.get(name);
        assert_eq!(installed.is_some(), expected.is_some(), "the installation {name}, at {}", self.command);
        let (Some(installed), Some((clerk, _))) = (installed, expected) else {
            return Ok(self.settling(base, Answer::Nothing));
        };
        let run = run_id(script);
        let layers = vec![Arc::new(Rights::all()), Arc::new(installed.grants)];
        let caller = Caller { actor: "ann".into(), layers, installation: Some(id(name)), run: Some(run.clone()) };
        let doer = Doer { clerk: *clerk, installation: name, run: run.to_string(), at: self.now };
        let work = Work::new(tx, caller, Instant(self.now), day(0));
        self.stage = Stage::Open(Box::new(Open { work, model, base, next: 0, doer }));
        Ok(Came::On)
    }

    /// The next call of the script, or its end.
    fn work(&mut self, mut open: Open, books: &mut Books) -> Step {
        let command = Rc::clone(&self.command);
        let Ask::Run(script) = &command.ask else { return Ok(Came::Told(Answer::Nothing)) };
        let Some(call) = script.calls.get(open.next) else { return self.end(open, script, books) };
        let told = perform(&mut open.work, call)?;
        let expected = open.model.perform(&open.doer, call);
        assert_eq!(told, expected, "{call:?} at {command}");
        assert_eq!(open.work.effects().len(), open.model.done, "effects after {call:?} at {command}");
        *books.counts.told.entry(told.as_ref().err().cloned().unwrap_or_else(|| "done".to_owned())).or_default() += 1;
        open.next += 1;
        if told.is_err() && !script.tolerant {
            return Ok(self.refused(open.base, script, books));
        }
        self.stage = Stage::Open(Box::new(open));
        Ok(Came::On)
    }

    /// After a dry run comes the real one, or the answer; a real one that was refused is recorded in a unit of work of its own.
    fn refused(&mut self, base: Hash, script: &Script, books: &mut Books) -> Came {
        books.counts.refused += 1;
        match (script.dry, self.planned.is_some()) {
            (Dry::Only, _) => return self.settling(base, Answer::Nothing),
            (Dry::Before, false) => self.planned = Some((base, Vec::new())),
            _ => self.stage = Stage::Refused,
        }
        Came::On
    }

    fn end(&mut self, open: Open, script: &Script, books: &mut Books) -> Step {
        let Open { work, model, base, .. } = open;
        let sealed = match work.seal() {
            Ok(sealed) => Ok(sealed),
            Err(Failure::Business(error)) => Err(error.code().to_owned()),
            Err(Failure::Store(error)) => return Err(error),
        };
        assert_eq!(sealed.as_ref().err().map(String::as_str), model.end().err(), "the end of {}", self.command);
        let Ok(sealed) = sealed else { return Ok(self.refused(base, script, books)) };
        let effects = sealed.effects.clone();
        if script.dry != Dry::No && self.planned.is_none() {
            if script.dry == Dry::Only {
                return Ok(self.settling(base, Answer::Nothing));
            }
            self.planned = Some((base, effects));
            return Ok(Came::On);
        }
        if let Some((read, planned)) = &self.planned
            && *read == base
        {
            assert_eq!(&effects, planned, "the dry run and the real one differ: {}", self.command);
            books.counts.plans_kept += 1;
        }
        self.commit(sealed, model, base, script, books)
    }

    fn commit(&mut self, mut sealed: Sealed, model: Model, base: Hash, script: &Script, books: &mut Books) -> Step {
        let number = model.number + 1;
        let (record, model) = self.record(script, number, true, model.committed());
        store(sealed.put(&record))?;
        let committed = store(sealed.commit(self.meta("run", script, RunStatus::Committed)))?;
        assert_eq!(committed.number, number, "{}", self.command);
        books.add(self.tenant(), base, committed.hash, model, &self.command);
        self.stage = waiting(committed.ticket, Answer::Recorded { number, committed: true });
        Ok(Came::On)
    }

    /// A run of which nothing is kept is recorded all the same.
    fn record_refusal(&mut self, machine: &Machine, books: &mut Books) -> Step {
        let command = Rc::clone(&self.command);
        let Ask::Run(script) = &command.ask else { return Ok(Came::Told(Answer::Nothing)) };
        // An error leaves the stage at the beginning: the script runs again.
        let mut tx = machine.store.write(self.tenant())?;
        let base = machine.engine.look(self.tenant()).hash;
        if let Some(answer) = self.known(&tx, base, script, books)? {
            return Ok(self.settling(base, answer));
        }
        let number = tx.commit_number()?;
        let (record, model) = self.record(script, number, false, books.model(self.tenant(), base).committed());
        tx.put(&record)?;
        let committed = tx.commit(self.meta("run-attempt", script, RunStatus::Refused))?;
        assert_eq!((committed.number, model.number), (number, number), "{command}");
        books.add(self.tenant(), base, committed.hash, model, &command);
        self.stage = waiting(committed.ticket, Answer::Recorded { number, committed: false });
        Ok(Came::On)
    }

    fn record(&self, script: &Script, number: u64, committed: bool, mut model: Model) -> (RunRecord, Model) {
        let installation = INSTALLATIONS[usize::from(script.installation)];
        let (run, request) = (run_id(script), request_hash(script));
        Rc::make_mut(&mut model.runs).insert(run.to_string(), Ran { committed, number, installation, request });
        let status = if committed { RunStatus::Committed } else { RunStatus::Refused };
        let at = Instant(self.now);
        (RunRecord { id: run, installation: id(installation), status, number, request_hash: request, at }, model)
    }

    fn meta(&self, kind: &str, script: &Script, status: RunStatus) -> Meta {
        let installation = id(INSTALLATIONS[usize::from(script.installation)]);
        let detail = RunDetail {
            installation: installation.clone(),
            release: RELEASE.to_owned(),
            date: day(0),
            now: Instant(self.now),
            input: format!("{:?}", script.calls),
            rights: Rights::all(),
            actor: "ann".to_owned(),
            status,
            output: None,
            error: None,
            fault: None,
            fuel: 0,
            host_calls: script.calls.len() as u32,
            log: Vec::new(),
            log_dropped: 0,
        };
        Meta {
            at: self.now,
            actor: "ann".into(),
            kind: kind.into(),
            run: Some(run_id(script).to_string()),
            installation: Some(installation.to_string()),
            detail: Some(detail.encode()),
            ..Meta::default()
        }
    }

    fn import(&mut self, files: Files, machine: &Machine, books: &mut Books) -> Step {
        let tx = machine.store.write(self.tenant())?;
        let base = machine.engine.look(self.tenant()).hash;
        let mut model = books.model(self.tenant(), base).begin();
        let caller =
            Caller { actor: "ann".into(), layers: vec![Arc::new(Rights::all())], installation: None, run: None };
        let mut work = Work::new(tx, caller, Instant(self.now), day(0));
        let set = imports::read(&files.sent());
        assert!(set.problems().is_empty(), "{:?}", set.problems());
        let done = match imports::apply(&mut work, &set) {
            Ok(_) => true,
            Err(ImportFailure::Rows(_)) => false,
            Err(ImportFailure::Failure(Failure::Store(error))) => return Err(error),
            Err(ImportFailure::Failure(failure)) => panic!("{failure} at {}", self.command),
        };
        let doer = Doer { clerk: false, installation: "", run: String::new(), at: self.now };
        let expected = model.import(&doer, &files);
        assert_eq!(done, expected.is_ok(), "{expected:?} at {}", self.command);
        if !done {
            return Ok(self.settling(base, Answer::Nothing));
        }
        let sealed = store(work.seal())?;
        let meta = Meta { at: self.now, actor: "ann".into(), kind: "import".into(), ..Meta::default() };
        let committed = store(sealed.commit(meta))?;
        let model = model.committed();
        assert_eq!(committed.number, model.number, "{}", self.command);
        books.add(self.tenant(), base, committed.hash, model, &self.command);
        self.stage = waiting(committed.ticket, Answer::Recorded { number: committed.number, committed: true });
        Ok(Came::On)
    }

    fn install(&mut self, name: &'static str, clerk: bool, config: u8, machine: &Machine, books: &mut Books) -> Step {
        let base = machine.engine.look(self.tenant()).hash;
        let new = NewInstallation {
            name: id(name),
            release: RELEASE.to_owned(),
            grants: rights(clerk),
            config: [("n".to_owned(), config.to_string())].into(),
            limits: Limits::default(),
        };
        let written = store(machine.office.install("ann", Instant(self.now), self.tenant(), new))?;
        let mut model = books.model(self.tenant(), base).committed();
        let old = Rc::make_mut(&mut model.installations).insert(name, (clerk, config));
        assert_eq!(written.replayed, old == Some((clerk, config)), "{}", self.command);
        Ok(self.written(written, base, model, machine, books))
    }

    fn company(&mut self, code: &str, name: &str, machine: &Machine, books: &mut Books) -> Step {
        let base = machine.engine.look(self.tenant()).hash;
        let result = machine.office.create_tenant("ann", Instant(self.now), id(code), name);
        let before = books.model(self.tenant(), base);
        let refused = before.companies.get(code).is_some_and(|(old, _)| old != name);
        let written = match result {
            Ok(written) => written,
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Business(error)) => {
                assert!(refused && error.code() == "exists-with-different", "{error} at {}", self.command);
                return Ok(self.settling(base, Answer::Nothing));
            }
        };
        assert!(!refused, "{}", self.command);
        let mut model = before.committed();
        let next = model.companies.len() as u32 + 1;
        let (_, number) =
            Rc::make_mut(&mut model.companies).entry(code.into()).or_insert((name.to_owned(), next)).clone();
        assert_eq!((written.value.number, written.replayed), (number, number != next), "{}", self.command);
        Ok(self.written(written, base, model, machine, books))
    }

    /// The end of a use case that commits by itself.
    fn written<T>(
        &mut self,
        written: Written<T>,
        base: Hash,
        model: Model,
        machine: &Machine,
        books: &mut Books,
    ) -> Came {
        let Some(ticket) = written.ticket else { return self.settling(base, Answer::Nothing) };
        let head = machine.engine.look(self.tenant());
        assert_eq!(head.number, model.number, "{}", self.command);
        books.add(self.tenant(), base, head.hash, model, &self.command);
        self.stage = waiting(ticket, Answer::Recorded { number: head.number, committed: true });
        Came::On
    }

    fn wait(&mut self, heard: Heard, answer: Answer) -> Step {
        let outcome = heard.lock().unwrap().clone();
        match outcome {
            None => self.stage = Stage::Waiting(heard, answer),
            Some(Ok(())) => return Ok(Came::Told(answer)),
            Some(Err(error)) => return Err(error),
        }
        Ok(Came::On)
    }

    fn settling(&mut self, base: Hash, answer: Answer) -> Came {
        self.stage = Stage::Settling(base, answer);
        Came::On
    }

    fn settle(&mut self, base: Hash, answer: Answer, books: &Books) -> Came {
        if books.is_durable(self.tenant(), base) {
            return Came::Told(answer);
        }
        if !books.is_lost(self.tenant(), base) {
            self.stage = Stage::Settling(base, answer);
        }
        Came::On
    }
}

/// Nothing runs it here; it goes along when a tenant moves.
pub(crate) const COMPONENT: &[u8] = b"the one component";

/// The one release.
pub(crate) static RELEASE: LazyLock<String> = LazyLock::new(|| Hash::of(COMPONENT).to_string());

pub(crate) fn run_id(script: &Script) -> Id {
    id(&format!("r{}", script.run))
}

fn request_hash(script: &Script) -> [u8; 32] {
    let input = format!("{:?} {} {:?}", script.calls, script.tolerant, script.dry);
    runs::request_hash(&id(INSTALLATIONS[usize::from(script.installation)]), Some(day(0)), &input)
}

fn waiting(ticket: Ticket, answer: Answer) -> Stage {
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    ticket.on_durable(Box::new(move |outcome| *ear.lock().unwrap() = Some(outcome)));
    Stage::Waiting(heard, answer)
}

/// For use cases that cannot be refused here.
fn store<T>(result: backroom_office::Result<T>) -> Result<T, StoreError> {
    result.map_err(|failure| match failure {
        Failure::Store(error) => error,
        Failure::Business(error) => panic!("{error}"),
    })
}
