//! The clock behind wall-time limits: one plain thread that moves the engine's epoch on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backroom_store::sched::Pace;
use wasmtime::{Engine, Instance, Module, Store, Trap};

use crate::compile::{Made, Reason, What, Workshop};
use crate::error::{PluginError, RuntimeError};

/// Wall time is measured in steps of this length.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Without a tick for so long, no run may begin: nothing would stop it. Long enough for a machine that is very busy.
const STALE: Duration = Duration::from_secs(2);

/// The ticking thread, seen from outside. The thread ends with the engine.
pub(crate) struct Ticker {
    began: Instant,
    /// Milliseconds from `began` to the last tick.
    last: Arc<AtomicU64>,
}

impl Ticker {
    /// Starts ticking and proves that a spinning guest on this engine is stopped by it.
    pub(crate) fn start(engine: &Engine, workshop: &Workshop) -> Result<Self, RuntimeError> {
        let spinning = spinning(engine, workshop).map_err(RuntimeError::Compiler)?;
        let ticker = Self::tick(engine)?;
        ticker.self_test(engine, &spinning)?;
        Ok(ticker)
    }

    /// Starts ticking.
    pub(crate) fn tick(engine: &Engine) -> Result<Self, RuntimeError> {
        let began = Instant::now();
        let last = Arc::new(AtomicU64::new(0));
        let (weak, beat) = (engine.weak(), Arc::clone(&last));
        let (started, start) = std::sync::mpsc::channel();
        let tick = move || {
            // Or whoever it is to stop would hold it up.
            Pace::Prompt.take();
            started.send(()).ok();
            // The engine is held only for the moment of a tick. Ticks that a busy machine misses are not made up for: a
            // limit may come late, but never early.
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                beat.store(millis(began.elapsed()), Ordering::Relaxed);
                drop(engine);
                std::thread::sleep(TICK);
            }
        };
        let thread = std::thread::Builder::new().name("epoch".into()).spawn(tick);
        let failed = |why: String| RuntimeError::Ticker(format!("its thread does not start: {why}"));
        thread.map_err(|why| failed(why.to_string()))?;
        // Whoever locks the process in next would take from a thread what it needs to begin.
        start.recv().map_err(|why| failed(why.to_string()))?;
        Ok(Self { began, last })
    }

    /// Is it still ticking?
    pub(crate) fn is_alive(&self) -> bool {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last) < STALE
    }

    fn self_test(&self, engine: &Engine, spinning: &Module) -> Result<(), RuntimeError> {
        let failed = |why: String| RuntimeError::Ticker(why);
        let mut store = Store::new(engine, ());
        // Some seconds of looping: a ticker that does not work is found, and does not hang the start.
        store.set_fuel(10_000_000_000).map_err(|why| failed(why.to_string()))?;
        store.set_epoch_deadline(2);
        match Instance::new(&mut store, spinning, &[]) {
            Ok(_) => Err(failed("an endless loop ended".into())),
            Err(why) if why.downcast_ref() == Some(&Trap::Interrupt) => Ok(()),
            Err(why) => Err(failed(format!("an endless loop was not stopped by it: {why}"))),
        }
    }
}

/// A module that loops for ever as soon as there is an instance of it. Compiled like everything else, so it also shows that there is a
/// compiler.
fn spinning(engine: &Engine, workshop: &Workshop) -> Result<Module, PluginError> {
    const SPIN: [u8; 32] = [
        0, b'a', b's', b'm', 1, 0, 0, 0, // magic and version
        1, 4, 1, 0x60, 0, 0, // types: () -> ()
        3, 2, 1, 0, // functions: one of that type
        8, 1, 0, // start: function 0
        10, 9, 1, 7, 0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B, // code: loop, br 0, end, end
    ];
    let bytes = || Ok::<_, PluginError>(SPIN.to_vec());
    workshop.make(What::Module, Reason::Use, &blake3::hash(&SPIN), bytes, |made: &Made| {
        #[expect(unsafe_code, reason = "the only way from compiled code to a module")]
        // SAFETY: as for plugins.
        let module = unsafe { Module::deserialize(engine, &made.code) };
        module.map_err(|why| PluginError::Compile(format!("{why:#}")))
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
