//! Opening the log: finds its end, cuts an unfinished write off, and makes sure that what is kept is on the disk.
//!
//! The last segment is always copied to a fresh file that is synced and takes its place. After a failed sync the page cache
//! may show bytes that the disk never got, so what can be read proves nothing; a new file that was synced does. On a full
//! disk, where nothing can be copied, the bytes that no later frame says were synced are written over themselves instead.

use std::collections::VecDeque;

use super::disk::{Disk, LogFile};
use super::home::is_full;
use super::segment::Segment;
use super::{frame, packed, segment};
use crate::engine::Place;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::types::Revision;

/// A copy under way; never part of the log, as no file with this ending is.
const COPY: &str = "tail.tmp";
const UNFINISHED: &str = ".tmp";

/// The log, ready for the next entry.
pub(super) struct Recovered {
    /// The first revisions of all segments; the last is the one in `tail`.
    pub(super) segments: Vec<Revision>,
    /// The last segment, for appending.
    pub(super) tail: Box<dyn LogFile>,
    /// Its length.
    pub(super) tail_size: u64,
    /// The last revision in the log; 0 if it is empty.
    pub(super) last: Revision,
    /// The last entry, if the last segment has one.
    pub(super) last_entry: Option<Entry>,
}

/// Finds or makes the last segment.
///
/// # Errors
/// [`StoreError::Corrupt`] with file and offset if anything but an unfinished write at the very end is damaged.
pub(super) fn recover(disk: &dyn Disk) -> Result<Recovered, StoreError> {
    for name in disk.list().map_err(StoreError::io("list the log folder"))? {
        if name.ends_with(UNFINISHED) {
            disk.remove(&name).map_err(StoreError::io("remove an unfinished file in the log folder"))?;
        }
    }
    let mut segments = segment::list(disk)?;
    loop {
        let Some(first) = segments.last().copied() else {
            let tail = create(disk, 1)?;
            return Ok(Recovered {
                segments: vec![1],
                tail,
                tail_size: segment::HEADER as u64,
                last: 0,
                last_entry: None,
            });
        };
        let Segment { name, bytes, damage, .. } = segment::read(disk, first)?;
        if name != segment::name(first) {
            return follow(disk, segments, &bytes, damage, first);
        }
        // The header is synced before the first frame is written: a file that is no longer than it, and wrong, was being
        // created when the power went.
        if bytes.len() <= segment::HEADER && segment::check_header(&bytes, first).is_err() {
            tracing::warn!(segment = segment::name(first), "removing a log segment whose creation was not finished");
            disk.remove(&segment::name(first)).map_err(StoreError::io("remove an unfinished log segment"))?;
            segments.pop();
            continue;
        }
        let kept = whole_part(&bytes, first)?;
        let whole = bytes.get(..kept.size).unwrap_or_default();
        let tail = replace(disk, first, whole, kept.proven)?;
        let last = kept.next - 1;
        return Ok(Recovered { segments, tail, tail_size: kept.size as u64, last, last_entry: kept.last_entry });
    }
}

/// Creates a segment that is certain to be there after a power cut.
pub(super) fn create(disk: &dyn Disk, first: Revision) -> Result<Box<dyn LogFile>, StoreError> {
    let name = segment::name(first);
    let create = || {
        let mut file = disk.create(&name)?;
        file.append(&segment::header(first))?;
        file.sync()?;
        disk.sync()?;
        Ok(file)
    };
    create().map_err(|error| {
        // It may be tried again. What cannot be removed either is found by whoever opens the log next.
        let _removed = disk.remove(&name);
        StoreError::io(format!("create log/{name}"))(error)
    })
}

/// The log ends with a compressed segment: its last plain one was lost before it had an entry, or was taken away.
fn follow(
    disk: &dyn Disk,
    mut segments: Vec<Revision>,
    bytes: &[u8],
    damage: Option<String>,
    first: Revision,
) -> Result<Recovered, StoreError> {
    if let Some(what) = damage {
        return Err(StoreError::corrupt(format!("log/{}", packed::name(first)), what));
    }
    let kept = whole_part(bytes, first)?;
    segments.push(kept.next);
    let tail = create(disk, kept.next)?;
    let tail_size = segment::HEADER as u64;
    Ok(Recovered { segments, tail, tail_size, last: kept.next - 1, last_entry: kept.last_entry })
}

struct Kept {
    size: usize,
    /// Up to where later frames say that it was synced.
    proven: usize,
    next: Revision,
    last_entry: Option<Entry>,
}

/// The whole frames at the beginning of the last segment. What follows them must be an unfinished write.
fn whole_part(bytes: &[u8], first: Revision) -> Result<Kept, StoreError> {
    let place = |offset: usize| Place { segment: segment::name(first), offset: offset as u64 }.to_string();
    segment::check_header(bytes, first).map_err(|what| StoreError::corrupt(place(0), what))?;
    let (mut at, mut next, mut last) = (segment::HEADER, first, None);
    let (mut proven, mut ends) = (segment::HEADER, VecDeque::new());
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let parsed = frame::parse(rest, true);
        match parsed {
            Ok(frame) if frame.revision == next => {
                last = Some(frame);
                (at, next) = (at + frame.size(), next + 1);
                while let Some((_, end)) = ends.pop_front_if(|(revision, _)| *revision <= frame.synced) {
                    proven = end;
                }
                ends.push_back((frame.revision, at));
            }
            Ok(frame) => {
                let what = format!("revision {} stands where {next} should", frame.revision);
                return Err(StoreError::corrupt(place(at), what));
            }
            Err(what) => {
                if let Some(later) = frame::find(bytes, at + 1, next, |frame| frame.synced >= next) {
                    let what =
                        format!("{what}, and the frame at byte {later} says that revision {next} had been synced");
                    return Err(StoreError::corrupt(place(at), what));
                }
                // Zeros are what a file has set aside for the next frames.
                if rest.iter().any(|byte| *byte != 0) {
                    let cut = rest.len();
                    tracing::warn!(place = place(at), cut, "cutting off an unfinished write at the end of the log");
                }
                break;
            }
        }
    }
    let last_entry = last
        .map(|frame| Entry::decode(frame.revision, frame.payload))
        .transpose()
        .map_err(|what| StoreError::corrupt(place(at), what))?;
    Ok(Kept { size: at, proven, next, last_entry })
}

/// Puts a synced file with exactly these bytes in the place of the segment; or, without room, makes sure of them there.
fn replace(disk: &dyn Disk, first: Revision, bytes: &[u8], proven: usize) -> Result<Box<dyn LogFile>, StoreError> {
    let name = segment::name(first);
    let copy = || {
        let mut copy = disk.create(COPY)?;
        copy.append(bytes)?;
        copy.sync()?;
        disk.rename(COPY, &name)?;
        disk.sync()?;
        Ok(copy)
    };
    let error = match copy().map_err(StoreError::io(format!("copy the end of log/{name}"))) {
        Err(error) if is_full(&error) => error,
        done => return done,
    };
    tracing::warn!(%error, "the disk is full; the end of the log is made certain where it is");
    let in_place = || {
        disk.remove(COPY)?;
        let mut file = disk.reopen(&name)?;
        file.rewrite(bytes.get(proven..).unwrap_or_default(), proven as u64)?;
        file.truncate(bytes.len() as u64)?;
        file.sync()?;
        Ok(file)
    };
    in_place().map_err(|why: std::io::Error| match why.kind() {
        std::io::ErrorKind::Unsupported => error,
        _ => StoreError::io(format!("make sure of the end of log/{name}"))(why),
    })
}
