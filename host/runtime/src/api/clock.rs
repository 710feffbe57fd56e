//! `backroom:host/clock`: the run's time, which is no machine's.

use crate::bindings::backroom::host::clock::{BusinessDate, Host, Instant};
use crate::convert;
use crate::state::RunState;

impl Host for RunState {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.guest.enter_or_end(0)?;
        Ok(convert::instant(self.work.now))
    }

    fn today(&mut self) -> wasmtime::Result<BusinessDate> {
        self.guest.enter_or_end(0)?;
        Ok(convert::date(self.work.today))
    }
}
