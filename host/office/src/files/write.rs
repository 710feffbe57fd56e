//! Writing and deleting files.

use backroom_domain::files::{Deletion, File, FilePath, MAX_FILE};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Effect, Error, Id};
use backroom_store::records::{FilePiece, StoredFile};

use super::content::{self, Growing};
use super::place::place;
use super::{quota, read};
use crate::error::Result;
use crate::work::Work;

/// A file that was written.
pub struct Stored {
    /// As it is now.
    pub file: File,
    /// It was like that already, and nothing was changed.
    pub replayed: bool,
    /// Bytes that were read for it, to be charged to whoever asked.
    pub read: u64,
}

/// Writes a whole file, in place of any that is there. The same content again changes nothing.
///
/// # Errors
/// In order: `files-write-denied`; `id-invalid`, `folder-invalid`, `path-invalid`; `file-too-large`; `path-occupied`,
/// `folders-too-many`, `folder-quota-exceeded`, `tenant-quota-exceeded`.
pub fn write(work: &mut Work, folder: &str, path: &str, bytes: &[u8]) -> Result<Stored> {
    let (folder, path) = place(folder, path, |folder| work.rights().check_write_folder(Operation::FilesWrite, folder))?;
    let size = fitting(0, bytes)?;
    let old = work.tx().get::<StoredFile>(&StoredFile::key_of(&folder, &path))?.map(|stored| stored.file);
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    let digest = content::digest(&hasher);
    if let Some(file) = old.as_ref().filter(|old| (old.size, &old.digest) == (size, &digest)) {
        return Ok(Stored { file: file.clone(), replayed: true, read: 0 });
    }
    if old.is_none() {
        check_free(work, &folder, &path)?;
    }
    let before = old.as_ref().map(|old| old.size);
    quota::account(work, &folder, before, Some(size))?;
    put_pieces(work, &folder, &path, 0, bytes)?;
    drop_pieces(work, &folder, &path, content::pieces(size), content::pieces(before.unwrap_or(0)));
    let file = record(work, folder, path, size, digest)?;
    grown(work, &file, hasher);
    work.effect(Effect::FileWritten(file.clone()));
    Ok(Stored { file, replayed: false, read: 0 })
}

/// Adds to the end of a file, which must be at `offset`. Adding to a file that the same unit of work wrote last is part of the same
/// effect.
///
/// # Errors
/// In order: `files-write-denied`; `id-invalid`, `folder-invalid`, `path-invalid`, `file-too-large`; `not-found`;
/// `offset-mismatch`; `folder-quota-exceeded`, `tenant-quota-exceeded`.
pub fn append(work: &mut Work, folder: &str, path: &str, offset: u64, bytes: &[u8]) -> Result<Stored> {
    let (folder, path) =
        place(folder, path, |folder| work.rights().check_write_folder(Operation::FilesAppend, folder))?;
    let size = fitting(offset, bytes)?;
    let old = work.tx().get::<StoredFile>(&StoredFile::key_of(&folder, &path))?;
    let old = old.ok_or_else(|| read::missing(&folder, &path))?.file;
    if old.size != offset {
        let message = format!("the file ends at {}, not at {offset}; look at it again", old.size);
        return Err(Error::at(Class::Conflict, "offset-mismatch", "offset", message).into());
    }
    if bytes.is_empty() {
        return Ok(Stored { file: old, replayed: true, read: 0 });
    }
    quota::account(work, &folder, Some(offset), Some(size))?;
    let (mut hasher, mut read) = match work.take_growing().filter(|growing| growing.is(&old)) {
        Some(growing) => (growing.hasher, 0),
        None => {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&content::bytes(work, &old, 0, offset)?);
            (hasher, offset)
        }
    };
    hasher.update(bytes);
    // The last piece is filled up.
    let begins = offset - offset % content::piece_size();
    let mut tail = content::bytes(work, &old, begins, offset)?;
    read += offset - begins;
    tail.extend_from_slice(bytes);
    put_pieces(work, &folder, &path, begins, &tail)?;
    let digest = content::digest(&hasher);
    let file = record(work, folder, path, size, digest)?;
    grown(work, &file, hasher);
    match work.last_effect_mut() {
        Some(Effect::FileWritten(last)) if (&last.folder, &last.path) == (&file.folder, &file.path) => {
            *last = file.clone();
        }
        _ => work.effect(Effect::FileWritten(file.clone())),
    }
    Ok(Stored { file, replayed: false, read })
}

