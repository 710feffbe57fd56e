//! Upkeep: what is done beside the service so that the files stay small and opening stays quick. Nothing here is ever needed
//! for a commit or a read; what fails is reported and done again in the next round.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::copy::{self, Heads};
use super::core::{Core, Figures};
use super::reopen::{self, Attempts};
use super::{checkpoint, compact, packed};
use crate::engine::Upkeep;
use crate::error::StoreError;
use crate::sched::Pace;
use crate::types::Revision;

/// Figures are taken this often, as they read folders that may have many files, and what failed is tried again.
const FIGURES_EVERY: Duration = Duration::from_secs(10);
/// Checkpoints kept: one for when the newest is damaged.
const KEEP: usize = 2;
/// Remembers when the index was written anew, and how large it was: else each start would find it too large again.
const COMPACTED: &str = "compacted";

/// How far the log is compressed.
#[derive(Default)]
pub(super) struct Packing {
    /// Segments before this one are compressed, or refused to be.
    packed: Revision,
    /// Damaged segments: looked at once, left alone.
    refused: BTreeSet<Revision>,
}

/// What upkeep remembers between its rounds.
#[derive(Default)]
pub(super) struct Memory {
    compacted: Option<Compacted>,
    /// When that was tried last.
    tried: Option<Instant>,
    measured: Option<Instant>,
    reopening: Attempts,
}

/// The last time that the index was written anew.
#[derive(Clone, Copy)]
struct Compacted {
    at: backroom_domain::Instant,
    /// How large it was on the disk then.
    bytes: u64,
}

/// What can be told when a store has been opened: how far behind the checkpoints are, in bytes of log, and the figures.
///
/// # Errors
/// What the operating system reports.
pub(super) fn begin(core: &Core) -> Result<(), StoreError> {
    let newest = checkpoint::list(&*core.checkpoints)?.first().copied().unwrap_or_default();
    let segments = core.segments.read().clone();
    let behind = segments.partition_point(|first| *first <= newest).saturating_sub(1);
    // As if all were full: the first checkpoint may come a little early.
    let grown = (segments.len() - behind).saturating_sub(1) as u64 * core.options.segment_bytes;
    core.log_grown.store(grown, Ordering::Relaxed);
    let mut memory = core.upkeep.lock();
    memory.compacted = core.home.read_note(COMPACTED).and_then(|note| Compacted::parse(&note));
    measure(core, &mut memory);
    Ok(())
}

impl Compacted {
    fn parse(note: &str) -> Option<Self> {
        let (at, bytes) = note.trim_end().split_once(' ')?;
        Some(Self { at: backroom_domain::Instant(at.parse().ok()?), bytes: bytes.parse().ok()? })
    }
}

/// Runs a round from time to time, until the store is closed.
pub(super) fn run(core: &Arc<Core>) {
    // Nobody waits for it.
    Pace::Patient.take();
    let Some(every) = core.options.upkeep_every else { return };
    while core.wait_upkeep(every) {
        round(core);
    }
}

/// Compresses segments as they become full, until the store is closed. On a thread of its own: while the state is written anew the
/// log grows most.
pub(super) fn run_packing(core: &Arc<Core>) {
    // Nobody waits for it.
    Pace::Patient.take();
    let Some(every) = core.options.upkeep_every.filter(|_| core.options.compress) else { return };
    while core.wait_upkeep(every) {
        pack_segments(core);
    }
}

/// One round. Rounds do not run at the same time.
pub(super) fn round(core: &Arc<Core>) {
    let mut memory = core.upkeep.lock();
    core.room_is_low();
    core.look_after_index();
    reopen::if_lost(core, &mut memory.reopening);
    core.home.take_spare(core.options.spare_bytes);
    checkpoint_if_due(core, &mut memory);
    match memory.measured {
        Some(measured) if measured.elapsed() < FIGURES_EVERY => measure_state(core),
        _ => measure(core, &mut memory),
    }
    if memory.tried.is_none_or(|tried| tried.elapsed() >= FIGURES_EVERY) {
        let due = compaction_is_due(core, &memory);
        memory.tried = due.then(Instant::now);
        try_if(core, "compact", due, core.state.bytes().saturating_mul(3), || compact_now(core, &mut memory));
    }
}

fn compaction_is_due(core: &Core, memory: &Memory) -> bool {
    let state = core.figures.lock().state;
    let logical = core.state.bytes();
    // Under load sled takes two and a half times what comes in, and that takes a while: begun later, it would be over too late.
    let large = state > core.options.compact_bytes && state > logical.saturating_add(logical / 2);
    // It grows back quickly to what it was; that must not be all that the disk does.
    let more = |bytes: u64| (bytes / 2).max(core.options.compact_bytes);
    let grown = memory.compacted.is_none_or(|compacted| state > compacted.bytes + more(compacted.bytes));
    large && grown && logical > 0
}

/// A checkpoint, if so much was committed since the last one that playing it would take longer than writing it.
pub(super) fn checkpoint_if_due(core: &Arc<Core>, memory: &mut Memory) {
    let many = core.options.checkpoint_bytes.max(core.state.bytes());
    let due = core.log_grown.load(Ordering::Relaxed) >= many;
    try_if(core, "checkpoint", due, core.state.bytes(), || checkpoint_now(core, memory));
}

/// Does what is due, if there is room for so many bytes. Until then what was wrong with it the last time stays.
fn try_if(core: &Core, subject: &'static str, due: bool, room: u64, work: impl FnOnce() -> Result<(), StoreError>) {
    if !due {
        report(core, subject, Ok(()));
    } else if has_room(core, room) {
        report(core, subject, work());
    }
}

