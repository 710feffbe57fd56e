//! Opening the state index: which folder it is in, what of it can be used, and a new one where it cannot.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;

use super::home::{Home, is_full};
use super::state::Index;
use crate::error::StoreError;
use crate::types::Revision;

/// Where the index is; the other folder is where a smaller one is written meanwhile.
const FOLDER: &str = "state";
const OTHER: &str = "state.new";
/// There while the index is not to be used as it is: says why.
const REBUILD: &str = "state.rebuild";
/// There after the smaller one has taken the place of the index.
const MOVED: &str = "state.moved";
const LOADING: &str = "loading";
/// An index that could not be used, with a number behind it.
const DAMAGED: &str = "state.damaged-";
/// sled puts whatever is larger than a quarter of this into files of their own, which it never syncs: lost with the power,
/// they leave older records behind without a word. A leaf has up to 17 records of 64 KiB before it is split.
const SEGMENT: usize = 8 << 20;
/// The previous owner in this process may still be letting go.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether somebody still reads.
const POLL: Duration = Duration::from_millis(5);

/// Opens the index. A damaged one is moved away, an unfinished one removed, and an empty one takes its place.
///
/// # Errors
/// What the operating system reports: a full disk is no reason to throw the index away.
pub(super) fn open(home: &Home, cache_bytes: u64) -> Result<(Index, Revision), StoreError> {
    take_moved(home)?;
    if let Some(why) = home.read_note(REBUILD) {
        if why.starts_with(LOADING) {
            home.remove_folder(FOLDER)?;
        } else {
            set_aside(home, &why)?;
        }
        home.forget(REBUILD)?;
    }
    match open_with_room(home, cache_bytes)? {
        Ok(opened) => return Ok(opened),
        Err(damage) => tracing::warn!(damage, "the state index does not open; trying without its snapshot files"),
    }
    each_snapshot_file(&home.dir, |folder, name| folder.rename(name, folder, format!("unused-{name}")))?;
    match open_with_room(home, cache_bytes)? {
        Ok(opened) => return Ok(opened),
        Err(damage) => set_aside(home, &damage)?,
    }
    open_with_room(home, cache_bytes)?.map_err(|damage| StoreError::corrupt("a new state index", damage))
}

/// An empty index in the place of the one there was, for loading a checkpoint. Until [`loaded`] it does not count.
///
/// # Errors
/// What the operating system reports.
pub(super) fn empty(home: &Home, cache_bytes: u64) -> Result<Index, StoreError> {
    home.note(REBUILD, LOADING)?;
    home.remove_folder(FOLDER)?;
    open_with_room(home, cache_bytes)?
        .map(|(index, _)| index)
        .map_err(|damage| StoreError::corrupt("a new state index", damage))
}

/// Everything is in.
///
/// # Errors
/// What the operating system reports.
pub(super) fn loaded(home: &Home, index: &Index) -> Result<(), StoreError> {
    index.flush()?;
    // What stands in the base is not played from the log again.
    home.sync_folder(index.folder)?;
    home.forget(REBUILD)
}

/// Makes the next opening build the index anew.
///
/// # Errors
/// What the operating system reports.
pub(super) fn condemn(home: &Home, why: &str) -> Result<(), StoreError> {
    home.note(REBUILD, why)
}

/// Closes an index that nobody gets any more, once those have gone who read it: they hold it for as long as one read takes.
pub(super) fn close(index: Option<Arc<Index>>) {
    let Some(index) = index else { return };
    while Arc::strong_count(&index) > 1 {
        std::thread::sleep(POLL);
    }
    // One that is broken may panic once more.
    let _closed = catch_unwind(AssertUnwindSafe(|| drop(index)));
}

/// An empty index in the folder that is not in use.
///
/// # Errors
/// What the operating system reports.
pub(super) fn beside(home: &Home, in_use: &str, cache_bytes: u64) -> Result<Index, StoreError> {
    let folder = if in_use == FOLDER { OTHER } else { FOLDER };
    home.remove_folder(folder)?;
    try_open(home, folder, cache_bytes)?
        .map(|(index, _)| index)
        .map_err(|damage| StoreError::corrupt("a new state index", damage))
}

/// The index in `folder` is the one from now on; the other folder goes.
///
/// # Errors
/// What the operating system reports.
pub(super) fn moved(home: &Home, folder: &str) -> Result<(), StoreError> {
    if folder == OTHER {
        home.note(MOVED, "the state index is in the other folder\n")?;
        home.remove_folder(FOLDER)
    } else {
        home.forget(MOVED)?;
        home.remove_folder(OTHER)
    }
}

