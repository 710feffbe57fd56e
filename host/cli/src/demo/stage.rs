//! What the audience sees: numbered steps, and under each what was checked.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit::{Failure, Result};
use crate::output::{self, Out};

/// The steps so far and what they gave.
pub(crate) struct Stage {
    pub(crate) out: Out,
    steps: usize,
    checks: Vec<Check>,
    facts: Map<String, Value>,
}

/// Something that must hold.
#[derive(Debug, Clone, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    seen: String,
}

impl Stage {
    pub(crate) fn new(out: Out) -> Self {
        Self { out, steps: 0, checks: Vec::new(), facts: Map::new() }
    }

    /// Begins a step.
    pub(crate) fn step(&mut self, title: impl Display) {
        self.steps += 1;
        let number = self.steps;
        match self.out.is_json() {
            true => output::note(format_args!("{number}. {title}")),
            false => self.out.line(format_args!("\n── {number}. {title}\n")),
        }
    }

    /// A line under the step.
    pub(crate) fn say(&self, text: impl Display) {
        self.out.line(text);
    }

    /// Shows whether something holds. If not, the demo ends here, and badly.
    pub(crate) fn check(&mut self, name: &'static str, ok: bool, seen: impl Display) -> Result {
        let seen = seen.to_string();
        self.out.line(format_args!("{} {name}: {seen}", if ok { "✓" } else { "✗" }));
        self.checks.push(Check { name, ok, seen: seen.clone() });
        match ok {
            true => Ok(()),
            false => Err(Failure::Check(format!("{name}: {seen}"))),
        }
    }

    /// Keeps something for the summary of `--json`.
    pub(crate) fn fact(&mut self, name: &str, value: impl Serialize) {
        self.facts.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
    }

    /// How many checks were made; all of them held.
    pub(crate) fn held(&self) -> usize {
        self.checks.iter().filter(|check| check.ok).count()
    }

    /// The machine-readable summary.
    pub(crate) fn summary(&self) {
        let mut all = Map::from_iter([("ok".to_owned(), Value::Bool(self.checks.iter().all(|check| check.ok)))]);
        all.extend(self.facts.clone());
        all.insert("checks".to_owned(), serde_json::to_value(&self.checks).unwrap_or_default());
        self.out.value(&all);
    }
}
