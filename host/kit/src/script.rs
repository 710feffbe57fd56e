//! TypeScript and JavaScript: types are checked, the files become one, and QuickJS is put into a component with it.

use std::path::Path;

use crate::build::Options;
use crate::kept::Kept;
use crate::run::{no_step, run};
use crate::wit::{Contract, WORLD, narrow};
use crate::{KitError, Manifest, Progress, sources, tools};

/// Makes the component of the plugin in `dir`; `work` is a folder for what lies between.
pub(crate) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let modules = tools::node_modules(options, progress)?;
    sources::empty(work)?;
    let (source, wit) = (work.join("source"), work.join("source/wit"));
    narrow(&dir.join("wit"), manifest, &wit)?;
    declare(dir, &wit)?;
    let tool = |program: &str, at: &Path, arguments: &[String], progress: &mut dyn Progress| {
        let mut command = options.machine.command(modules.join(".bin").join(program));
        command.current_dir(at).args(arguments);
        let output = run(&mut command, no_step, progress)?;
        match output.status.success() {
            true => Ok(()),
            // tsc writes what it finds to its output.
            false => Err(KitError::Compile {
                name: manifest.name.clone(),
                stderr: format!("{}{}", output.stdout, output.stderr),
            }),
        }
    };
    if dir.join("tsconfig.json").is_file() {
        progress.step(&format!("checking the types of {}", manifest.name));
        tool("tsc", dir, &["--noEmit".to_owned(), "--project".to_owned(), "tsconfig.json".to_owned()], progress)?;
    }
    let entry = match dir.join("app.ts").is_file() {
        true => "app.ts",
        false => "app.js",
    };
    let bundle = source.join("app.js");
    let flags = [
        "--bundle",
        "--format=esm",
        "--target=es2023",
        "--external:backroom:*",
        "--legal-comments=none",
        "--log-level=warning",
    ];
    let mut arguments: Vec<String> = flags.map(str::to_owned).into();
    arguments.extend([format!("--outfile={}", bundle.display()), entry.to_owned()]);
    tool("esbuild", dir, &arguments, progress)?;
    let observes = manifest.wants.grants().iter().any(|grant| grant.observe);
    let kept = Kept::of(options, &format!("{} {observes}", tools::NPM_FOLDER), &source)?;
    if let Some(component) = kept.read() {
        return Ok(component);
    }
    progress.step(&format!("putting {} and QuickJS into a component", manifest.name));
    let component = work.join("app.wasm");
    // The engine that serves runs has no asynchronous components: `--sync`.
    let mut arguments = vec![
        "--wit".to_owned(),
        wit.display().to_string(),
        "--world".to_owned(),
        WORLD.to_owned(),
        "--sync".to_owned(),
    ];
    // By its own name: the whole path would be in the component, for traces.
    arguments.extend(["--js".to_owned(), "app.js".to_owned()]);
    if !observes {
        arguments.push("--stub-wasi".to_owned());
    }
    arguments.extend(["--output".to_owned(), component.display().to_string()]);
    tool("componentize-qjs", &source, &arguments, progress)?;
    kept.keep(std::fs::read(&component).map_err(KitError::file("read", &component))?)
}

/// Writes the declarations of the contract for the editor and the check of types.
pub(crate) fn declare(dir: &Path, wit: &Path) -> Result<(), KitError> {
    let text = crate::declarations::declarations(&Contract::read(wit)?)?;
    sources::write(&dir.join("bindings"), &[("backroom.d.ts", text)])
}
