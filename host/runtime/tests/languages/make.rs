//! Makes components of the programs under `tests/languages`, with the toolchains that their authors would use.

use std::path::{Path, PathBuf};
use std::process::Command;

use backroom_kit::{Built, KitError, Language, Options, Quiet};

use crate::common::with_manifest;
use crate::{oracle, root};

const RUST_TARGET: &str = "wasm32-wasip2";

/// Rust's own target for WASI 0.2, added by rustup where it is missing.
pub(crate) fn rust() -> Option<Vec<u8>> {
    if !has_rust_target() {
        // Whether it helped is looked at, not what it says.
        Command::new("rustup").args(["target", "add", RUST_TARGET]).status().ok();
    }
    if !has_rust_target() {
        oracle::missing(RUST_TARGET, "It needs `rustup target add wasm32-wasip2`.");
        return None;
    }
    let (dir, target) = (root().join("tests/languages/rust"), root().join("target/languages"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&dir).args(["build", "--quiet", "--release", "--locked", "--target", RUST_TARGET]);
    cargo.arg("--target-dir").arg(&target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    assert!(cargo.status().expect("cargo runs").success(), "{} does not build", dir.display());
    Some(finished(&target.join(RUST_TARGET).join("release/language_rust.wasm"), &dir))
}

fn has_rust_target() -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", RUST_TARGET]).output();
    asked.is_ok_and(|o| o.status.success() && Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir())
}

/// CPython in a component: the whole interpreter, and the program as it was when its imports were done.
pub(crate) fn python() -> Option<Vec<u8>> {
    let python = oracle::componentize_py()?;
    let (dir, folder) = (root().join("tests/languages/python"), root().join("target/languages/python"));
    // A copy, since Python writes what it compiled beside the source.
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(dir.join("app.py"), folder.join("app.py")).unwrap();
    let mut command = Command::new(python.with_file_name("componentize-py"));
    command.current_dir(&folder).arg("-d").arg(root().join("wit"));
    let output = command.args(["-w", "workflow", "componentize", "app", "-o", "app.wasm"]).output();
    let output = output.expect("componentize-py runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(finished(&folder.join("app.wasm"), &dir))
}

fn finished(component: &Path, dir: &Path) -> Vec<u8> {
    let manifest = std::fs::read_to_string(dir.join("plugin.toml")).unwrap();
    with_manifest(std::fs::read(component).unwrap(), &manifest)
}

/// Lets the kit build a plugin that it made itself, with the files below `tests/languages/<plugin>/<language>` and `more` put over the
/// template's. None if the toolchain is not here.
pub(crate) fn plugin(plugin: &str, language: Language, more: &[(&str, String)]) -> Option<Built> {
    let source = root().join("tests/languages").join(plugin);
    let dir = root().join("target/languages").join(plugin).join(language.word());
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    backroom_kit::new(&dir, plugin, language).unwrap();
    std::fs::copy(source.join("plugin.toml"), dir.join("plugin.toml")).unwrap();
    copy(&source.join(language.word()), &dir);
    for (file, text) in more {
        std::fs::write(dir.join(file), text).unwrap();
    }
    built(&dir, language)
}

/// Lets the kit build the plugin in a folder. None if the toolchain is not here.
pub(crate) fn built(dir: &Path, language: Language) -> Option<Built> {
    // Rust's is that of all guests, as its standard library may have to be compiled first.
    let own = root().join("target/languages/kit");
    let target_dir = (language != Language::Rust).then_some(own);
    match backroom_kit::build(dir, &Options { target_dir, ..Options::default() }, &mut Quiet) {
        Ok(built) => Some(built),
        Err(why @ (KitError::NoTool { .. } | KitError::NoToolchain { .. })) => {
            oracle::missing(language.word(), &why.to_string());
            None
        }
        Err(why) => panic!("{} does not build: {why}", dir.display()),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
