//! Installs what compiles guests: the target through rustup, or Debian's compiler through apt.
//! Each way answers with one line that says why it failed; the caller looks whether it helped.

use std::path::Path;
use std::process::Command;

use crate::machine::Machine;
use crate::run::{Output, no_step, run};
use crate::{Progress, TARGET};

/// Debian's compiler, cargo, the source of the standard library, and the linker for Wasm.
pub(crate) const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// Adds the target to the toolchain that rustup uses in `dir`.
pub(crate) fn with_rustup(machine: &Machine, dir: &Path, progress: &mut dyn Progress) -> Result<(), String> {
    let what = format!("rustup target add {TARGET}");
    progress.step(&what);
    let mut rustup = machine.command("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(dir);
    finish(&what, &mut rustup, progress)
}

/// Installs Debian's packages, as root or through a `sudo` that asks for no password.
pub(crate) fn with_apt(machine: &Machine, _dir: &Path, progress: &mut dyn Progress) -> Result<(), String> {
    progress.step("apt-get update");
    let update = finish("apt-get update", apt(machine).arg("update"), progress);
    let what = format!("apt-get install {}", PACKAGES.join(" "));
    progress.step(&format!("{what} (about 150 MB)"));
    let mut install = apt(machine);
    // Debian's two families of Rust packages exclude each other: rather fail than remove one.
    install.args(["install", "-y", "--no-install-recommends", "--no-remove"]).args(PACKAGES);
    // An update that fails does not matter if the lists of packages were good enough.
    finish(&what, &mut install, progress).map_err(|why| match update {
        Ok(()) => why,
        Err(first) => format!("{first}; {why}"),
    })
}

fn apt(machine: &Machine) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        machine.command("apt-get")
    } else {
        let mut command = machine.command("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Another user's apt is waited for; our own processes take turns before they come here.
    command.args(["-q", "-o", "DPkg::Lock::Timeout=600"]);
    command
}

fn finish(what: &str, command: &mut Command, progress: &mut dyn Progress) -> Result<(), String> {
    match run(command, no_step, progress) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{what}: {}", reason(&output))),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// The line that names the cause: apt and rustup mark it, and advice may follow it.
fn reason(output: &Output) -> String {
    let marked = |line: &&str| line.starts_with("E: ") || line.starts_with("error:");
    let found = output.stderr.lines().find(marked);
    found.map_or_else(|| output.last_word(), str::to_owned)
}
