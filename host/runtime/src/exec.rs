//! One execution: a fresh store and instance, one call, and everything that is to be known about it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backroom_domain::Error;
use backroom_office::Work;
use backroom_office::runs::{Fault, FaultKind, LogLine};
use backroom_store::records::Limits;
use backroom_store::sched::{Pace, thread_time};
use wasmtime::{Engine, Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::bindings::WorkflowPre;
use crate::bindings::backroom::types::types;
use crate::convert;
use crate::engine::Runtime;
use crate::guest::{Guest, Holds};
use crate::limits::{HOSTCALL_FUEL, MAX_COUNTED_HANDLES, out_of_fuel, out_of_host_time};
use crate::outbound::Calls;
use crate::plugin::Plugin;
use crate::slices::Slices;
use crate::state::RunState;
use crate::ticker::TICK;

/// What an execution gets beside the unit of work.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The installation's configuration.
    pub config: Arc<BTreeMap<String, String>>,
    /// Its limits.
    pub limits: Limits,
    /// The input.
    pub input: Arc<str>,
    /// In a process of the tenant's own.
    pub apart: bool,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plugin returned ok with this output.
    Ok {
        /// At most 1 MiB; whether it is JSON was not looked at.
        output: String,
    },
    /// The plugin returned an error.
    Refused(Error),
    /// It did not return.
    Failed(Fault),
}

/// A finished execution.
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// The unit of work with what was staged. To be dropped unless the outcome is ok.
    pub work: Work,
    /// Deterministic work: of the guest, and of host calls.
    pub fuel: u64,
    /// Host calls made.
    pub host_calls: u32,
    /// What the plugin wrote.
    pub log: Vec<LogLine>,
    /// Lines beyond the log's limit.
    pub log_dropped: u64,
    /// What it sent to the outside.
    pub(crate) calls: Calls,
    /// The most memory in use, in bytes.
    pub peak_memory: u64,
    /// How long it took, the waiting for a place included.
    pub wall: Duration,
}

impl Runtime {
    /// Runs a plugin once, on this thread. Waits for a place to run; whatever the guest does, it ends in bounded time,
    /// and nothing but the unit of work has changed then.
    ///
    /// Nothing is sent to the outside from here.
    pub fn execute(&self, plugin: &Plugin, work: Work, setup: Setup) -> Execution {
        self.execute_with(plugin, work, setup, Calls::default(), None)
    }

    /// The same, with requests to the outside answered by `calls`, and one host call (the first one is 1) that fails on purpose.
    pub(crate) fn execute_with(
        &self,
        plugin: &Plugin,
        work: Work,
        setup: Setup,
        calls: Calls,
        fails_at: Option<u32>,
    ) -> Execution {
        let began = Instant::now();
        let Setup { config, limits, input, apart } = setup;
        let mut state = RunState::new(work, config, limits);
        state.calls = calls;
        state.guest.meter.fails_at = fails_at;
        let not_begun =
            |state: RunState, kind, message: &str| finish(state, Outcome::Failed(Fault::new(kind, message)), 0, began);
        if !self.ticker.is_alive() {
            // Nothing of the run's own: it may be sent again.
            return not_begun(state, FaultKind::Busy, "the wall-time limit is not working at the moment");
        }
        let Some(_place) = self.admission.enter() else {
            return not_begun(state, FaultKind::Busy, "too many runs at a time; try again in a moment");
        };
        if plugin.observes()
            && let Err(denied) = state.work.rights().check_observe()
        {
            return finish(state, Outcome::Refused(denied), 0, began);
        }
        state.guest.until = Instant::now() + Duration::from_millis(limits.wall_ms);
        let (state, ended) = match apart {
            true => self.apart.run(plugin, state, &input),
            false => run_guest(&self.engine, &plugin.pre, state, &self.slices, &input),
        };
        let fuel = ended.fuel.saturating_add(state.guest.meter.fuel);
        let outcome = judge(ended.returned, &state.guest, fuel);
        finish(state, outcome, fuel, began)
    }
}

/// What the guest returned.
pub(crate) type Returned = Result<String, types::Error>;

/// How the guest's part of an execution ended.
pub(crate) struct Ended {
    /// What it returned, or why it did not.
    pub(crate) returned: Result<Returned, Fault>,
    /// What it computed itself.
    pub(crate) fuel: u64,
}

