//! `backroom:host/state`: what an installation keeps from run to run.

use backroom_office::state;

use crate::bindings::backroom::host::state::{Host, KeyPage};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, HostError> {
        let _host = self.guest.enter(key.len())?;
        let value = state::get(&self.work, &key)?;
        self.guest.leave(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), HostError> {
        let bytes = key.len() + value.len();
        let _host = self.guest.enter(bytes)?;
        state::set(&mut self.work, &key, value)?;
        self.staged(bytes)
    }

    fn delete(&mut self, key: String) -> Result<(), HostError> {
        let _host = self.guest.enter(key.len())?;
        state::delete(&mut self.work, &key)?;
        self.staged(key.len())
    }

    fn list(&mut self, prefix: String, cursor: Option<String>, limit: u32) -> Result<KeyPage, HostError> {
        let _host = self.guest.enter(prefix.len())?;
        let page = state::list(&self.work, &prefix, &convert::page_request(cursor, limit))?;
        self.guest.leave(page.items.iter().map(|key| key.len() + 8).sum())?;
        Ok(KeyPage { keys: page.items, next: page.next })
    }
}
