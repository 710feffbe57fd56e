//! `backroom:types/types`: how a host call's error becomes an answer for the guest or the end of its run.

use crate::bindings::backroom::types::types::{Error, Host};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn convert_error(&mut self, error: HostError) -> wasmtime::Result<Error> {
        match error {
            HostError::Business(error) => Ok(convert::error(error)),
            HostError::Fault(fault) => Err(self.guest.end(fault)),
        }
    }
}
