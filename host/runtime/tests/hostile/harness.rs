//! One row, from the upload to the clean run behind it.

use std::collections::HashSet;

use backroom_domain::Class;
use backroom_runtime::{FaultKind, Mode, RunReport, Status};
use backroom_store::records::{Limits, RunRecord};
use backroom_store::{Head, TenantNo};

use crate::books::{NOW, Service, clerk};
use crate::guest::Guest;

/// How a row must end.
pub(crate) enum End {
    /// The upload is refused with this code, and a message that has this in it.
    NotTaken(&'static str, &'static str),
    /// The run fails with this fault, and a message that has this in it.
    Fault(FaultKind, &'static str),
    /// The run is refused with this class and code.
    Refused(Class, &'static str),
    /// The run is committed, with so many effects, and this holds for its report: the attack came to nothing.
    Harmless(usize, fn(&RunReport)),
}

/// One hostile guest.
pub(crate) struct Row {
    pub(crate) name: String,
    bytes: Vec<u8>,
    limits: Limits,
    /// The only line of its log.
    line: Option<&'static str>,
    end: End,
}

/// Budgets that are reached within a moment.
pub(crate) const LIMITS: Limits = Limits {
    memory: 8 << 20,
    wall_ms: 30_000,
    fuel: 20_000_000,
    host_calls: 1_000,
    effects: 100,
    log: 4 << 10,
    host_ms: 30_000,
    output: 1 << 20,
    depth: 100,
    day_fuel: None,
};

impl Row {
    /// A plugin that must end like this.
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>, end: End) -> Self {
        Self { name: name.into(), bytes, limits: LIMITS, line: None, end }
    }

    /// A guest that wants everything and must fail with this fault.
    pub(crate) fn fault(name: impl Into<String>, guest: &Guest<'_>, kind: FaultKind, part: &'static str) -> Self {
        Self::new(name, guest.plugin(), End::Fault(kind, part))
    }

    /// A guest with this body whose call must be refused.
    pub(crate) fn refused(name: impl Into<String>, run: &str, class: Class, code: &'static str) -> Self {
        Self::new(name, Guest { run, ..Guest::default() }.plugin(), End::Refused(class, code))
    }

    /// A guest that is committed with so many effects, and did no harm.
    pub(crate) fn harmless(name: impl Into<String>, guest: &Guest<'_>, effects: usize) -> Self {
        Self::new(name, guest.plugin(), End::Harmless(effects, |_| {}))
    }

    /// Bytes that are refused when they are uploaded.
    pub(crate) fn not_taken(name: impl Into<String>, bytes: Vec<u8>, code: &'static str, part: &'static str) -> Self {
        Self::new(name, bytes, End::NotTaken(code, part))
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With exactly this line in its log.
    pub(crate) fn logs(self, line: &'static str) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Of a row that is harmless: what else must hold.
    pub(crate) fn and(self, check: fn(&RunReport)) -> Self {
        match self.end {
            End::Harmless(effects, _) => Self { end: End::Harmless(effects, check), ..self },
            _ => panic!("{}: only of what is committed", self.name),
        }
    }

    fn check(&self) {
        let service = Service::new();
        let before = heads(&service);
        match &self.end {
            End::NotTaken(code, part) => self.check_upload(&service, code, part),
            end => self.check_run(&service, end),
        }
        let other = heads(&service)[1];
        assert_eq!(other, before[1], "the other tenant's chain moved");
        clean_run(&service);
    }

    /// Refused for its own reason, and nothing of it is there.
    fn check_upload(&self, service: &Service, code: &str, part: &str) {
        let before = heads(service);
        let error = service.runner.upload("admin", NOW, &self.bytes).unwrap_err().into_error();
        assert_eq!((error.class, error.code()), (Class::Invalid, code), "{error}");
        let message = &error.problems[0].message;
        assert!(message.contains(part), "{message:?} does not say {part:?}");
        // Of several lines, where it shows the place.
        message.lines().for_each(check_text);
        assert!(message.len() <= 8 << 10);
        let first = backroom_office::PageRequest::first(1);
        assert!(service.office.releases(&first).unwrap().items.is_empty());
        assert_eq!(std::fs::read_dir(service.dir.path().join("releases")).unwrap().count(), 0);
        assert_eq!(heads(service), before);
    }

    /// Both modes end in the same way, and nothing is kept but the record of the attempt.
    fn check_run(&self, service: &Service, end: &End) {
        service.install(service.tenant, "test", &self.bytes, self.limits);
        let [before, _] = heads(service);
        let planned = service.run(service.tenant, "test", None, Mode::DryRun, "{}");
        assert_eq!(heads(service)[0], before, "a dry run moved the chain");
        // Then what follows has to be the same as what was beside everybody else.
        service.apart();
        let [before, _] = heads(service);
        let report = service.run(service.tenant, "test", None, Mode::Commit, "{}");
        if crate::books::apart().is_some() && report.host_calls > 0 {
            assert!(crate::books::runtime().run_figures().idle_processes > 0, "it had no process of its own");
        }
        assert_eq!((&report.fault, &report.error), (&planned.fault, &planned.error));
        assert_eq!((report.effects.len(), report.host_calls), (planned.effects.len(), planned.host_calls));
        let words = |report: &RunReport| report.output.as_ref().map(|output| output.get().to_owned());
        assert_eq!((words(&report), &report.log), (words(&planned), &planned.log));
        if !matches!(end, End::Fault(FaultKind::Deadline, _)) {
            assert_eq!(report.fuel, planned.fuel, "not the same work twice");
        }
        check_words(&report);
        if let Some(line) = self.line {
            assert_eq!(report.log.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), [line]);
        }
        let status = match end {
            End::Fault(kind, part) => {
                let fault = report.fault.as_ref().unwrap_or_else(|| panic!("no fault: {report:#?}"));
                assert_eq!(fault.kind, *kind, "{}", fault.message);
                assert!(fault.message.contains(part), "{:?} does not say {part:?}", fault.message);
                Status::Failed
            }
            End::Refused(class, code) => {
                let error = report.error.as_ref().unwrap_or_else(|| panic!("no error: {report:#?}"));
                assert_eq!((error.class, error.code()), (*class, *code), "{error}");
                Status::Refused
            }
            End::Harmless(effects, check) => {
                assert_eq!((report.status, report.effects.len()), (Status::Committed, *effects), "{report:#?}");
                check(&report);
                return;
            }
            End::NotTaken(..) => panic!("it was taken"),
        };
        assert_eq!((report.status, report.number), (status, Some(before.number + 1)), "{report:#?}");
        let entry = service.runner.store().entry(service.tenant, before.number + 1).unwrap().unwrap();
        assert_eq!((entry.changes.len(), entry.effects.len()), (1, 0), "more than the record of the attempt was kept");
        let tx = service.runner.store().read(service.tenant).unwrap();
        assert!(tx.get::<RunRecord>(&report.id).unwrap().is_some());
        assert!(report.effects.is_empty() && report.output.is_none());
    }
}

/// Checks every row of a table and says which of them do not hold. A row that is lost is noticed: `count` is how many there are.
pub(crate) fn check(rows: Vec<Row>, count: usize) {
    assert_eq!(rows.len(), count, "rows were added or lost: say so in `main.rs`");
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have the same name");
    let mut failed = Vec::new();
    for row in &rows {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| row.check()));
        if checked.is_err() {
            failed.push(row.name.as_str());
        }
    }
    assert!(failed.is_empty(), "{} of {} rows do not hold: {failed:#?}", failed.len(), rows.len());
}

