//! What a program does before it is called for the first time, done once when it is built: it is run until it is ready, and what it has
//! in its memory then is what every run begins with.
//!
//! For Go: its runtime starts itself, and the tables of its libraries are made, in every instance otherwise.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Memory, Module, OptLevel, Result, Store, Val, bail};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

use crate::KitError;
use crate::component::PREVIEW1;

/// What a program for WASI's first preview is initialised with.
const INITIALISE: &str = "_initialize";
/// What it may compute: thousands of times what Go takes to start, and half a minute at most. The clock stands still, so whoever waits for
/// a moment computes until then.
const FUEL: u64 = 10_000_000_000;
/// Of what it writes, the end.
const OUTPUT: usize = 4 << 10;

/// Runs a core module until it is ready, and gives back one that begins there. It finds the system that it finds in a run, but for the
/// clock, which stands still: in a run that goes on from there.
///
/// # Errors
/// It ends itself, does not end, or calls the service.
pub(crate) fn initialised(core: &[u8]) -> std::result::Result<Vec<u8>, KitError> {
    let mut written = Vec::new();
    run(core, &mut written).map_err(|why| {
        let mut text = String::from_utf8_lossy(&written).into_owned();
        if text.is_empty() {
            text = why.root_cause().to_string();
        }
        KitError::Initialise(text)
    })
}

fn run(core: &[u8], written: &mut Vec<u8>) -> Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(INITIALISE);
    let (context, instrumented) = wizer.instrument(core)?;
    let mut config = Config::new();
    // It runs once.
    config.cranelift_opt_level(OptLevel::None).consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, &instrumented)?;
    let mut linker = Linker::new(&engine);
    system(&mut linker)?;
    // The service, and what of a system nobody asks for who only starts.
    linker.define_unknown_imports_as_traps(&module)?;
    let mut store = Store::new(&engine, System { seed: 1, written: Vec::new() });
    store.set_fuel(FUEL)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let ready = instance.get_typed_func::<(), ()>(&mut store, INITIALISE)?.call(&mut store, ());
    written.append(&mut store.data_mut().written);
    ready?;
    let mut state = State { store, instance };
    let mut snapshot = pin!(wizer.snapshot(&context, &mut state));
    match snapshot.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        // Nothing in it waits.
        Poll::Pending => bail!("the snapshot of its memory was not finished"),
    }
}

/// As `deny.wat`, which has the reasons.
struct System {
    seed: u64,
    written: Vec<u8>,
}

/// Numbers of errors of WASI.
const SUCCESS: i32 = 0;
const NO_FILE: i32 = 8;

