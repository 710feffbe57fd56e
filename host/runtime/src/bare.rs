//! The same components on the same engine without the service around them: what a run costs at the least.
//!
//! Pool, fuel and epochs are as in a run; balances are answered without a look, every other host function traps. For benchmarks;
//! nothing of it is ever served.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::WorkflowPre;
use crate::bindings::backroom::{ledger, types};
use crate::engine::Runtime;
use crate::error::{HostError, RuntimeError};
use crate::plugin::Plugin;
use crate::ticker::TICK;

/// Runs components against host functions that do nothing.
pub struct Bare {
    runtime: Arc<Runtime>,
    linker: Linker<Answers>,
}

/// A component that is ready to run so.
pub struct BarePlugin(WorkflowPre<Answers>);

/// The host functions' state: none.
struct Answers;

/// As much fuel as a run has by default.
const FUEL: u64 = 10_000_000_000;
/// As much time as a run has by default.
const TIME: Duration = Duration::from_secs(30);

impl Bare {
    /// On the engine of `runtime`.
    ///
    /// # Errors
    /// Never, as long as the contract's interfaces do not clash.
    pub fn new(runtime: Arc<Runtime>) -> Result<Self, RuntimeError> {
        let mut linker = Linker::new(&runtime.engine);
        types::types::add_to_linker::<_, HasSelf<_>>(&mut linker, |answers| answers)
            .and_then(|()| ledger::balances::add_to_linker::<_, HasSelf<_>>(&mut linker, |answers| answers))
            .map_err(|why| RuntimeError::Engine(why.to_string()))?;
        Ok(Self { runtime, linker })
    }

    /// Resolves the imports of a plugin that was loaded.
    ///
    /// # Errors
    /// As for the plugin itself, so none if that was loaded.
    pub fn prepare(&self, plugin: &Plugin) -> Result<BarePlugin, RuntimeError> {
        let mut linker = self.linker.clone();
        let pre = linker
            .define_unknown_imports_as_traps(&plugin.component)
            .and_then(|()| linker.instantiate_pre(&plugin.component))
            .and_then(WorkflowPre::new);
        Ok(BarePlugin(pre.map_err(|why| RuntimeError::Engine(why.to_string()))?))
    }

    /// One run: a fresh store and instance, one call.
    ///
    /// # Errors
    /// What the guest ended with, if it did not return ok.
    pub fn run(&self, plugin: &BarePlugin, input: &str) -> Result<String, String> {
        let failed = |why: wasmtime::Error| format!("{why:#}");
        let mut store = Store::new(&self.runtime.engine, Answers);
        store.set_fuel(FUEL).map_err(failed)?;
        store.set_epoch_deadline(u64::try_from(TIME.as_micros() / TICK.as_micros()).unwrap_or(u64::MAX));
        let instance = plugin.0.instantiate(&mut store).map_err(failed)?;
        let returned = instance.call_run(&mut store, input).map_err(failed)?;
        returned.map_err(|error| format!("{error:?}"))
    }
}

impl types::types::Host for Answers {
    fn convert_error(&mut self, error: HostError) -> wasmtime::Result<types::types::Error> {
        match error {
            HostError::Business(error) => Ok(crate::convert::error(error)),
            HostError::Fault(fault) => Err(wasmtime::Error::new(fault)),
        }
    }
}

impl ledger::balances::Host for Answers {
    fn get(
        &mut self,
        account: String,
        _as_of: Option<types::types::BusinessDate>,
    ) -> Result<ledger::balances::Balance, HostError> {
        Ok(ledger::balances::Balance { account, currency: "USD".to_owned(), debits: 0, credits: 0 })
    }

    fn get_many(
        &mut self,
        _accounts: Vec<String>,
        _as_of: Option<types::types::BusinessDate>,
        _recorded_at: Option<types::types::Instant>,
    ) -> Result<Vec<ledger::balances::Counters>, HostError> {
        Ok(Vec::new())
    }

    fn trial_balance(
        &mut self,
        _as_of: Option<types::types::BusinessDate>,
    ) -> Result<Vec<ledger::balances::Balance>, HostError> {
        Ok(Vec::new())
    }
}
