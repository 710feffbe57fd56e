//! The machine: the WebAssembly engine with its pool and its clock, what the kernel offers, the compilers for plugins.

use std::path::Path;

use backroom_kit::{Machine, Quiet, Toolchain};
use backroom_runtime::{Capacity, CompileLimits, CompileOptions, Compiler, Runtime, RuntimeOptions};

use super::{Findings, State};
use crate::service::own_program;

pub(super) fn look(findings: &mut Findings) {
    engine(findings);
    kernel(findings);
    let toolchain = Toolchain::find(&Machine::current(), Path::new("."), false, &mut Quiet);
    let (state, detail) = match toolchain {
        Ok(Toolchain::Active) => (State::Ok, format!("the active Rust compiler has {}", backroom_kit::TARGET)),
        Ok(other) => (State::Ok, format!("{other:?}")),
        Err(_) => (State::Info, "no compiler for plugins in Rust; `backroom plugin build` installs one".to_owned()),
    };
    findings.add("plugins", "compiler", state, detail);
}

/// Sets up the engine as `serve` does. That has an endless loop compiled by a child and stops it by the ticker, or fails.
fn engine(findings: &mut Findings) {
    let about = "sandbox";
    let program = match own_program() {
        Ok(program) => program,
        Err(why) => return findings.add(about, "compiler", State::Bad, why.to_json().to_string()),
    };
    let limits = CompileLimits::default();
    let compile = CompileOptions { compiler: Compiler::Child { program }, limits, cache: None };
    let runtime = match Runtime::new(RuntimeOptions { compile, ..RuntimeOptions::default() }) {
        Ok(runtime) => runtime,
        Err(why) => return findings.add(about, "engine", State::Bad, why.to_string()),
    };
    let held = format!("a child process compiles, in {} MiB and {} s of work", limits.memory >> 20, limits.cpu_seconds);
    match runtime.compile_figures().unfiltered {
        0 => findings.add(about, "compiler", State::Ok, format!("{held}, behind a filter of system calls")),
        _ => findings.add(about, "compiler", State::Warning, format!("{held}; the kernel has no filter for it")),
    }
    match runtime.probe_own_process() {
        Ok(()) => findings.add(about, "own processes", State::Ok, "a process for one client was locked in just now"),
        Err(why) => {
            let detail = format!("runs of clients that have processes of their own are refused: {why}");
            findings.add(about, "own processes", State::Warning, detail);
        }
    }
    let target = format!("{} on {}", std::env::consts::ARCH, std::env::consts::OS);
    findings.add(about, "engine", State::Ok, format!("WebAssembly compiles and runs ({target})"));
    findings.add(about, "wall time", State::Ok, "an endless loop was stopped by the ticker just now");
    let Capacity { concurrency, pooled } = runtime.capacity();
    let detail = format!("{concurrency} runs at the same time");
    match pooled {
        true => findings.add(about, "pool of instances", State::Ok, detail),
        false => {
            findings.add(about, "pool of instances", State::Warning, format!("no room for it; {detail}, each slower"));
        }
    }
    match Runtime::has_pagemap_scan() {
        true => findings.add(about, "PAGEMAP_SCAN", State::Ok, "memories are reset page by page"),
        false => findings.add(
            about,
            "PAGEMAP_SCAN",
            State::Warning,
            "the kernel does not offer it (Linux 6.7 does): fresh instances cost more",
        ),
    }
}

/// What the kernel offers for putting processes into a sandbox. Plugins run inside of the service's process, or in one of their client's
/// own behind a filter of system calls; so does the compiler, where there is one.
fn kernel(findings: &mut Findings) {
    let about = "kernel";
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "it does not say".to_owned());
    findings.add(about, "release", State::Info, release);
    let seccomp = match read("/proc/sys/kernel/seccomp/actions_avail") {
        Some(actions) => format!("available ({actions}); used around the compiler and the processes of clients"),
        None => "not available; the compiler is held by its limits alone".to_owned(),
    };
    findings.add(about, "seccomp", State::Info, seccomp);
    let landlock = match read("/sys/kernel/security/lsm") {
        Some(modules) if modules.split(',').any(|module| module == "landlock") => {
            "available; not needed, as the filter leaves no file and no socket"
        }
        Some(_) => "not among the kernel's security modules; not needed",
        None => "cannot be told: /sys/kernel/security is not to be read here; not needed",
    };
    findings.add(about, "landlock", State::Info, landlock);
}