fn system(linker: &mut Linker<System>) -> Result<()> {
    type Of<'a> = Caller<'a, System>;
    let time = |mut caller: Of<'_>, _clock: i32, _precision: i64, at: i32| put(&mut caller, at, &1_u64.to_le_bytes());
    linker.func_wrap(PREVIEW1, "clock_time_get", time)?;
    let resolution = |mut caller: Of<'_>, _clock: i32, at: i32| put(&mut caller, at, &1_000_u64.to_le_bytes());
    linker.func_wrap(PREVIEW1, "clock_res_get", resolution)?;
    linker.func_wrap(PREVIEW1, "sched_yield", || SUCCESS)?;
    linker.func_wrap(PREVIEW1, "random_get", |mut caller: Of<'_>, at: i32, length: u32| {
        if usize::try_from(length)? > memory(&mut caller)?.data_size(&caller) {
            bail!("it asks for more random bytes than it has memory");
        }
        let mut next = || {
            let seed = &mut caller.data_mut().seed;
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed.to_be_bytes()[0]
        };
        let bytes: Vec<u8> = (0..length).map(|_| next()).collect();
        put(&mut caller, at, &bytes)
    })?;
    for sizes in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(PREVIEW1, sizes, |mut caller: Of<'_>, count: i32, size: i32| {
            put(&mut caller, count, &[0; 4])?;
            put(&mut caller, size, &[0; 4])
        })?;
    }
    // Waiting is over at once, also that of a runtime that is about to say what went wrong.
    let wait = |mut caller: Of<'_>, _subscriptions: i32, event: i32, _count: i32, events: i32| {
        put(&mut caller, event, &[0; 32])?;
        put(&mut caller, events, &1_u32.to_le_bytes())
    };
    linker.func_wrap(PREVIEW1, "poll_oneoff", wait)?;
    for nothing in ["args_get", "environ_get"] {
        linker.func_wrap(PREVIEW1, nothing, |_: i32, _: i32| SUCCESS)?;
    }
    for file in ["fd_fdstat_get", "fd_fdstat_set_flags", "fd_prestat_get", "fd_filestat_get"] {
        linker.func_wrap(PREVIEW1, file, |_: i32, _: i32| NO_FILE)?;
    }
    linker.func_wrap(PREVIEW1, "fd_write", |mut caller: Of<'_>, _file: i32, vectors: u32, count: u32, at: i32| {
        let mut sum = 0_u32;
        for vector in 0..count {
            let place = u64::from(vectors) + 8 * u64::from(vector);
            let (from, length) = (word(&mut caller, place)?, word(&mut caller, place + 4)?);
            let mut bytes = vec![0; usize::try_from(length)?.min(OUTPUT)];
            memory(&mut caller)?.read(&caller, usize::try_from(from)?, &mut bytes)?;
            let written = &mut caller.data_mut().written;
            written.extend_from_slice(&bytes);
            written.drain(..written.len().saturating_sub(OUTPUT));
            sum = sum.saturating_add(length);
        }
        put(&mut caller, at, &sum.to_le_bytes())
    })?;
    Ok(())
}

fn memory(caller: &mut Caller<'_, System>) -> Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => bail!("it has no memory of that name"),
    }
}

fn put(caller: &mut Caller<'_, System>, at: i32, bytes: &[u8]) -> Result<i32> {
    memory(caller)?.write(caller, usize::try_from(at.cast_unsigned())?, bytes)?;
    Ok(SUCCESS)
}

fn word(caller: &mut Caller<'_, System>, at: u64) -> Result<u32> {
    let mut bytes = [0; 4];
    memory(caller)?.read(caller, usize::try_from(at)?, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// What the snapshot is taken of.
struct State {
    store: Store<System>,
    instance: Instance,
}

impl InstanceState for State {
    async fn global_get(&mut self, name: &str, _of: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name);
        match global.map(|global| global.get(&mut self.store)) {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            // Refused when it was instrumented.
            _ => SnapshotVal::I32(0),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name);
        contents(memory.map_or(&[], |memory| memory.data(&self.store)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initialised_text(body: &str) -> std::result::Result<Vec<u8>, KitError> {
        let text = format!(
            r#"(module
                (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (import "backroom:host/clock@0.1.0" "now" (func $now (result i64)))
                (memory (export "memory") 1)
                (data (i32.const 16) "not today")
                (global $ready (mut i32) (i32.const 0))
                (func (export "_initialize") {body})
                (func (export "is-ready") (result i32) (i32.add (global.get $ready) (i32.load (i32.const 64)))))"#
        );
        initialised(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn what_was_done_is_there_when_it_is_called() {
        let core =
            initialised_text("(global.set $ready (i32.const 40)) (i32.store (i32.const 64) (i32.const 2))").unwrap();
        let engine = Engine::default();
        let module = Module::new(&engine, &core).unwrap();
        assert!(module.get_export(INITIALISE).is_none(), "it would be done once more");
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let ready = instance.get_typed_func::<(), i32>(&mut store, "is-ready").unwrap();
        assert_eq!(ready.call(&mut store, ()).unwrap(), 42);
    }

    #[test]
    fn whoever_does_not_get_ready_says_why() {
        let words = "(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 9))
            (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) unreachable";
        let rows = [
            ("unreachable", "unreachable"),
            (words, "not today"),
            ("(drop (call $now))", "backroom:host/clock"),
            ("(loop $on (br $on))", "fuel"),
        ];
        for (body, part) in rows {
            let why = initialised_text(body).unwrap_err().to_string();
            assert!(why.contains("no service yet") && why.contains(part), "{body}: {why}");
        }
    }
}
