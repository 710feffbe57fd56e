//! Effects that are kept beside a scenario: `tests/NAME.snapshot.json`, by the title of the step.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::file::stem;
use crate::exit::{Failure, Result};

/// The snapshots of one scenario.
pub(super) struct Snapshots {
    path: PathBuf,
    kept: Map<String, Value>,
    /// What the runs gave, if snapshots are to be written.
    fresh: Option<Map<String, Value>>,
}

impl Snapshots {
    /// Those of the scenario in the file `scenario`; to be written anew with `update`.
    pub(super) fn of(scenario: &Path, update: bool) -> Result<Self> {
        let path = scenario.with_file_name(format!("{}.snapshot.json", stem(scenario)));
        let kept = match std::fs::read_to_string(&path) {
            // What is to be written anew may be broken.
            Ok(_) if update => Map::new(),
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| Failure::usage(format!("{}: {error}; `--update` writes it anew", path.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))),
        };
        Ok(Self { path, kept, fresh: update.then(Map::new) })
    }

    /// What a step's effects are compared with: what was kept, or what they are now if that is to be kept.
    pub(super) fn take(&mut self, title: &str, effects: Value) -> Option<Value> {
        match &mut self.fresh {
            Some(fresh) => {
                fresh.insert(title.to_owned(), effects.clone());
                Some(effects)
            }
            None => self.kept.get(title).cloned(),
        }
    }

    /// Writes what is to be written; takes the file away if nothing is.
    pub(super) fn write(self) -> Result {
        let Some(fresh) = self.fresh else { return Ok(()) };
        let about = || format!("cannot write {}", self.path.display());
        if fresh.is_empty() {
            return match self.path.exists() {
                true => Ok(std::fs::remove_file(&self.path).with_context(about)?),
                false => Ok(()),
            };
        }
        let text = serde_json::to_string_pretty(&fresh).with_context(about)? + "\n";
        // Who watches the folder sees no change where there is none.
        if std::fs::read_to_string(&self.path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        Ok(std::fs::write(&self.path, text).with_context(about)?)
    }
}
