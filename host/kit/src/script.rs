//! TypeScript and JavaScript: types are checked, the files become one, and QuickJS is put into a component with it.

use std::path::{Path, PathBuf};

use crate::build::Options;
use crate::kept::Kept;
use crate::run::{no_step, run};
use crate::wit::{Contract, WORLD, narrow};
use crate::{KitError, Manifest, Progress, sources, tools};

/// The tools for a plugin.
pub(crate) struct Tool<'a> {
    /// `node_modules` with them.
    pub(crate) modules: PathBuf,
    pub(crate) options: &'a Options,
    pub(crate) manifest: &'a Manifest,
}

impl Tool<'_> {
    fn run(&self, program: &str, at: &Path, arguments: &[String], progress: &mut dyn Progress) -> Result<(), KitError> {
        let mut command = self.options.machine.command(self.modules.join(".bin").join(program));
        command.current_dir(at).args(arguments);
        let output = run(&mut command, no_step, progress)?;
        match output.status.success() {
            true => Ok(()),
            // tsc writes what it finds to its output.
            false => Err(KitError::Compile {
                name: self.manifest.name.clone(),
                stderr: format!("{}{}", output.stdout, output.stderr),
            }),
        }
    }

    /// Checks the types of the plugin in `dir`, if it has any.
    pub(crate) fn check(&self, dir: &Path, progress: &mut dyn Progress) -> Result<(), KitError> {
        if !dir.join("tsconfig.json").is_file() {
            return Ok(());
        }
        progress.step(&format!("checking the types of {}", self.manifest.name));
        self.run("tsc", dir, &["--noEmit".to_owned(), "--project".to_owned(), "tsconfig.json".to_owned()], progress)
    }

    /// Makes the files of the plugin in `dir` into one: a module (`esm`), or a function's body (`cjs`).
    pub(crate) fn bundle(
        &self,
        dir: &Path,
        format: &str,
        to: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), KitError> {
        let entry = match dir.join("app.ts").is_file() {
            true => "app.ts",
            false => "app.js",
        };
        let flags =
            ["--bundle", "--target=es2023", "--external:backroom:*", "--legal-comments=none", "--log-level=warning"];
        let mut arguments: Vec<String> = flags.map(str::to_owned).into();
        arguments.extend([format!("--format={format}"), format!("--outfile={}", to.display()), entry.to_owned()]);
        self.run("esbuild", dir, &arguments, progress)
    }

    /// Puts `app.js` in the folder `source` and QuickJS into a component, by way of the file `to`.
    pub(crate) fn componentize(
        &self,
        source: &Path,
        wit: &Path,
        to: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Vec<u8>, KitError> {
        // The engine that serves runs has no asynchronous components: `--sync`. The program by its own name: the whole path would be in
        // the component, for traces.
        let fixed = ["--world", WORLD, "--sync", "--js", "app.js"].map(str::to_owned);
        let mut arguments = vec!["--wit".to_owned(), wit.display().to_string()];
        arguments.extend(fixed);
        if !self.observes() {
            arguments.push("--stub-wasi".to_owned());
        }
        arguments.extend(["--output".to_owned(), to.display().to_string()]);
        self.run("componentize-qjs", source, &arguments, progress)?;
        std::fs::read(to).map_err(KitError::file("read", to))
    }

    /// Whether the plugin is shown a system.
    pub(crate) fn observes(&self) -> bool {
        self.manifest.wants.grants().iter().any(|grant| grant.observe)
    }
}

/// Makes the component of the plugin in `dir`; `work` is a folder for what lies between.
pub(crate) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let tool = Tool { modules: tools::node_modules(options, progress)?, options, manifest };
    sources::empty(work)?;
    let (source, wit) = (work.join("source"), work.join("source/wit"));
    narrow(&dir.join("wit"), manifest, &wit)?;
    declare(dir, &wit)?;
    tool.check(dir, progress)?;
    tool.bundle(dir, "esm", &source.join("app.js"), progress)?;
    let kept = Kept::of(options, &format!("{} {}", tools::NPM_FOLDER, tool.observes()), &source)?;
    if let Some(component) = kept.read() {
        return Ok(component);
    }
    progress.step(&format!("putting {} and QuickJS into a component", manifest.name));
    kept.keep(tool.componentize(&source, &wit, &work.join("app.wasm"), progress)?)
}

/// Writes the declarations of the contract for the editor and the check of types.
pub(crate) fn declare(dir: &Path, wit: &Path) -> Result<(), KitError> {
    let text = crate::declarations::declarations(&Contract::read(wit)?)?;
    sources::write(&dir.join("bindings"), &[("backroom.d.ts", text)])
}