/// Runs a guest in this process: a fresh store and instance, one call.
pub(crate) fn run_guest<T: Holds>(
    engine: &Engine,
    pre: &WorkflowPre<T>,
    mut state: T,
    slices: &Arc<Slices>,
    input: &str,
) -> (T, Ended) {
    let guest = state.guest();
    let (given, until) = (guest.limits.fuel, guest.until);
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.guest().memory);
    store.set_hostcall_fuel(HOSTCALL_FUEL);
    store.set_max_component_handles(MAX_COUNTED_HANDLES);
    // At each tick. Most runs are over before there is one.
    let slices = Arc::clone(slices);
    store.epoch_deadline_callback(move |mut store| Ok(at_tick(&slices, store.data_mut().guest(), until)));
    store.set_epoch_deadline(1);
    // The engine meters, so this cannot fail; were it to, the guest would have no fuel at all and fail.
    store.set_fuel(given).ok();
    let ended = catch_unwind(AssertUnwindSafe(|| call(&mut store, pre, input)));
    let fuel = given.saturating_sub(store.get_fuel().unwrap_or(0));
    let mut state = store.into_data();
    let guest = state.guest();
    drop(guest.slice.take());
    guest.finish_lines();
    let returned = match ended {
        Err(_panic) => Err(panicked()),
        Ok(ended) => match &guest.fault {
            // A fault that a host call raised stands, whatever the guest made of it.
            Some(fault) => Err(fault.clone()),
            None => ended.map_err(|error| fault_of(&error, guest)),
        },
    };
    (state, Ended { returned, fuel })
}

/// The fault of a host function that panicked.
pub(crate) fn panicked() -> Fault {
    tracing::error!("a host function panicked; the run was ended");
    Fault::new(FaultKind::Internal, "the service made a mistake; tell its operator")
}

fn call<T: Holds>(store: &mut Store<T>, pre: &WorkflowPre<T>, input: &str) -> Result<Returned, wasmtime::Error> {
    let instance = pre.instantiate(&mut *store)?;
    instance.call_run(&mut *store, input)
}

/// What the end of a guest means.
fn judge(returned: Result<Returned, Fault>, guest: &Guest, fuel: u64) -> Outcome {
    match returned {
        Err(fault) => Outcome::Failed(fault),
        // Both parts are bounded while it runs; their sum is here.
        Ok(_) if fuel > guest.limits.fuel => Outcome::Failed(out_of_fuel(&guest.limits)),
        // Of calls that took long and were the last ones.
        Ok(_) if guest.check_host_time().is_err() => Outcome::Failed(out_of_host_time(&guest.limits)),
        Ok(Ok(output)) if u64::try_from(output.len()).unwrap_or(u64::MAX) > guest.limits.output.into() => {
            let message = format!("the output has more than {} bytes; return less", guest.limits.output);
            Outcome::Failed(Fault::new(FaultKind::OutputSize, message))
        }
        Ok(Ok(output)) => Outcome::Ok { output },
        Ok(Err(error)) => Outcome::Refused(convert::error_from_guest(error)),
    }
}

fn fault_of(error: &wasmtime::Error, guest: &Guest) -> Fault {
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::OutOfFuel) => out_of_fuel(&guest.limits),
        Some(Trap::Interrupt) => {
            let message =
                format!("it took longer than {} ms; do less in one run, or raise the limit", guest.limits.wall_ms);
            Fault::new(FaultKind::Deadline, message)
        }
        // Guests that get no memory give up in their own ways; this is why.
        _ if guest.memory.refused => guest.memory.fault(),
        Some(trap) => Fault::new(FaultKind::Trap, format!("{trap}{}", place_of(error))),
        None => Fault::new(
            FaultKind::Output,
            format!(
                "what it handed over cannot be taken (the limit of a host call is 1 MiB): {}",
                convert::clean_lines(&error.root_cause().to_string())
            ),
        ),
    }
}

/// Where in the guest's code it happened, as far as the guest has names.
fn place_of(error: &wasmtime::Error) -> String {
    const FRAMES: usize = 4;
    // A mangled name of Rust or C++ says what it is about at its end, but nobody reads more than this of it.
    const NAME: usize = 200;
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let names = backtrace.frames().iter().filter_map(|frame| frame.func_name()).take(FRAMES);
    let names: Vec<String> = names.map(|name| convert::clean(name, NAME)).collect();
    if names.is_empty() { String::new() } else { format!(", in {}", names.join(" < ")) }
}

/// A run goes on if it has time left, and if it takes long, a processor. What counts is what it computed since its first tick, and
/// not how long others had the processor: the short one that was interrupted has waited enough.
fn at_tick(slices: &Arc<Slices>, guest: &mut Guest, until: Instant) -> UpdateDeadline {
    // Linux may look who else is there every 4 ms only.
    std::thread::yield_now();
    if Instant::now() >= until {
        return UpdateDeadline::Interrupt;
    }
    if let Some(used) = thread_time()
        && used.saturating_sub(*guest.first_tick.get_or_insert(used)) < TICK / 2
    {
        return UpdateDeadline::Continue(1);
    }
    Pace::Patient.take();
    guest.slice = slices.tick(guest.slice.take(), until);
    if guest.slice.is_some() { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt }
}

fn finish(state: RunState, outcome: Outcome, fuel: u64, began: Instant) -> Execution {
    Execution {
        outcome,
        work: state.work,
        fuel,
        host_calls: state.guest.meter.calls,
        log: state.guest.log.lines,
        log_dropped: state.guest.log.dropped,
        calls: state.calls,
        peak_memory: state.guest.memory.peak,
        wall: began.elapsed(),
    }
}
