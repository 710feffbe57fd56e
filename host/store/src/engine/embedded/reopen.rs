//! Opening the state index again while the service goes on: after a write without room, sled is of no use any more. What it had
//! not written by then is in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::{bring_up, replay, state_open};
use crate::error::StoreError;

/// Between two attempts, at first; each that did not last doubles it. Each interrupts what is reading.
const PAUSE: Duration = Duration::from_secs(1);
/// Whoever made room does not want to wait for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// When that was done.
#[derive(Default)]
pub(super) struct Attempts {
    last: Option<(Instant, Duration)>,
}

impl Attempts {
    /// Whether it is time for one, which is noted.
    fn is_due(&mut self) -> bool {
        let pause = match self.last {
            Some((at, pause)) if at.elapsed() < pause => return false,
            Some((at, pause)) if at.elapsed() < pause * 4 => (pause * 2).min(LONGEST_PAUSE),
            _ => PAUSE,
        };
        self.last = Some((Instant::now(), pause));
        true
    }
}

/// Opens the index again if it is lost. Without success a later round of upkeep tries it again; a log that does not fit or is damaged
/// stops the store.
pub(super) fn if_lost(core: &Arc<Core>, attempts: &mut Attempts) {
    if !core.is_lost() || !attempts.is_due() {
        return;
    }
    match reopen(core) {
        Ok(()) => tracing::info!("the state index was opened again"),
        Err(error @ StoreError::Corrupt { .. }) => core.fail(&error.to_string()),
        Err(error) => core.warn("index", Some(format!("the state index cannot be opened again: {error}"))),
    }
}

/// As when a store is opened, but that others read the log's end and the overlay meanwhile.
fn reopen(core: &Core) -> Result<(), StoreError> {
    let _applying = core.applying.lock();
    // Two at a time there cannot be.
    state_open::close(core.state.take());
    let (last, until) = (core.durable(), core.applied());
    let segments = core.segments.read().clone();
    // What comes behind is in the queue already.
    let log = replay::Log { disk: &*core.disk, segments: &segments, last, last_entry: None, until };
    core.bring_back(bring_up(&core.home, &*core.checkpoints, &log, &core.options)?);
    Ok(())
}
