//! Python with the modules that a plugin imports, and the plugin's own sources with each run.

use std::collections::BTreeMap;
use std::path::Path;

use super::Quick;
use crate::build::Options;
use crate::kept::Kept;
use crate::run::{no_step, run};
use crate::tools::COMPONENTIZE_PY;
use crate::wit::narrow;
use crate::{KitError, Manifest, Progress, python, sources};

/// The module that takes the sources; `NAMES` in it become the modules that are imported when the component is made.
const LOADER: &str = include_str!("loader.py.in");
/// Its name.
const MODULE: &str = "backroom_loader";
/// The SDK, which changes seldom, is in the component.
const SDK: &str = "backroom";
/// Prints the modules that the Python files named on its command line import.
const IMPORTS: &str = include_str!("imports.py.in");

pub(super) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Option<Quick>, KitError> {
    let mut own = BTreeMap::new();
    if !read(dir, "", &mut own)? {
        return Ok(None);
    }
    let environment = COMPONENTIZE_PY.find(options, progress)?;
    let mut ask = options.machine.command(environment.join("bin/python"));
    ask.current_dir(dir).args(["-I", "-c", IMPORTS]).args(own.values().map(|(file, _)| file));
    let asked = run(&mut ask, no_step, progress)?;
    if !asked.status.success() {
        // A build says what is wrong with them.
        return Ok(None);
    }
    let is_own = |name: &&str| own.contains_key(name.split('.').next().unwrap_or(name));
    let names: Vec<&str> = asked.stdout.lines().filter(|name| !is_own(name)).collect();
    sources::empty(work)?;
    let (app, wit) = (work.join("source/app"), work.join("source/wit"));
    if dir.join(SDK).is_dir() {
        sources::copy(&dir.join(SDK), &app.join(SDK), &[".py"])?;
    }
    sources::write(&app, &[(format!("{MODULE}.py"), LOADER.replace("NAMES", &names.join(" ")))])?;
    narrow(&dir.join("wit"), manifest, &wit)?;
    let tool = python::Tool { environment: &environment, work, options, manifest };
    tool.bind(dir, &app, &wit, progress)?;
    let observes = python::observes(manifest);
    let kept = Kept::of(options, &format!("{COMPONENTIZE_PY:?} {observes} {MODULE}"), &work.join("source"))?;
    let bytes = match kept.read() {
        Some(bytes) => bytes,
        None => {
            progress.step("putting Python and what the plugin imports into a component: once, some ten seconds");
            kept.keep(tool.componentize(MODULE, &app, &wit, progress)?)?
        }
    };
    let sources = serde_json::to_string(&own).map_err(|error| KitError::Bindings(error.to_string()))?;
    Ok(Some(Quick { bytes, sources: Some(sources) }))
}

/// The modules of a folder by name: file and text. `false` if there is one that is no module of the usual kind.
fn read(dir: &Path, below: &str, own: &mut BTreeMap<String, (String, String)>) -> Result<bool, KitError> {
    for entry in std::fs::read_dir(dir).map_err(KitError::file("read", dir))? {
        let path = entry.map_err(KitError::file("read", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_package = path.join("__init__.py").is_file();
            let other = below.is_empty() && (name == SDK || (["wit", "tests"].contains(&&*name) && !is_package));
            if sources::is_skipped(&name) || other || !has_python(&path)? {
                continue;
            }
            if !is_package || !read(&path, &format!("{below}{name}/"), own)? {
                return Ok(false);
            }
            continue;
        }
        let Some(stem) = name.strip_suffix(".py") else { continue };
        let module = match stem {
            "__init__" => below.trim_end_matches('/').replace('/', "."),
            stem => format!("{}{stem}", below.replace('/', ".")),
        };
        let text = std::fs::read_to_string(&path).map_err(KitError::file("read", &path))?;
        own.insert(module, (format!("{below}{name}"), text));
    }
    Ok(true)
}

/// Is there a module in it, however deep?
fn has_python(dir: &Path) -> Result<bool, KitError> {
    for entry in std::fs::read_dir(dir).map_err(KitError::file("read", dir))?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "py") || (path.is_dir() && has_python(&path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
