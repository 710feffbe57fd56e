//! Finds a Rust compiler for guests, and installs one if there is none.
//!
//! In this order, so that nothing is installed where something works already: the compiler of the
//! plugin's own folder if it has the target; Debian's compiler if it is there; the same two after
//! installing them with rustup or with apt. Nothing that belongs to the user is changed but for
//! what rustup and apt add.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;
use crate::lock::Lock;
use crate::machine::Machine;
use crate::run::{no_step, run};
use crate::{KitError, Progress, TARGET};

/// A compiler that can build guests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Toolchain {
    /// The compiler that is active in the plugin's folder; it has the target's library.
    Active,
    /// Debian's compiler, source and linker. It has no library for the target: cargo compiles it
    /// from the source, once for each target directory.
    Debian {
        /// The folder that has `bin/rustc`; `/usr` but in tests.
        prefix: PathBuf,
    },
}

impl Toolchain {
    /// A compiler for the plugin in `dir`. If there is none and `install` says so, one is
    /// installed, which may take minutes.
    pub fn find(machine: &Machine, dir: &Path, install: bool, progress: &mut dyn Progress) -> Result<Self, KitError> {
        if let Some(found) = Self::present(machine, dir, progress) {
            return Ok(found);
        }
        let mut attempts = Vec::new();
        if install {
            let cache = machine.cache_dir()?;
            let waiting = "waiting for another installation of the compiler";
            let _lock = Lock::take(&cache, "toolchain.lock", waiting, progress)?;
            // Whoever had the lock has probably installed what is wanted here.
            if let Some(found) = Self::present(machine, dir, progress) {
                return Ok(found);
            }
            for way in [install::with_rustup, install::with_apt] {
                match way(machine, dir, progress) {
                    Ok(()) => {}
                    Err(why) => attempts.push(why),
                }
                if let Some(found) = Self::present(machine, dir, progress) {
                    return Ok(found);
                }
            }
        }
        Err(KitError::NoToolchain { target: TARGET, packages: install::PACKAGES.join(" "), attempts })
    }

    fn present(machine: &Machine, dir: &Path, progress: &mut dyn Progress) -> Option<Self> {
        if active_has_target(machine, dir, progress) {
            return Some(Self::Active);
        }
        let prefix = machine.debian();
        let needed = ["bin/rustc", "bin/cargo", "bin/wasm-ld-22", "lib/rustlib/src/rust/library"];
        let complete = needed.iter().all(|file| prefix.join(file).exists());
        complete.then(|| Self::Debian { prefix: prefix.to_path_buf() })
    }

    /// What it is, in words for people.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Active => "the installed Rust compiler",
            Self::Debian { .. } => "Debian's Rust compiler",
        }
    }

    /// cargo of this toolchain in `dir`, with nothing in its surroundings that changes a build.
    pub fn cargo(&self, machine: &Machine, dir: &Path) -> Command {
        let mut command = match self {
            Self::Active => machine.command("cargo"),
            Self::Debian { prefix } => {
                let mut command = machine.command(prefix.join("bin/cargo"));
                command.env("RUSTC", prefix.join("bin/rustc"));
                // Building the standard library from source is allowed to development compilers only.
                command.env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", prefix.join("bin/wasm-ld-22"));
                command
            }
        };
        // An empty value is a value: flags of the user's own configuration are not asked for.
        command.env("CARGO_ENCODED_RUSTFLAGS", "");
        command.current_dir(dir);
        command
    }

    /// What `cargo build` needs besides, to have a standard library.
    pub fn build_arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Whether the compiler that is active in `dir` has a library for the target. It answers with the
/// folder where the library would be, there or not.
fn active_has_target(machine: &Machine, dir: &Path, progress: &mut dyn Progress) -> bool {
    let mut rustc = machine.command("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    rustc.current_dir(dir);
    let Ok(output) = run(&mut rustc, no_step, progress) else {
        return false;
    };
    let libdir = output.stdout.trim();
    output.status.success() && !libdir.is_empty() && Path::new(libdir).is_dir()
}