/// What was asked for, at once.
pub(super) fn now(core: &Arc<Core>, what: Upkeep) -> Result<(), StoreError> {
    match what {
        Upkeep::Due => {
            if core.options.compress {
                pack_segments(core);
            }
            // By figures of now.
            {
                let mut memory = core.upkeep.lock();
                (memory.measured, memory.tried) = (None, None);
            }
            round(core);
        }
        Upkeep::Checkpoint => checkpoint_now(core, &mut core.upkeep.lock())?,
        Upkeep::Compact => {
            let mut memory = core.upkeep.lock();
            compact_now(core, &mut memory)?;
            // The newest is as good, and the other takes as much room. Where it cannot go now, it is compacted all the same.
            report(core, "remove older checkpoints", checkpoint::prune(&*core.checkpoints, 1));
        }
    }
    measure(core, &mut core.upkeep.lock());
    Ok(())
}

/// What is wrong with it; nothing if it was done, or is not due any more.
fn report(core: &Core, subject: &'static str, done: Result<(), StoreError>) {
    match done {
        // A store that is being closed, or has stopped, says so by itself.
        Err(_) if core.check_copying().is_err() => {}
        done => core.warn(subject, done.err().map(|error| error.to_string())),
    }
}

fn has_room(core: &Core, bytes: u64) -> bool {
    core.home.free_bytes() > bytes.saturating_add(core.options.min_free_bytes)
}

/// The state's alone: a few files, that grow by hundreds of MiB in ten seconds.
fn measure_state(core: &Core) {
    let Some(state) = state_bytes(core) else { return };
    core.figures.lock().state = state;
}

fn state_bytes(core: &Core) -> Option<u64> {
    let folder = core.state.index()?.folder;
    Some(core.home.folder_bytes(folder) + core.home.folder_bytes(&format!("{folder}/blobs")))
}

fn measure(core: &Core, memory: &mut Memory) {
    let Some(state) = state_bytes(core) else { return };
    memory.measured = Some(Instant::now());
    let (log, checkpoints) = (core.home.folder_bytes(super::LOG), core.home.folder_bytes(super::CHECKPOINTS));
    let compacted_at = memory.compacted.map(|compacted| compacted.at);
    *core.figures.lock() = Figures { log, state, checkpoints, compacted_at };
}

fn compact_now(core: &Arc<Core>, memory: &mut Memory) -> Result<(), StoreError> {
    let before = core.figures.lock().state;
    compact::compact(core)?;
    measure(core, memory);
    let bytes = core.figures.lock().state;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = backroom_domain::Instant(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
    memory.compacted = Some(Compacted { at, bytes });
    core.figures.lock().compacted_at = Some(at);
    tracing::info!(before, bytes, "the state index was written anew");
    // Without the note it is done once more than needed; that it was done is true all the same.
    report(core, "note the compaction", core.home.note(COMPACTED, &format!("{} {bytes}\n", at.0)));
    Ok(())
}

/// `_memory`: one at a time.
fn checkpoint_now(core: &Arc<Core>, _memory: &mut Memory) -> Result<(), StoreError> {
    // Also removes what was left unfinished.
    let newest = checkpoint::list(&*core.checkpoints)?.first().copied().unwrap_or_default();
    let Heads { revision, heads } = copy::begin(core)?;
    if revision <= newest {
        return Ok(());
    }
    let failed = || StoreError::io("write a checkpoint");
    let grown = core.log_grown.load(Ordering::Relaxed);
    let mut writer = checkpoint::Writer::create(&*core.checkpoints, revision).map_err(failed())?;
    for (key, value) in &heads {
        writer.pair(key, value).map_err(failed())?;
    }
    copy::records(core, &mut |key, value| writer.pair(key, value).map_err(failed()))?;
    let summary = writer.finish(&*core.checkpoints, core.durable()).map_err(failed())?;
    core.read_state(|index| {
        index.counted(summary.bytes);
        Ok(())
    })?;
    core.log_grown.fetch_sub(grown, Ordering::Relaxed);
    tracing::info!(revision, records = summary.pairs, bytes = summary.bytes, "a checkpoint was written");
    checkpoint::prune(&*core.checkpoints, KEEP)
}

/// Compresses all segments that are full. The last one is being written.
fn pack_segments(core: &Core) {
    // What is said of it is said in the order in which it was done.
    let mut packing = core.packing.lock();
    report(core, "compress", pack_full(core, &mut packing));
}

fn pack_full(core: &Core, packing: &mut Packing) -> Result<(), StoreError> {
    let segments = core.segments.read().clone();
    let full = segments.split_last().map_or(&[][..], |(_, full)| full);
    let names: BTreeSet<String> =
        core.disk.list().map_err(StoreError::io("list the log folder"))?.into_iter().collect();
    let packed = packing.packed;
    for first in full.iter().copied().filter(|first| *first >= packed) {
        if core.is_closing() {
            return Ok(());
        }
        if names.contains(&super::segment::name(first)) && !packing.refused.contains(&first) {
            match packed::pack(&*core.disk, first) {
                Err(StoreError::Corrupt { place, what }) => {
                    packing.refused.insert(first);
                    core.warn("damage", Some(format!("{place}: {what}. Run `backroom log verify`")));
                }
                done => done?,
            }
        }
    }
    packing.packed = segments.last().copied().unwrap_or_default();
    Ok(())
}
