//! Writing the state index anew, beside the one in use: sled's files grow to several times what is in them, and records
//! written in order of their keys take the least room.
//!
//! All of it is copied while the service goes on, then what was committed meanwhile is played from the log. The last bit of
//! that the applier does itself, between two of its batches, and exchanges the two: for readers nothing happens.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::copy::{self, Heads};
use super::core::Core;
use super::state::Index;
use super::{replay, state_open};
use crate::error::StoreError;
use crate::types::Revision;

/// So near to the index in use that the applier can do the rest: some hundredths of a second.
const NEAR: u64 = 2_000;
const POLL: Duration = Duration::from_millis(5);

/// A new index for the applier, with everything up to `at`.
pub(super) struct Offer {
    index: Index,
    at: Revision,
    taken: SyncSender<Result<Option<Arc<Index>>, StoreError>>,
}

/// Writes the index anew.
///
/// # Errors
/// What reading and writing reports; the index in use is none the worse for it.
pub(super) fn compact(core: &Arc<Core>) -> Result<(), StoreError> {
    let Heads { revision, heads } = copy::begin(core)?;
    let in_use = core.read_state(|index| Ok(index.folder))?;
    let index = state_open::beside(&core.home, in_use, core.options.cache_bytes)?;
    let folder = index.folder;
    let exchanged = fill(core, &index, revision, &heads).and_then(|at| exchange(core, index, at));
    match exchanged {
        Ok(old) => {
            state_open::close(old);
            // The old one goes: the new one must outlive the power as well as that did.
            core.read_state(Index::flush)?;
            core.home.sync_folder(folder)?;
            state_open::moved(&core.home, folder)
        }
        Err(error) => {
            // Otherwise the next opening does it.
            let _removed = core.home.remove_folder(folder);
            Err(error)
        }
    }
}

fn fill(core: &Core, index: &Index, revision: Revision, heads: &[(Vec<u8>, Vec<u8>)]) -> Result<Revision, StoreError> {
    index.write_base(core.options.block_bytes, |put| copy::records(core, put))?;
    index.advance(heads.iter().map(|(key, value)| (key.as_slice(), value.as_slice())), revision)?;
    let mut at = revision;
    loop {
        core.check_copying()?;
        let to = core.applied();
        if to - at < NEAR {
            return Ok(at);
        }
        replay::catch_up(core, index, at, to)?;
        at = to;
    }
}

/// Gives it to the applier; the old index comes back.
fn exchange(core: &Core, index: Index, at: Revision) -> Result<Option<Arc<Index>>, StoreError> {
    let (taken, done) = mpsc::sync_channel(1);
    *core.offer.lock() = Some(Offer { index, at, taken });
    core.wake_applier();
    loop {
        match done.recv_timeout(POLL) {
            Ok(exchanged) => return exchanged,
            Err(RecvTimeoutError::Disconnected) => return Err(StoreError::Busy("the applier has ended".into())),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = core.check_copying()
                    && core.offer.lock().take().is_some()
                {
                    return Err(error);
                }
            }
        }
    }
}

/// The applier's part, between two batches.
pub(super) fn take_offer(core: &Core) {
    let Some(Offer { index, at, taken }) = core.offer.lock().take() else { return };
    let exchanged = replay::catch_up(core, &index, at, core.applied()).map(|()| core.state.exchange(index));
    // Whoever offered it waits for the answer, or has left with the store.
    let _sent = taken.send(exchanged);
}
