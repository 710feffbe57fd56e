//! A real directory beside a folder of files: what may be taken out of it, and how something is put into it.
//!
//! Whoever can write to the directory is not trusted. Every part of a path is opened from the handle of the part before, and no
//! symbolic link is followed at any part; what is no regular file, or has a second name somewhere (a hard link), is refused by
//! name. A file is put in place as a whole, by renaming.

use std::io::{self, Read as _, Write as _};

use backroom_domain::files::{FilePath, MAX_DEPTH, MAX_FILE};
use cap_fs_ext::{DirExt as _, FollowSymlinks, MetadataExt as _, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// Entries of a directory tree that are looked at, at most: more than a folder may hold.
const MAX_ENTRIES: usize = 200_000;

/// What is in a directory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Regular files, by path.
    pub(crate) files: Vec<FilePath>,
    /// What is not taken, and why.
    pub(crate) refused: Vec<Refused>,
}

/// An entry of a directory that is not taken, or not replaced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Refused {
    /// Its path; what is no text in it is replaced.
    pub(crate) path: String,
    /// Why.
    pub(crate) why: String,
}

impl Refused {
    fn new(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self { path: path.into(), why: why.into() }
    }
}

/// Looks through the directory and everything below it, as deep as a path can be. Names that begin with [`PARTIAL`] are not looked
/// at. Directories that wait for their turn are names and not open: there may be more of them than descriptors.
pub(crate) fn walk(root: &Dir) -> io::Result<Found> {
    let mut found = Found::default();
    let mut left = MAX_ENTRIES;
    let mut waiting = vec![String::new()];
    while let Some(above) = waiting.pop() {
        let dir = match below(root, &above) {
            Ok(dir) => dir,
            Err(error) => {
                let path = above.trim_end_matches('/');
                found.refused.push(Refused::new(path, format!("it cannot be opened: {error}")));
                continue;
            }
        };
        for entry in dir.entries()? {
            let entry = entry?;
            left = left.checked_sub(1).ok_or_else(|| io::Error::other("there are more than 200,000 entries"))?;
            let name = entry.file_name();
            let path = format!("{above}{}", name.to_string_lossy());
            let Some(name) = name.to_str() else {
                found.refused.push(Refused::new(path, "its name is not UTF-8"));
                continue;
            };
            if name.starts_with(PARTIAL) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if path.split('/').count() < MAX_DEPTH {
                    waiting.push(format!("{path}/"));
                } else {
                    found.refused.push(Refused::new(path, TOO_DEEP));
                }
            } else if kind.is_symlink() {
                found.refused.push(Refused::new(path, LINK));
            } else if !kind.is_file() {
                found.refused.push(Refused::new(path, SPECIAL));
            } else {
                match FilePath::parse(&path, "path") {
                    Ok(path) => found.files.push(path),
                    Err(error) => found.refused.push(Refused::new(path, first(&error))),
                }
            }
        }
    }
    found.files.sort();
    found.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// A directory below the root, opened part by part; `above` ends with `/` or is empty.
fn below(root: &Dir, above: &str) -> io::Result<Dir> {
    let mut parts = above.split('/').filter(|part| !part.is_empty());
    parts.try_fold(root.try_clone()?, |dir, part| dir.open_dir_nofollow(part))
}

const TOO_DEEP: &str = "what is in it is deeper than the 8 parts that a path may have";
const LINK: &str = "it is a symbolic link";
const SPECIAL: &str = "it is no regular file";
const SECOND_NAME: &str = "it has another name somewhere (a hard link)";
const MOVING: &str = "it was changed while it was read; try again when whoever writes it is done";

/// What a file is called while it is not whole.
pub(crate) const PARTIAL: &str = ".backroom-partial-";

/// The content of a file, if it is one that may be taken.
pub(crate) fn read(root: &Dir, path: &FilePath) -> Result<Vec<u8>, Refused> {
    let refused = |why: String| Refused::new(path.as_str(), why);
    let failed = |error: io::Error| refused(link_or(root, path, &error));
    let (dir, name) = parent(root, path, false).map_err(failed)?;
    let mut options = OpenOptions::new();
    // Without waiting: it might have become a pipe that nobody writes to.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let mut file = dir.open_with(name, &options).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    why_not(&before).map_or(Ok(()), |why| Err(refused(why.to_owned())))?;
    if before.len() > MAX_FILE {
        return Err(refused(format!("it has {} bytes; a file has at most {} MiB", before.len(), MAX_FILE >> 20)));
    }
    let bytes = up_to(&mut file, before.len()).map_err(failed)?;
    let after = file.metadata().map_err(failed)?;
    let same = u64::try_from(bytes.len()) == Ok(before.len())
        && (before.len(), before.modified().ok()) == (after.len(), after.modified().ok());
    match (same, why_not(&after)) {
        (true, None) => Ok(bytes),
        (false, _) => Err(refused(MOVING.to_owned())),
        (true, Some(why)) => Err(refused(why.to_owned())),
    }
}

/// The whole file, or one byte more than `length` if it has grown.
fn up_to(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts a file in place, or leaves the one there that was; directories are made. What stands there is replaced if it is a
/// regular file, and refused if it is anything else.
pub(crate) fn write(root: &Dir, path: &FilePath, bytes: &[u8]) -> Result<(), Refused> {
    let failed = |error: io::Error| Refused::new(path.as_str(), link_or(root, path, &error));
    let (dir, name) = parent(root, path, true).map_err(failed)?;
    match dir.symlink_metadata(name) {
        // A second name of it keeps what it has: the name is replaced, never the content behind it.
        Ok(there) if there.is_file() => {}
        Ok(there) => {
            let why = if there.is_symlink() { LINK } else { SPECIAL };
            return Err(Refused::new(path.as_str(), format!("what stands there is not replaced: {why}")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let partial = format!("{PARTIAL}{}", uuid::Uuid::new_v4().simple());
    let put = || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        let mut file = dir.open_with(&partial, &options)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        dir.rename(&partial, &dir, name)
    };
    put().map_err(|error| {
        // It may not be there at all; the error that counts is the one above.
        drop(dir.remove_file(&partial));
        failed(error)
    })
}

/// The directory that a path is in, opened part by part, and the name in it.
fn parent<'p>(root: &Dir, path: &'p FilePath, create: bool) -> io::Result<(Dir, &'p str)> {
    let mut dir = root.try_clone()?;
    let mut parts = path.as_str().split('/').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return Ok((dir, part));
        }
        if create {
            match dir.create_dir(part) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        dir = dir.open_dir_nofollow(part)?;
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Why a path could not be opened. The system says of a link only that something is wrong.
fn link_or(root: &Dir, path: &FilePath, error: &io::Error) -> String {
    let parts = path.as_str().match_indices('/').map(|(at, _)| at).chain([path.as_str().len()]);
    let above = parts.filter_map(|at| path.as_str().get(..at));
    for part in above {
        match root.symlink_metadata(part) {
            Ok(there) if there.is_symlink() => return format!("{part} is a symbolic link"),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    format!("{error}")
}

/// Why a file is not taken.
fn why_not(metadata: &Metadata) -> Option<&'static str> {
    match (metadata.is_file(), metadata.nlink()) {
        (false, _) => Some(SPECIAL),
        (true, 0 | 1) => None,
        (true, _) => Some(SECOND_NAME),
    }
}

fn first(error: &backroom_domain::Error) -> String {
    error.problems.first().map(|problem| problem.message.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
