//! `backroom:host/config`: what the operator set for the installation.

use crate::bindings::backroom::host::config::Host;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.guest.enter_or_end(key.len())?;
        let value = self.config.get(&key).cloned();
        let carried = self.guest.meter.carry(&self.guest.limits, value.as_ref().map_or(0, String::len));
        carried.map_err(|fault| self.guest.end(fault))?;
        Ok(value)
    }
}
