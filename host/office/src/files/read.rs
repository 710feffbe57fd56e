//! Listing and reading files.

use std::ops::Bound::{Excluded, Included, Unbounded};

use backroom_domain::files::{File, FilePath, MAX_PATH};
use backroom_domain::rights::Operation;
use backroom_domain::{Error, Id};
use backroom_store::records::StoredFile;

use super::content;
use super::place::{named, place};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The most bytes of one [`read`].
pub const MAX_READ: u32 = 1 << 20;

/// Files whose paths begin with `prefix` (all for an empty one), in byte order.
/// Errors: `files-read-denied`, `id-invalid`, `folder-invalid`, `path-invalid`, `limit-invalid`, `cursor-invalid`.
pub fn list(work: &Work, folder: &str, prefix: &str, page: &PageRequest) -> Result<Page<File>> {
    let folder = named(folder, |folder| work.rights().check_read_folder(Operation::FilesList, folder))?;
    let mut problems = Vec::new();
    problems.extend(folder.as_ref().err().into_iter().flat_map(|error| error.problems.iter().cloned()));
    if prefix.len() > MAX_PATH {
        problems.push(Error::problem("path-invalid", "prefix", format!("a prefix has at most {MAX_PATH} bytes")));
    }
    let checked = page.check();
    problems.extend(checked.as_ref().err().into_iter().flat_map(|error| error.problems.iter().cloned()));
    Error::all(problems)?;
    let (folder, (cursor, limit)) = (folder?, checked?);
    let start = start(prefix, cursor)?;
    Ok(Page::of(rows(work, &folder, prefix, start, limit)?, limit))
}

/// What is known of a file.
/// Errors: `files-read-denied`, `id-invalid`, `folder-invalid`, `path-invalid`, `not-found`.
pub fn stat(work: &Work, folder: &str, path: &str) -> Result<File> {
    let (folder, path) = place(folder, path, |folder| work.rights().check_read_folder(Operation::FilesStat, folder))?;
    found(work, folder, path)
}

/// Up to `length` bytes from `offset` on; none behind the end. Errors: as [`stat`], and `length-invalid`.
pub fn read(work: &Work, folder: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>> {
    let (folder, path) = place(folder, path, |folder| work.rights().check_read_folder(Operation::FilesRead, folder))?;
    if !(1..=MAX_READ).contains(&length) {
        let message = format!("1 to {MAX_READ} bytes are read at a time, not {length}");
        return Err(Error::invalid("length-invalid", "length", message).into());
    }
    let file = found(work, folder, path)?;
    let to = file.size.min(offset.saturating_add(length.into()));
    content::bytes(work, &file, offset, to)
}

fn found(work: &Work, folder: Id, path: FilePath) -> Result<File> {
    let found = work.tx().get::<StoredFile>(&StoredFile::key_of(&folder, &path))?;
    Ok(found.ok_or_else(|| missing(&folder, &path))?.file)
}

pub(super) fn missing(folder: &Id, path: &FilePath) -> Error {
    Error::not_found("file", format_args!("{path} in the folder {folder}"))
}

/// Where a page begins: at the prefix, or behind the path that the page before ended with.
enum Start {
    At(String),
    Behind(String),
}

fn start(prefix: &str, cursor: Option<Vec<u8>>) -> Result<Start> {
    match cursor.map(String::from_utf8).transpose() {
        Ok(None) => Ok(Start::At(prefix.to_owned())),
        // One before the prefix would be somebody's invention.
        Ok(Some(last)) if last.starts_with(prefix) => Ok(Start::Behind(last)),
        _ => Err(Error::invalid("cursor-invalid", "cursor", "this cursor was not given by the service").into()),
    }
}

/// Up to `limit` files of the folder from `start` on that have the prefix.
fn rows(work: &Work, folder: &Id, prefix: &str, start: Start, limit: usize) -> Result<Vec<(Vec<u8>, File)>> {
    let from = match start {
        Start::At(text) => Included((folder.clone(), text)),
        Start::Behind(text) => Excluded((folder.clone(), text)),
    };
    let rows = work.tx().scan_range::<StoredFile>(from, Unbounded, limit)?;
    let own = rows.into_iter().map(|(_, row)| row.file);
    let own = own.take_while(|file| file.folder == *folder && file.path.as_str().starts_with(prefix));
    Ok(own.map(|file| (file.path.as_str().as_bytes().to_vec(), file)).collect())
}

/// Whether any file of the folder has a path that begins so.
pub(super) fn any_below(work: &Work, folder: &Id, prefix: &str) -> Result<bool> {
    Ok(!rows(work, folder, prefix, Start::At(prefix.to_owned()), 1)?.is_empty())
}
