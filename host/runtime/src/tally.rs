//! How executions ended, counted since the start: each limit that plugins run into shows here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use backroom_office::runs::FaultKind;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was executed since the start: dry runs, runs and replays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunFigures {
    /// All of them, and each time that one was begun anew because another host came first.
    pub executed: u64,
    /// Those that ended by a fault, by its kind.
    pub faults: BTreeMap<String, u64>,
    /// Processes of tenants that have their own which wait for a run at the moment.
    #[serde(default)]
    pub idle_processes: usize,
}

#[derive(Default)]
pub(crate) struct Tally {
    executed: AtomicU64,
    reruns: AtomicU64,
    /// Touched by what fails alone.
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    pub(crate) fn count(&self, fault: Option<FaultKind>) {
        self.executed.fetch_add(1, Ordering::Relaxed);
        // What another host came before is begun anew: it did not end so.
        if let Some(kind) = fault.filter(|kind| *kind != FaultKind::Conflict) {
            *self.faults.lock().entry(kind.as_str()).or_default() += 1;
        }
    }

    pub(crate) fn rerun(&self) {
        self.reruns.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reruns(&self) -> u64 {
        self.reruns.load(Ordering::Relaxed)
    }

    pub(crate) fn figures(&self, idle_processes: usize) -> RunFigures {
        let faults = self.faults.lock().iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        RunFigures { executed: self.executed.load(Ordering::Relaxed), faults, idle_processes }
    }
}
