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

/// componentize-py for a plugin.
pub(crate) struct Tool<'a> {
    pub(crate) environment: &'a Path,
    /// A folder for what lies between.
    pub(crate) work: &'a Path,
    pub(crate) options: &'a Options,
    pub(crate) manifest: &'a Manifest,
}

impl Tool<'_> {
    /// Runs it on the program in the folder `app`.
    fn run(
        &self,
        app: &Path,
        wit: &Path,
        arguments: &[&str],
        last: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), KitError> {
        let mut command = self.options.machine.command(self.environment.join("bin/componentize-py"));
        // Nothing of the user's own Python gets in; what a plugin needs lies in its folder.
        let nothing = self.work.join("nothing");
        std::fs::create_dir_all(nothing.join("lib/site-packages")).map_err(KitError::file("make", &nothing))?;
        command.current_dir(app).env("VIRTUAL_ENV", &nothing).env("PYTHONDONTWRITEBYTECODE", "1");
        command.arg("--quiet").arg("--wit-path").arg(wit).args(["--world", WORLD]).args(arguments).arg(last);
        let output = run(&mut command, no_step, progress)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(KitError::Compile { name: self.manifest.name.clone(), stderr: said(&output.stderr) }),
        }
    }

    /// The component of the program in the folder `app` that begins in `module`.
    pub(crate) fn componentize(
        &self,
        module: &str,
        app: &Path,
        wit: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Vec<u8>, KitError> {
        let component = self.work.join("app.wasm");
        let mut arguments = vec!["componentize", module];
        if !observes(self.manifest) {
            arguments.push("--stub-wasi");
        }
        arguments.push("--output");
        self.run(app, wit, &arguments, &component, progress)?;
        let bytes = std::fs::read(&component).map_err(KitError::file("read", &component))?;
        // It is large, and kept elsewhere.
        std::fs::remove_file(&component).map_err(KitError::file("delete", &component))?;
        Ok(bytes)
    }

    /// Writes the bindings of the plugin in `dir` for the editor, which looks there (pyrightconfig.json). They take a second, and
    /// change with the contract and the wants alone.
    pub(crate) fn bind(&self, dir: &Path, app: &Path, wit: &Path, progress: &mut dyn Progress) -> Result<(), KitError> {
        let bindings = dir.join("bindings");
        let (stamp, made_of) = (bindings.join(MADE_OF), digest(&format!("{COMPONENTIZE_PY:?}"), wit)?);
        if std::fs::read_to_string(&stamp).ok().as_deref() == Some(&made_of) {
            return Ok(());
        }
        sources::empty(&bindings)?;
        self.run(app, wit, &["bindings"], &bindings, progress)?;
        std::fs::write(&stamp, made_of).map_err(KitError::file("write", &stamp))
    }
}

/// What Python said of the program, and what to do about it. componentize-py puts it between its own traceback and that of its Rust.
fn said(stderr: &str) -> String {
    let end = ["\n\nCaused by:", "\nStack backtrace:"].iter().filter_map(|mark| stderr.find(mark)).min();
    let own = end.and_then(|end| stderr.get(..end)).unwrap_or(stderr);
    let own = own.split_once("AssertionError: ").map_or(own, |(_, own)| own);
    // That is where the plugin's folder is while it is compiled.
    let said = own.trim_end().replace("File \"/0/", "File \"");
    let advice = if said.contains("ModuleNotFoundError") {
        "\nA plugin can import Python's own modules and what lies in its folder, nothing that is installed."
    } else if said.contains("wit_world") && said.contains("ImportError") {
        "\nWhat there is stands in the folder `bindings`: the part of the contract that plugin.toml wants."
    } else {
        ""
    };
    said + advice
}

/// Without a system the program has no clock and its prints end the run; with one the service makes it up.
pub(crate) fn observes(manifest: &Manifest) -> bool {
    manifest.wants.grants().iter().any(|grant| grant.observe)
}

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
    let kept = Kept::of(options, &format!("{COMPONENTIZE_PY:?} {}", observes(manifest)), &work.join("source"))?;
    let tool = Tool { environment: &environment, work, options, manifest };
    tool.bind(dir, &app, &wit, progress)?;
    if let Some(component) = kept.read() {
        return Ok(component);
    }
    progress.step(&format!("putting {} and Python into a component: some ten seconds", manifest.name));
    kept.keep(tool.componentize(APP, &app, &wit, progress)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_failed_build_is_left_what_python_said() {
        let noisy = |inner: &str, last: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"/tools/bin/componentize-py\", line 8, in <module>\n    \
                 sys.exit(script())\nAssertionError: {inner}\n\n\nCaused by:\n    {last}\n\nStack backtrace:\n   0: anyhow\n"
            )
        };
        let syntax = "  File \"/0/app.py\", line 33\n    def run(input: Input) -> Output\nSyntaxError: expected ':'";
        let shown = said(&noisy(syntax, "SyntaxError: expected ':' (app.py, line 33)"));
        assert_eq!(shown, syntax.replace("/0/", ""));
        let missing = "ModuleNotFoundError: No module named 'requests'";
        let shown = said(&noisy(missing, missing));
        assert!(shown.starts_with(missing) && shown.contains("nothing that is installed"), "{shown}");
        let wrong =
            "ImportError: cannot import name 'people' from 'wit_world.imports' (/world/wit_world/imports/__init__.py)";
        assert!(said(&noisy(wrong, wrong)).contains("plugin.toml wants"));
        assert_eq!(said("Error: no such world\n"), "Error: no such world");
    }
}
