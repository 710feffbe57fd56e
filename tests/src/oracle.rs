//! Known accounting programs, whose word counts more than ours.

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// Is `program` here? If not: a failed test where everything is required, else a loud note that this part is skipped.
pub fn require(program: &str, install: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success()) {
        return true;
    }
    missing(program, install)
}

/// A failed test where everything is required, else a loud note that this part is skipped.
pub(crate) fn missing(program: &str, install: &str) -> bool {
    assert!(std::env::var_os("BACKROOM_REQUIRE_ALL").is_none(), "{program} is required here: {install}");
    eprintln!("\n*** SKIPPED: {program} is not here, so what needs it was not checked. {install}\n");
    false
}

/// The Python interpreter of an environment that has beancount.
pub fn beancount() -> Option<PathBuf> {
    python_with("beancount", &["beancount==3.2.3"])
}

/// The Python interpreter of an environment that has beancount and its converter to hledger's journals, which needs some of what
/// setuptools no longer has.
pub fn beancount2ledger() -> Option<PathBuf> {
    python_with("beancount2ledger", &["beancount==3.2.3", "beancount2ledger==1.3", "setuptools<81"])
}

/// The Python interpreter of an environment that has moto, which speaks S3 as Amazon's service does.
pub fn moto() -> Option<PathBuf> {
    python_with("moto.server", &["moto[server]==5.2.5"])
}

/// The Python interpreter of an environment that has componentize-py, which makes components of Python programs.
pub fn componentize_py() -> Option<PathBuf> {
    python_with("componentize_py", &["componentize-py==0.25.1"])
}

/// The Python interpreter of an environment that has openapi-spec-validator, and with it jsonschema.
pub fn openapi_validator() -> Option<PathBuf> {
    python_with("openapi_spec_validator", &["openapi-spec-validator==0.7.2"])
}

/// The Python interpreter of an environment that has `module` out of `packages`, made below `target` on first use.
fn python_with(module: &str, packages: &[&str]) -> Option<PathBuf> {
    // One at a time: two tests of one process may want the same.
    static MAKING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _making = MAKING.lock();
    let folder = root().join("target/oracles").join(module);
    let python = folder.join("bin/python");
    let import = format!("import {module}");
    let works = |p: &PathBuf| Command::new(p).args(["-c", &import]).output().is_ok_and(|o| o.status.success());
    if !works(&python) {
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).status();
        let installed = made.is_ok_and(|s| s.success())
            && Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(packages)
                .status()
                .is_ok_and(|s| s.success());
        if !installed || !works(&python) {
            missing(module, "It needs Python 3 with venv, and pip must reach PyPI.");
            return None;
        }
    }
    Some(python)
}
