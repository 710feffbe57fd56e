//! What guests are compiled for. Decided in this one place, for the compiler and for the engine that runs what it made: code
//! that was made for other settings than it runs under would be unsafe, and wasmtime does not check all of them.

use std::hash::{Hash as _, Hasher};

use serde::{Deserialize, Serialize};
use wasmtime::{Config, Engine};

/// How the memories of guests lie in the address space; compiled code relies on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    /// 4 GiB of addresses for each, so that most accesses need no check.
    Reserved,
    /// Moved as they grow: for machines where addresses are scarce.
    Growing,
}

/// Whether an engine has a compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// It compiles, and may run as well.
    Compile,
    /// It runs what was compiled elsewhere, and cannot compile whatever it is asked.
    Run,
}

/// Deterministic, metered, interruptible, and without proposals that no supported guest language needs. Garbage
/// collection, threads, stack switching and the async ABI are not even compiled in.
pub(crate) fn config(layout: Layout, duty: Duty) -> Config {
    let mut config = Config::new();
    match duty {
        Duty::Compile => config.cranelift_nan_canonicalization(true),
        // First of all: settings of a compiler that is not there would be a mistake.
        Duty::Run => config.enable_compiler(false),
    };
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .relaxed_simd_deterministic(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .memory_init_cow(true);
    if layout == Layout::Growing {
        config.memory_reservation(0).memory_guard_size(1 << 16).memory_reservation_for_growth(1 << 20);
    }
    config
}

/// What wasmtime takes no notice of when it checks whether compiled code fits; and what [`crate::inspect`] lets pass, since
/// compiled code is kept together with what was found out then. To be changed with either.
const RULES: &str = "nan-canonical; inspection 1";

/// Stands for everything that compiled code relies on, its own bytes and the processor left out: wasmtime checks the latter. Two
/// engines with the same one can run each other's code. They have to be of the same [`Duty`].
pub(crate) fn fingerprint(engine: &Engine) -> [u8; 32] {
    let mut hasher = Fingerprint(blake3::Hasher::new_derive_key("backroom 2026 settings of compiled code"));
    for part in [RULES, env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS] {
        part.hash(&mut hasher);
    }
    // The version of wasmtime, its tunables and proposals.
    engine.precompile_compatibility_hash().hash(&mut hasher);
    *hasher.0.finalize().as_bytes()
}

struct Fingerprint(blake3::Hasher);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not what is asked for here.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_do_not_mix_and_the_same_settings_are_the_same() {
        let of = |layout| fingerprint(&Engine::new(&config(layout, Duty::Run)).unwrap());
        assert_eq!(of(Layout::Growing), of(Layout::Growing));
        assert_ne!(of(Layout::Growing), of(Layout::Reserved));
    }

    #[test]
    fn an_engine_that_runs_cannot_compile() {
        let engine = Engine::new(&config(Layout::Growing, Duty::Run)).unwrap();
        let empty = [0, b'a', b's', b'm', 1, 0, 0, 0];
        assert!(engine.precompile_module(&empty).is_err());
        // What another one compiled with the same settings, it takes; with other settings, it does not.
        for (layout, fits) in [(Layout::Growing, true), (Layout::Reserved, false)] {
            let code = Engine::new(&config(layout, Duty::Compile)).unwrap().precompile_module(&empty).unwrap();
            #[expect(unsafe_code, reason = "wasmtime made these bytes a line above")]
            // SAFETY: they were compiled just now and changed by nobody.
            let module = unsafe { wasmtime::Module::deserialize(&engine, &code) };
            assert_eq!(module.is_ok(), fits);
        }
    }
}
