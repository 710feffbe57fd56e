//! Lets cargo compile a guest to a core module, the same way for every guest: one profile, one
//! target directory, no path of this machine in the result.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::build::Options;
use crate::project::Project;
use crate::run::{cargo_step, run};
use crate::{KitError, Progress, TARGET, Toolchain};

/// How a guest is compiled: a profile of cargo, and what is forced on it, whatever a `Cargo.toml` says: guests that differ here would each
/// compile dependencies of their own into the shared target directory.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    name: &'static str,
    settings: &'static [&'static str],
}

impl Profile {
    /// What cargo is told.
    pub(crate) fn arguments(self) -> Vec<String> {
        let mut arguments = vec!["--profile".to_owned(), self.name.to_owned()];
        for setting in self.settings {
            arguments.extend(["--config".to_owned(), format!("profile.{}.{setting}", self.name)]);
        }
        arguments
    }

    /// What stands for a package that was compiled so.
    pub(crate) fn owned(self, package: &str) -> String {
        match self.name {
            "release" => package.to_owned(),
            other => format!("{other}/{package}"),
        }
    }
}

/// For what is installed.
pub(crate) const RELEASE: Profile = Profile {
    name: "release",
    settings: &[
        "opt-level=\"s\"",
        "lto=true",
        "codegen-units=1",
        "panic=\"abort\"",
        "strip=true",
        "debug=false",
        "incremental=false",
        "debug-assertions=false",
        // A guest computes with money: it stops rather than wraps around.
        "overflow-checks=true",
    ],
};

/// For whoever waits for it: dependencies are compiled once, and the plugin without the passes over the whole program.
pub(crate) const QUICK: Profile = Profile {
    name: "backroom-quick",
    settings: &[
        "inherits=\"release\"",
        "opt-level=1",
        "lto=\"off\"",
        "codegen-units=16",
        "panic=\"abort\"",
        "strip=true",
        "debug=false",
        "incremental=true",
        "debug-assertions=false",
        "overflow-checks=true",
    ],
};

/// Run by cargo in front of each call of the compiler. Source files are named by their package,
/// so that panic messages tell the place and no path of this machine gets into a plugin. It is
/// no compiler flag, because cargo would compile everything anew for each plugin's folder.
const WRAPPER: &str = r#"#!/bin/sh
[ -n "$CARGO_MANIFEST_DIR" ] || exec "$@"
name="$CARGO_PKG_NAME-$CARGO_PKG_VERSION"
exec "$@" --remap-path-prefix="$(pwd -P)=/build" \
    --remap-path-prefix="$CARGO_MANIFEST_DIR=/$name" \
    --remap-path-prefix="${OUT_DIR:-/no-out-dir}=/$name/out"
"#;

/// One line of what `cargo build --message-format=json` writes.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Compiles the guest in `dir` and answers with its core module's path, below `target_dir`.
pub(crate) fn compile(
    dir: &Path,
    name: &str,
    target_dir: &Path,
    profile: Profile,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<PathBuf, KitError> {
    let machine = &options.machine;
    let manifest = dir.join("Cargo.toml");
    if !manifest.is_file() {
        let what = "missing: a plugin in Rust is a cargo package";
        return Err(KitError::NotAGuest { path: manifest, what });
    }
    let toolchain = Toolchain::find(machine, dir, options.install, progress)?;
    progress.step(&format!("compiling {name} with {}", toolchain.describe()));
    let project = Project::read(&toolchain, machine, dir, progress)?;
    project.claim(&toolchain, options, dir, target_dir, profile, progress)?;
    let mut cargo = toolchain.cargo(machine, dir);
    cargo.args(["build", "--lib", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.args(toolchain.build_arguments());
    cargo.arg("--target-dir").arg(target_dir);
    cargo.args(profile.arguments());
    cargo.args(project.arguments(options.offline));
    hide_paths(&mut cargo, target_dir)?;
    let output = run(&mut cargo, cargo_step, progress)?;
    if !output.status.success() {
        let name = name.to_owned();
        return Err(KitError::Compile { name, stderr: output.stderr });
    }
    module(&output.stdout, &manifest).ok_or_else(|| KitError::NoModule(name.to_owned()))
}

/// Puts [`WRAPPER`] in front of the compiler.
fn hide_paths(cargo: &mut Command, target_dir: &Path) -> Result<(), KitError> {
    use std::os::unix::fs::PermissionsExt as _;

    let path = target_dir.join("backroom-rustc.sh");
    if std::fs::read_to_string(&path).is_ok_and(|text| text == WRAPPER) {
        cargo.env("RUSTC_WRAPPER", path);
        return Ok(());
    }
    let fresh = target_dir.join("backroom-rustc.sh.new");
    std::fs::write(&fresh, WRAPPER)
        .and_then(|()| std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755)))
        .and_then(|()| std::fs::rename(&fresh, &path))
        .map_err(KitError::file("write", &path))?;
    cargo.env("RUSTC_WRAPPER", path);
    Ok(())
}

/// The module that cargo made of the package whose `Cargo.toml` is `manifest`.
fn module(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let wanted = std::fs::canonicalize(manifest).ok();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| {
            let path = message.manifest_path.as_deref();
            path.and_then(|path| std::fs::canonicalize(path).ok()) == wanted
        })
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_the_right_package_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dir.path().join("Cargo.toml");
        std::fs::write(&manifest, "").unwrap();
        let line = |path: &Path, file: &str| {
            let path = path.display();
            format!(r#"{{"reason":"compiler-artifact","manifest_path":"{path}","filenames":["{file}"]}}"#)
        };
        let text = [
            "not json".to_owned(),
            line(Path::new("/elsewhere/Cargo.toml"), "/t/other.wasm"),
            line(&manifest, "/t/mine.rlib"),
            line(&manifest, "/t/mine.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        assert_eq!(module(&text.join("\n"), &manifest), Some(PathBuf::from("/t/mine.wasm")));
        assert_eq!(module(&text[..3].join("\n"), &manifest), None);
    }
}