/// Deletes a file; `false` if it was not there.
/// Errors: `files-write-denied`, `id-invalid`, `folder-invalid`, `path-invalid`.
pub fn delete(work: &mut Work, folder: &str, path: &str) -> Result<bool> {
    let (folder, path) =
        place(folder, path, |folder| work.rights().check_write_folder(Operation::FilesDelete, folder))?;
    let key = StoredFile::key_of(&folder, &path);
    let Some(StoredFile { file }) = work.tx().get::<StoredFile>(&key)? else { return Ok(false) };
    let File { size, digest, .. } = file;
    quota::account(work, &folder, Some(size), None)?;
    drop_pieces(work, &folder, &path, 0, content::pieces(size));
    work.tx_mut().delete::<StoredFile>(&key);
    drop(work.take_growing());
    work.effect(Effect::FileDeleted(Deletion { folder, path, size, digest }));
    Ok(true)
}

/// The size of a file that has `bytes` behind `offset`.
fn fitting(offset: u64, bytes: &[u8]) -> Result<u64> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_add(offset);
    if size <= MAX_FILE {
        return Ok(size);
    }
    let message = format!("a file has at most {} MiB", MAX_FILE >> 20);
    Err(Error::invalid("file-too-large", "bytes", message).into())
}

/// `path-occupied` if a part of the path is a file, or if there are files below it: no file system could hold both.
fn check_free(work: &Work, folder: &Id, path: &FilePath) -> Result<()> {
    let occupied = |what: String| Err(Error::refused("path-occupied", what).into());
    for above in path.above() {
        if work.tx().get::<StoredFile>(&StoredFile::key_of(folder, &above))?.is_some() {
            return occupied(format!("{above} is a file, so nothing can stand below it"));
        }
    }
    match read::any_below(work, folder, &path.below())? {
        true => occupied(format!("there are files below {path}, so it cannot be one")),
        false => Ok(()),
    }
}

/// Stages pieces from `offset` on, which begins one.
fn put_pieces(work: &mut Work, folder: &Id, path: &FilePath, offset: u64, bytes: &[u8]) -> Result<()> {
    let first = u32::try_from(offset / content::piece_size()).unwrap_or(u32::MAX);
    for (number, bytes) in (first..).zip(bytes.chunks(FilePiece::SIZE)) {
        work.put(&FilePiece { folder: folder.clone(), path: path.clone(), number, bytes: bytes.to_vec() })?;
    }
    Ok(())
}

/// Stages that the pieces from `from` up to (and without) `to` are gone.
fn drop_pieces(work: &mut Work, folder: &Id, path: &FilePath, from: u32, to: u32) {
    for number in from..to {
        work.tx_mut().delete::<FilePiece>(&(folder.clone(), path.clone(), number));
    }
}

fn record(work: &mut Work, folder: Id, path: FilePath, size: u64, digest: String) -> Result<File> {
    let (date, recorded_at, run) = (work.today, work.now, work.caller.run.clone());
    let stored = StoredFile { file: File { folder, path, size, digest, date, recorded_at, run } };
    work.put(&stored)?;
    Ok(stored.file)
}

fn grown(work: &mut Work, file: &File, hasher: blake3::Hasher) {
    let File { folder, path, size, .. } = file;
    work.set_growing(Growing { folder: folder.clone(), path: path.clone(), size: *size, hasher });
}
