//! A plugin as its author looks at it while writing it: what takes long and does not show what a change does is left out. It is tried in
//! memory and never installed: nothing here makes an artifact.
//!
//! An interpreter is put into a component once, with what the plugin imports, and gets the plugin's own sources with each run
//! ([`Quick::input`]): nothing is built, and nothing compiled, for a change. Rust is compiled without the passes over the whole program. Fuel and
//! memory of such a run are not those of the plugin.

mod python;
mod script;

use std::path::Path;

use serde_json::json;

use crate::build::{Options, Place};
use crate::component::{attach, encode};
use crate::{KitError, Language, Manifest, Progress, guest};

/// Sources up to here go with each run; its input has at most 1 MiB.
const MAX_SOURCES: usize = 512 << 10;

/// A plugin that can be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quick {
    /// The component.
    pub bytes: Vec<u8>,
    /// What it gets with each run, as JSON text; none if it has everything.
    sources: Option<String>,
}

impl Quick {
    /// What a run is given in place of the input `json`.
    #[must_use]
    pub fn input(&self, json: &str) -> String {
        match &self.sources {
            Some(sources) => format!("{{\"sources\":{sources},\"input\":{}}}", json!(json)),
            None => json.to_owned(),
        }
    }
}

/// Makes the plugin in `dir` ready to be tried. None where that would be no quicker than a build, or its sources have something
/// that only a build can take.
pub fn quick(dir: &Path, options: &Options, progress: &mut dyn Progress) -> Result<Option<Quick>, KitError> {
    let (manifest, text) = Manifest::read(dir)?;
    let dir = std::fs::canonicalize(dir).map_err(KitError::file("find", dir))?;
    let target_dir = options.target_dir()?;
    let language = Language::of(&dir)?;
    let place = Place::of(&dir, language, &manifest, &target_dir);
    let _lock = place.lock(progress)?;
    let made = compile(&dir, language, &manifest, &place, options, progress)?;
    let Some(Quick { bytes, sources }) = made else { return Ok(None) };
    if sources.as_ref().is_some_and(|sources| sources.len() > MAX_SOURCES) {
        return Ok(None);
    }
    Ok(Some(Quick { bytes: attach(bytes, &text)?, sources }))
}

fn compile(
    dir: &Path,
    language: Language,
    manifest: &Manifest,
    place: &Place,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Option<Quick>, KitError> {
    let work = place.home.join("quick");
    match language {
        Language::Rust => {
            let module = guest::compile(dir, &manifest.name, &place.home, guest::QUICK, options, progress)?;
            let bytes = encode(&std::fs::read(&module).map_err(KitError::file("read", &module))?, false)?;
            Ok(Some(Quick { bytes, sources: None }))
        }
        Language::Python => python::compile(dir, manifest, &work, options, progress),
        Language::TypeScript | Language::JavaScript => script::compile(dir, manifest, &work, options, progress),
        // A build takes a second.
        Language::Go | Language::C => Ok(None),
    }
}
