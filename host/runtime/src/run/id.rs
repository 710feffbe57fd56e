//! Ids of runs that came without one.

use std::cell::RefCell;

use backroom_domain::{Id, Instant};

use crate::error::RunnerError;

/// An id for a run without one: a UUID of version 7, so that ids are in order of time.
pub(crate) fn new_id(now: Instant) -> Result<Id, RunnerError> {
    let uuid = uuid::Builder::from_unix_timestamp_millis(now.0 / 1_000, &random()?).into_uuid();
    Ok(Id::parse(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()), "id")?)
}

/// What makes an id one of its own. The system is asked for many at a time: a call for each was measured to take a tenth of what a
/// run costs beside its plugin.
fn random() -> Result<[u8; 10], RunnerError> {
    const AT_A_TIME: usize = 32;
    thread_local!(static LEFT: RefCell<Vec<[u8; 10]>> = const { RefCell::new(Vec::new()) });
    LEFT.with_borrow_mut(|left| {
        if left.is_empty() {
            let mut fresh = [[0; 10]; AT_A_TIME];
            getrandom::fill(fresh.as_flattened_mut()).map_err(|why| {
                RunnerError::Unavailable(format!("the system gives no random bytes for the id of a run: {why}"))
            })?;
            left.extend(fresh);
        }
        Ok(left.pop().unwrap_or_default())
    })
}
