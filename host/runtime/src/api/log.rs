//! `backroom:host/log`: lines for people.

use backroom_office::runs::LogLevel;

use crate::bindings::backroom::host::log::{Host, Level};
use crate::state::RunState;

impl Host for RunState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.guest.enter_or_end(message.len())?;
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.guest.log.write(level, &message);
        Ok(())
    }
}
