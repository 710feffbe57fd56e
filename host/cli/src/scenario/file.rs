//! Scenario files, as an author writes them. Unknown keys are refused: an expectation that nothing checks would be a promise not kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Instant};
use backroom_runtime::Mode;
use backroom_store::records::Limits;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::exit::{Failure, Result};

/// Where scenarios lie in the folder of a plugin.
pub(crate) const FOLDER: &str = "tests";

/// The clock of a scenario that says none: 2026-01-01T08:00:00Z.
const NOW: Instant = Instant(1_767_254_400_000_000);

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scenario {
    /// What it shows, for people; the file's name if nothing is said.
    #[serde(default)]
    pub(crate) name: String,
    /// What is there before the first step.
    #[serde(default)]
    pub(crate) given: Given,
    /// Runs, one after the other.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
    /// The file.
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// What is there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Given {
    /// The clock of every step that says none.
    pub(crate) now: Option<Instant>,
    /// Files and folders to import, beside the scenario file.
    pub(crate) files: Vec<PathBuf>,
    /// The same kind of files, written here: by name, such as `accounts.csv`.
    pub(crate) csv: BTreeMap<String, String>,
    /// Files of the client by folder and path: what `backroom:host/files` sees.
    pub(crate) folders: BTreeMap<String, BTreeMap<String, String>>,
    /// The installation file; the plugin's own `installation.toml` if nothing is said and it is there.
    pub(crate) installation: Option<PathBuf>,
    /// In place of what the installation file grants. Without either, all that the plugin wants is granted.
    pub(crate) grants: Option<Rights>,
    /// In place of the configuration of the installation file.
    pub(crate) config: Option<BTreeMap<String, String>>,
    /// In place of the limits of the installation file.
    pub(crate) limits: Option<Limits>,
    /// The folder that `files` and `installation` are named from.
    #[serde(skip)]
    pub(crate) beside: PathBuf,
}

impl Given {
    /// The clock.
    pub(crate) fn now(&self) -> Instant {
        self.now.unwrap_or(NOW)
    }
}

/// One run and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    /// What it shows; its number if nothing is said.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The input.
    #[serde(default = "nothing")]
    pub(crate) run: Value,
    /// The run's id; `step-` and its number if nothing is said.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// The day of the books; the day of the clock if nothing is said.
    #[serde(default)]
    pub(crate) date: Option<BusinessDate>,
    /// The clock.
    #[serde(default)]
    pub(crate) now: Option<Instant>,
    /// Dry run or commit; commit if nothing is said.
    #[serde(default = "commit")]
    pub(crate) mode: Mode,
    /// What must come of it; that it ends well, if nothing is said.
    #[serde(default)]
    pub(crate) then: Then,
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

fn commit() -> Mode {
    Mode::Commit
}

/// What must come of a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Then {
    /// What the plugin returns, exactly.
    pub(crate) output: Option<Value>,
    /// That it is refused: the code, or a table with some of `class`, `code`, `field` and `message`.
    pub(crate) refused: Option<Value>,
    /// That it fails: the kind of fault, such as `fuel`.
    pub(crate) failed: Option<String>,
    /// `"snapshot"`, or a list: as many effects, in this order, each with the fields that are named.
    pub(crate) effects: Option<Effects>,
    /// Debits less credits by account: `"1110" = "1200.00 USD"`, with a minus sign where credits are more.
    pub(crate) balances: BTreeMap<String, String>,
    /// What lies where.
    pub(crate) on_hand: Vec<OnHand>,
    /// Benefit lines that are there: `plan`, and whatever else is named of each.
    pub(crate) benefits: Vec<Map<String, Value>>,
    /// The lines of the log, all of them.
    pub(crate) log: Option<Vec<String>>,
    /// The most fuel that it may take.
    pub(crate) fuel_max: Option<u64>,
    /// The most host calls that it may make.
    pub(crate) host_calls_max: Option<u32>,
}

/// What effects are compared with.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`effects` is \"snapshot\" or a list of tables")]
pub(crate) enum Effects {
    /// Those that are kept beside the scenario.
    Kept(Snapshot),
    /// These.
    List(Vec<Map<String, Value>>),
}

/// The word for it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Snapshot {
    /// The only one.
    Snapshot,
}

/// What lies somewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OnHand {
    pub(crate) item: String,
    pub(crate) location: String,
    /// All lots together if none is named.
    #[serde(default)]
    pub(crate) lot: Option<String>,
    pub(crate) quantity: String,
}

impl Step {
    /// Its name for people; `number` counts from 1.
    pub(crate) fn title(&self, number: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("step {number}"))
    }
}

impl Scenario {
    /// Reads a scenario file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let mut scenario = Self::parse(&text).map_err(wrong)?;
        path.clone_into(&mut scenario.path);
        scenario.given.beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
        if scenario.name.is_empty() {
            scenario.name = stem(path);
        }
        Ok(scenario)
    }

    /// Reads the text of one.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if scenario.steps.is_empty() {
            return Err("it has no [[step]]: say what is to be run".to_owned());
        }
        for (number, step) in (1_usize..).zip(&scenario.steps) {
            if step.then.refused.is_some() && step.then.failed.is_some() {
                return Err(format!("{}: a run is refused or fails, not both", step.title(number)));
            }
        }
        Ok(scenario)
    }

    /// Every scenario of the plugin in `dir`, in order of their files' names.
    pub(crate) fn all(dir: &Path) -> Result<Vec<Self>> {
        let folder = dir.join(FOLDER);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml") && path.is_file());
        paths.sort();
        if paths.is_empty() {
            return Err(Failure::usage(format!(
                "there is no scenario in {}: write one as NAME.toml",
                folder.display()
            )));
        }
        paths.iter().map(|path| Self::read(path)).collect()
    }
}

/// The name of a file without folder and ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
