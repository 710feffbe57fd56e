//! Upkeep: what is done beside the service so that the files stay small and opening stays quick. Nothing here is ever needed
//! for a commit or a read; what fails is reported and done again in the next round.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::core::Core;
use super::packed;
use crate::error::StoreError;
use crate::types::Revision;

/// What upkeep remembers between its rounds.
#[derive(Default)]
pub(super) struct Memory {
    /// Segments before this one are compressed, or refused to be.
    packed: Revision,
    /// Damaged segments: looked at once, left alone.
    refused: BTreeSet<Revision>,
}

/// Runs a round from time to time, until the store is closed.
pub(super) fn run(core: &Arc<Core>) {
    let Some(every) = core.options.upkeep_every else { return };
    while core.wait_upkeep(every) {
        round(core);
    }
}

/// One round. Rounds do not run at the same time.
pub(super) fn round(core: &Core) {
    let mut memory = core.upkeep.lock();
    if core.options.compress
        && let Err(error) = pack_segments(core, &mut memory)
    {
        core.warn("compress", Some(error.to_string()));
    }
}

/// Compresses all segments that are full. The last one is being written.
fn pack_segments(core: &Core, memory: &mut Memory) -> Result<(), StoreError> {
    let segments = core.segments.read().clone();
    let full = segments.split_last().map_or(&[][..], |(_, full)| full);
    let names: BTreeSet<String> =
        core.disk.list().map_err(StoreError::io("list the log folder"))?.into_iter().collect();
    for first in full.iter().copied().filter(|first| *first >= memory.packed) {
        if core.is_closing() {
            return Ok(());
        }
        if names.contains(&super::segment::name(first)) && !memory.refused.contains(&first) {
            match packed::pack(&*core.disk, first) {
                Err(StoreError::Corrupt { place, what }) => {
                    memory.refused.insert(first);
                    core.warn("compress", Some(format!("{place}: {what}. Run `backroom log verify`")));
                }
                done => done?,
            }
        }
    }
    memory.packed = segments.last().copied().unwrap_or_default();
    if memory.refused.is_empty() {
        core.warn("compress", None);
    }
    Ok(())
}
