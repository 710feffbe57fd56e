//! `backroom:host/files`: files of the tenant, in the folders that were granted.

use backroom_domain::files as domain;
use backroom_office::files::{self, Stored};

use super::FIXED;
use crate::bindings::backroom::host::files::{File, FilePage, Host};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn list(
        &mut self,
        folder: String,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<FilePage, HostError> {
        let _host = self.guest.enter(folder.len() + prefix.len())?;
        let page = files::list(&self.work, &folder, &prefix, &convert::page_request(cursor, limit))?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.iter().map(size).sum())?;
        Ok(FilePage { items, next })
    }

    fn stat(&mut self, folder: String, path: String) -> Result<File, HostError> {
        let _host = self.guest.enter(folder.len() + path.len())?;
        let file = given(files::stat(&self.work, &folder, &path)?);
        self.guest.leave(size(&file))?;
        Ok(file)
    }

    fn read(&mut self, folder: String, path: String, offset: u64, length: u32) -> Result<Vec<u8>, HostError> {
        let _host = self.guest.enter(folder.len() + path.len())?;
        let bytes = files::read(&self.work, &folder, &path, offset, length)?;
        self.guest.leave(bytes.len())?;
        Ok(bytes)
    }

    fn write(&mut self, folder: String, path: String, bytes: Vec<u8>) -> Result<File, HostError> {
        let carried = folder.len() + path.len() + bytes.len();
        let _host = self.guest.enter(carried)?;
        let stored = files::write(&mut self.work, &folder, &path, &bytes)?;
        self.stored(stored, carried)
    }

    fn append(&mut self, folder: String, path: String, offset: u64, bytes: Vec<u8>) -> Result<File, HostError> {
        let carried = folder.len() + path.len() + bytes.len();
        let _host = self.guest.enter(carried)?;
        let stored = files::append(&mut self.work, &folder, &path, offset, &bytes)?;
        self.stored(stored, carried)
    }

    fn delete(&mut self, folder: String, path: String) -> Result<(), HostError> {
        let carried = folder.len() + path.len();
        let _host = self.guest.enter(carried)?;
        files::delete(&mut self.work, &folder, &path)?;
        self.staged(carried)
    }
}

/// What one piece of a file takes, at most.
const PIECE: usize = 60 << 10;

impl RunState {
    /// The end of a call that wrote: what had to be read for it is charged as well.
    fn stored(&mut self, stored: Stored, carried: usize) -> Result<File, HostError> {
        self.guest.charge(usize::try_from(stored.read).unwrap_or(usize::MAX))?;
        // The last piece of a file is staged anew with what is added to it.
        self.staged(carried + usize::try_from(stored.read).map_or(PIECE, |read| read.min(PIECE)))?;
        let file = given(stored.file);
        self.guest.leave(size(&file))?;
        Ok(file)
    }
}

fn size(file: &File) -> usize {
    FIXED + file.path.len() + file.digest.len()
}

fn given(file: domain::File) -> File {
    let domain::File { folder: _, path, size, digest, date, recorded_at, run: _ } = file;
    File { path: path.into(), size, digest, date: convert::date(date), recorded_at: convert::instant(recorded_at) }
}
