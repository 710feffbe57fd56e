//! The applier: brings what is durable into the state index, many entries merged, and then drops it from the overlay.
//!
//! In this order: index first, overlay after, so that a reader who does not find a version in the overlay finds it in the
//! index. Never past the oldest snapshot, so that a reader does not find in the index what it must not see.

use std::sync::Arc;
use std::time::Duration;

use super::compact;
use super::core::Core;
use super::log_thread::FailOnPanic;
use super::overlay::cost;
use super::sequence::{Phase, Queued};
use super::state::Index;
use crate::error::StoreError;
use crate::sched::Pace;

/// Changes that are merged and sorted at once. Enough that hot keys are written once for many commits and neighbours come
/// together; few enough that the overlay gets smaller every tenth of a second.
const BATCH: usize = 16_384;

/// Runs until the store has been closed and everything durable is applied.
pub(super) fn run(core: &Arc<Core>) {
    // Nobody waits for it.
    Pace::Patient.take();
    let fail_on_panic = FailOnPanic(Arc::clone(core));
    loop {
        // Asked first: once the log thread has ended, nothing becomes durable that this round does not see.
        let last_round = core.sequence.lock().phase == Phase::Draining;
        let applying = core.applying.lock();
        compact::take_offer(core);
        if core.room_is_low() || core.is_lost() {
            drop(applying);
            if last_round {
                break;
            }
            make_way(core);
            core.wait_for_space();
            continue;
        }
        let (batch, full) = take(core);
        let Some(applied) = batch.last().map(|queued| queued.revision) else {
            drop(applying);
            if last_round {
                break;
            }
            wait(core);
            continue;
        };
        let apply = |index: &Index| index.apply(batch.iter().flat_map(|queued| queued.changes.iter()), applied);
        match core.read_state(apply) {
            Ok(()) => {}
            Err(error) => {
                if matches!(error, StoreError::Io { .. }) {
                    core.lose(&error);
                }
                if core.is_lost() {
                    // The log has it, and the overlay shows it, until the index has been opened again.
                    core.give_back(batch);
                    continue;
                }
                core.fail(&error.to_string());
                break;
            }
        }
        for queued in &batch {
            core.overlay.forget(&queued.changes, applied);
        }
        core.now_applied(applied);
        drop(applying);
        if !full {
            // Little to do: let more come together.
            pause(core);
        }
    }
    drop(fail_on_panic);
}

/// The entries that may be applied, up to one batch; whether that is full.
fn take(core: &Core) -> (Vec<Queued>, bool) {
    let horizon = core.snapshots.horizon(|| core.durable());
    let mut sequence = core.sequence.lock();
    let mut batch = Vec::new();
    let mut changes = 0;
    // What one batch makes sled write must fit into the room that it is left.
    let (mut bytes, most) = (0, usize::try_from(core.options.min_free_bytes / 16).unwrap_or(usize::MAX).max(1 << 16));
    let fits = |queued: &mut Queued, changes: usize, bytes: usize| {
        queued.revision <= horizon && changes < BATCH && bytes < most
    };
    while let Some(queued) = sequence.queue.pop_front_if(|queued| fits(queued, changes, bytes)) {
        changes += queued.changes.len();
        bytes += queued.changes.iter().map(|change| cost(&change.key, change.value.as_deref())).sum::<usize>();
        batch.push(queued);
    }
    (batch, changes >= BATCH || bytes >= most)
}

/// Waits until there may be something to apply, or the end.
fn wait(core: &Core) {
    {
        let mut sequence = core.sequence.lock();
        // Whoever makes an offer rings under this lock, after it: none is missed between looking and waiting.
        if sequence.queue.is_empty() && sequence.phase != Phase::Draining && core.offer.lock().is_none() {
            core.apply.wait(&mut sequence);
        }
    }
    make_way(core);
    pause(core);
}

fn pause(core: &Core) {
    let mut sequence = core.sequence.lock();
    if sequence.phase == Phase::Open {
        core.apply.wait_for(&mut sequence, core.options.apply_every);
    } else if sequence.phase == Phase::Closing {
        // The log thread is still writing.
        core.apply.wait_for(&mut sequence, Duration::from_millis(1));
    }
}

/// A snapshot that somebody forgot must not stop all writers: an old one goes when the overlay is more than half full.
fn make_way(core: &Core) {
    if core.overlay.bytes() > core.options.overlay_bytes / 2 {
        let expired = core.snapshots.expire(core.durable(), core.options.snapshot_age);
        if expired > 0 {
            tracing::warn!(expired, "snapshots were held too long and have been taken away");
        }
    }
}
