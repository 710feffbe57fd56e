//! Python: the program, its packages and CPython become a component as they are once the program's imports are done.

use std::path::Path;

use crate::build::Options;
use crate::kept::{Kept, digest};
use crate::run::{no_step, run};
use crate::tools::COMPONENTIZE_PY;
use crate::wit::{WORLD, narrow};
use crate::{KitError, Manifest, Progress, sources};

/// The module that a plugin begins in.
const APP: &str = "app";
/// Says in the folder of bindings what they were made of.
const MADE_OF: &str = ".made-of";

/// Makes the component of the plugin in `dir`; `work` is a folder for what lies between.
pub(crate) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let environment = COMPONENTIZE_PY.find(options, progress)?;
    sources::empty(work)?;
    let (app, wit) = (work.join("source/app"), work.join("source/wit"));
    sources::copy(dir, &app, &[".py"])?;
    narrow(&dir.join("wit"), manifest, &wit)?;
    // Without a system the program has no clock and its prints end the run; with one the service makes it up.
    let observes = manifest.wants.grants().iter().any(|grant| grant.observe);
    let kept = Kept::of(options, &format!("{COMPONENTIZE_PY:?} {observes}"), &work.join("source"))?;
    let tool = |arguments: &[&str], last: &Path, progress: &mut dyn Progress| {
        let mut command = options.machine.command(environment.join("bin/componentize-py"));
        // Nothing of the user's own Python gets in; what a plugin needs lies in its folder.
        let nothing = work.join("nothing");
        std::fs::create_dir_all(nothing.join("lib/site-packages")).map_err(KitError::file("make", &nothing))?;
        command.current_dir(&app).env("VIRTUAL_ENV", &nothing).env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg("--quiet").arg("--wit-path").arg(&wit).args(["--world", WORLD]).args(arguments).arg(last);
        let output = run(&mut command, no_step, progress)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(KitError::Compile { name: manifest.name.clone(), stderr: output.stderr }),
        }
    };
    // For the editor, which looks there (pyrightconfig.json). They take a second, and change with the contract and the wants alone.
    let bindings = dir.join("bindings");
    let (stamp, made_of) = (bindings.join(MADE_OF), digest(&format!("{COMPONENTIZE_PY:?}"), &wit)?);
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(&made_of) {
        sources::empty(&bindings)?;
        tool(&["bindings"], &bindings, progress)?;
        std::fs::write(&stamp, made_of).map_err(KitError::file("write", &stamp))?;
    }
    if let Some(component) = kept.read() {
        return Ok(component);
    }
    progress.step(&format!("putting {} and Python into a component", manifest.name));
    let component = work.join("app.wasm");
    let mut arguments = vec!["componentize", APP];
    if !observes {
        arguments.push("--stub-wasi");
    }
    arguments.push("--output");
    tool(&arguments, &component, progress)?;
    kept.keep(std::fs::read(&component).map_err(KitError::file("read", &component))?)
}
