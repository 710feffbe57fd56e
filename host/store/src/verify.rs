//! Verification: everything that can be checked without knowing what the records mean.
//!
//! First the log: every frame, the sequence, every tenant's chain, and the heads in the state. Then the state: the log is
//! played from the beginning and must give it. Keys are compared by hash in as many passes as it takes to keep memory
//! bounded. Nothing is repaired here.

mod log_check;
mod state_check;

use std::collections::BTreeMap;
use std::fmt;

use self::log_check::LogCheck;
use self::state_check::{StateCheck, check_heads};
use crate::engine::{At, Engine};
use crate::error::StoreError;
use crate::types::{Head, Revision, TenantNo};

/// Problems listed; the rest is counted. A destroyed segment has thousands, and the first ones say it all.
const MAX_PROBLEMS: usize = 10_000;

/// What is being checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The log itself.
    Log,
    /// The state against the log.
    State,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// What is being checked.
    pub stage: Stage,
    /// Revisions read in this stage, all passes together.
    pub done: u64,
    /// Revisions to read in this stage.
    pub of: u64,
    /// Problems found so far.
    pub problems: u64,
}

/// One thing that is wrong. Fields are set as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// The segment file.
    pub segment: Option<String>,
    /// The offset in it, in bytes.
    pub offset: Option<u64>,
    /// The revision.
    pub revision: Option<Revision>,
    /// Whose chain or record.
    pub tenant: Option<TenantNo>,
    /// The number in that chain.
    pub number: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(segment), Some(offset)) = (&self.segment, self.offset) {
            write!(f, "log/{segment} at byte {offset}: ")?;
        }
        if let Some(tenant) = self.tenant {
            write!(f, "tenant {tenant}: ")?;
        }
        if let Some(number) = self.number {
            write!(f, "entry {number}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// What was checked and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// The durable revision that was checked up to.
    pub revision: Revision,
    /// Segment files read.
    pub segments: u64,
    /// Entries whose frame is whole.
    pub entries: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Tenants with at least one entry, and the head that the log gives each.
    pub heads: BTreeMap<TenantNo, Head>,
    /// Whether the state was compared record by record. It is not when entries cannot be read: it would differ everywhere.
    pub state_compared: bool,
    /// The first ten thousand problems.
    pub problems: Vec<Problem>,
    /// How many more there were.
    pub unlisted: u64,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.state_compared
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    fn found(&self) -> u64 {
        self.problems.len() as u64 + self.unlisted
    }
}

/// See [`Store::verify`](crate::Store::verify).
pub(crate) fn verify(
    engine: &dyn Engine,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, StoreError> {
    let snapshot = engine.snapshot(At::Durable)?;
    let mut log = LogCheck::new(snapshot.revision());
    engine.read_log(1, &mut |item| {
        let flow = log.item(item);
        let (done, of) = (log.expected - 1, log.report.revision);
        progress(VerifyProgress { stage: Stage::Log, done, of, problems: log.report.found() });
        flow
    })?;
    let LogCheck { mut report, readable, changes, .. } = log.finish();
    check_heads(&mut report, &*snapshot)?;
    if readable {
        StateCheck { engine, snapshot: &*snapshot, report: &mut report, progress, done: 0 }.run(changes)?;
        report.state_compared = true;
    }
    Ok(report)
}
