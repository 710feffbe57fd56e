//! Opening the state index again while the service goes on: after a write without room, sled is of no use any more. What it had
//! not written by then is in the log.

use std::sync::Arc;

use super::core::Core;
use super::{bring_up, replay, state_open};
use crate::error::StoreError;

/// Opens the index again if it is lost. Without success everything is as before, and the next round of upkeep tries it again.
pub(super) fn if_lost(core: &Arc<Core>) {
    if !core.is_lost() {
        return;
    }
    match reopen(core) {
        Ok(()) => {
            core.found();
            tracing::info!("the state index was opened again");
        }
        Err(error) => core.warn("index", Some(format!("the state index cannot be opened again: {error}"))),
    }
}

/// As when a store is opened, but that others read the log's end and the overlay meanwhile.
fn reopen(core: &Core) -> Result<(), StoreError> {
    let _applying = core.applying.lock();
    // Two at a time there cannot be.
    state_open::close(core.state.take());
    let last = core.durable();
    let segments = core.segments.read().clone();
    let log = replay::Log { disk: &*core.disk, segments: &segments, last, last_entry: None };
    let (index, rest) = bring_up(&core.home, &*core.checkpoints, &log, &core.options)?;
    core.bring_back(index, rest, last);
    Ok(())
}