fn heads(service: &Service) -> [Head; 2] {
    [service.tenant, service.other].map(|tenant: TenantNo| service.runner.store().head(tenant).unwrap())
}

/// The next one is served as if nothing had been, on the same runtime, for both tenants.
fn clean_run(service: &Service) {
    for (tenant, mode) in [(service.tenant, Mode::Commit), (service.other, Mode::DryRun)] {
        // Of the other company everything has another name, so its answer is another one.
        service.install(tenant, "clerk", clerk(), Limits::default());
        let report = service.run(tenant, "clerk", None, mode, "{\"n\":1}");
        match mode {
            Mode::Commit => assert_eq!((report.status, report.effects.len()), (Status::Committed, 2), "{report:#?}"),
            Mode::DryRun => assert_eq!(report.error.unwrap().code(), "account-not-found"),
        }
    }
    assert!(service.runner.store().verify(&mut |_| {}).unwrap().is_sound());
}

/// Whatever is shown to people is short and plays no tricks on a terminal.
fn check_words(report: &RunReport) {
    let problems = report.error.iter().flat_map(|error| &error.problems);
    for problem in problems {
        check_text(&problem.code);
        check_text(&problem.message);
        check_text(problem.field.as_deref().unwrap_or_default());
    }
    report.fault.iter().for_each(|fault| check_text(&fault.message));
    report.log.iter().for_each(|line| check_text(&line.message));
}

fn check_text(text: &str) {
    assert!(text.len() <= 8 << 10, "{} bytes: {:?}...", text.len(), text.chars().take(200).collect::<String>());
    let tricky = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(tricky), "{text:?}");
}
