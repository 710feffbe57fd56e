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

fn missing(program: &str, install: &str) -> bool {
    assert!(std::env::var_os("BACKROOM_REQUIRE_ALL").is_none(), "{program} is required here: {install}");
    eprintln!("\n*** SKIPPED: {program} is not here, so it did not check our balances. {install}\n");
    false
}

/// The Python interpreter of an environment that has beancount, made below `target` on first use.
pub fn beancount() -> Option<PathBuf> {
    let folder = root().join("target/oracles/beancount");
    let python = folder.join("bin/python");
    let works = |p: &PathBuf| Command::new(p).args(["-c", "import beancount"]).status().is_ok_and(|s| s.success());
    if !works(&python) {
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).status();
        let installed = made.is_ok_and(|s| s.success())
            && Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "beancount==3.2.3"])
                .status()
                .is_ok_and(|s| s.success());
        if !installed || !works(&python) {
            missing("beancount", "It needs Python 3 with venv, and pip must reach PyPI.");
            return None;
        }
    }
    Some(python)
}