/// Gives the folder in use its usual name, and removes what was being written beside it.
fn take_moved(home: &Home) -> Result<(), StoreError> {
    if home.read_note(MOVED).is_some() {
        if home.dir.is_dir(OTHER) {
            home.remove_folder(FOLDER)?;
            home.dir
                .rename(OTHER, &home.dir, FOLDER)
                .map_err(StoreError::io("rename the folder of the state index"))?;
        }
        return home.forget(MOVED);
    }
    home.remove_folder(OTHER)
}

/// Moves the index away for whoever wants to look at it. One is kept, the newest: an index can be made again from the log at
/// any time, and a disk that keeps damaging it must not be filled as well.
fn set_aside(home: &Home, damage: &str) -> Result<(), StoreError> {
    if !home.dir.is_dir(FOLDER) {
        return Ok(());
    }
    let failed = || StoreError::io("move the damaged state index away");
    let older = damaged(&home.dir).map_err(failed())?;
    // The number goes on: it says how often that has happened.
    let number = older.iter().map(|(number, _)| *number).max().unwrap_or_default().saturating_add(1);
    let aside = format!("{DAMAGED}{number}");
    tracing::error!(damage, aside, "the state index is damaged; moving it away and building it again");
    home.dir.rename(FOLDER, &home.dir, &aside).map_err(failed())?;
    for (_, folder) in older {
        tracing::warn!(folder, aside, "removing a damaged state index that was kept; the newer one is kept instead");
        if let Err(error) = home.remove_folder(&folder) {
            tracing::warn!(%error, folder, "it could not be removed; it is not needed");
        }
    }
    Ok(())
}

/// The damaged indexes that were moved away before: numbers and folders.
fn damaged(dir: &Dir) -> io::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in dir.entries()? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(number) = name.strip_prefix(DAMAGED).and_then(|number| number.parse().ok()) {
            found.push((number, name));
        }
    }
    Ok(found)
}

fn each_snapshot_file(dir: &Dir, act: impl Fn(&Dir, &str) -> io::Result<()>) -> Result<(), StoreError> {
    let folder = match dir.open_dir(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(StoreError::io("open the folder of the state index"))?,
    };
    let all = || -> io::Result<()> {
        for entry in folder.entries()? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("snap.") {
                act(&folder, &name)?;
            }
        }
        Ok(())
    };
    all().map_err(StoreError::io("prepare the folder of the state index"))
}

/// sled writes a little when it opens. On a full disk that is possible once the spare room is given back.
fn open_with_room(home: &Home, cache_bytes: u64) -> Result<Result<(Index, Revision), String>, StoreError> {
    // A snapshot file whose writing was interrupted is taken for a whole one.
    let remove_unfinished = || {
        each_snapshot_file(&home.dir, |folder, name| match name.ends_with(".generating") {
            true => folder.remove_file(name),
            false => Ok(()),
        })
    };
    remove_unfinished()?;
    match try_open(home, FOLDER, cache_bytes) {
        Err(error) if is_full(&error) && home.give_spare() => {
            tracing::warn!(%error, "the disk is full; the spare room is given back for opening the state index");
            remove_unfinished()?;
            try_open(home, FOLDER, cache_bytes)
        }
        tried => tried,
    }
}

/// The inner error is damage; the outer one has other reasons.
fn try_open(home: &Home, folder: &'static str, cache: u64) -> Result<Result<(Index, Revision), String>, StoreError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match open_in_thread(home.path.join(folder), folder, cache)? {
            Err(sled::Error::Io(error)) if is_locked(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(sled::Error::Io(source)) => return Err(StoreError::io("open the state index")(source)),
            Err(damage) => return Ok(Err(damage.to_string())),
            Ok(opened) => return Ok(Ok(opened)),
        }
    }
}

/// sled panics on some kinds of damage: in a thread of its own that is an error like others.
fn open_in_thread(
    path: PathBuf,
    folder: &'static str,
    cache: u64,
) -> Result<sled::Result<(Index, Revision)>, StoreError> {
    let open = move || {
        let config =
            sled::Config::default().path(path).cache_capacity(cache).segment_size(SEGMENT).flush_every_ms(Some(500));
        Index::open(&config, folder, usize::try_from(cache).unwrap_or(usize::MAX))
    };
    let thread = std::thread::Builder::new().name("state-open".into()).spawn(open);
    match thread.map_err(StoreError::io("start a thread"))?.join() {
        Ok(opened) => Ok(opened),
        Err(_) => Ok(Err(sled::Error::ReportableBug("sled panicked while opening".into()))),
    }
}

fn is_locked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}
