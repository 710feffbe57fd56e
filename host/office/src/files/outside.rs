//! Files from outside of runs: one commit each.

use backroom_domain::Instant;
use backroom_domain::files::File;
use backroom_store::{Meta, TenantNo, Ticket};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Stored, write};
use crate::control::{Office, Written};
use crate::error::Result;
use crate::work::{Caller, Work};

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Deleted {
    /// `false` if there was no such file.
    pub deleted: bool,
}

impl Office {
    /// Writes a whole file as [`write`](write()) does, and commits it. Nothing is committed if it was like that already.
    ///
    /// # Errors
    /// As [`write`](write()); what the store reports.
    pub fn put_file(
        &self,
        tenant: TenantNo,
        caller: Caller,
        now: Instant,
        (folder, path): (&str, &str),
        bytes: &[u8],
    ) -> Result<Written<File>> {
        let mut work = self.write(tenant, caller, now)?;
        let Stored { file, replayed, .. } = write(&mut work, folder, path, bytes)?;
        let ticket = if replayed { None } else { Some(commit(work, "file")?) };
        Ok(Written { value: file, replayed, ticket })
    }

    /// Deletes a file, and commits that if there was one.
    ///
    /// # Errors
    /// As [`delete`](super::delete); what the store reports.
    pub fn delete_file(
        &self,
        tenant: TenantNo,
        caller: Caller,
        now: Instant,
        (folder, path): (&str, &str),
    ) -> Result<Written<Deleted>> {
        let mut work = self.write(tenant, caller, now)?;
        let deleted = super::delete(&mut work, folder, path)?;
        let ticket = if deleted { Some(commit(work, "file")?) } else { None };
        // Nothing was made, so it is never answered as something new.
        Ok(Written { value: Deleted { deleted }, replayed: true, ticket })
    }
}

fn commit(work: Work, kind: &str) -> Result<Ticket> {
    let (at, actor) = (work.now.0, work.caller.actor.clone());
    let meta = Meta { at, actor, kind: kind.to_owned(), ..Meta::default() };
    Ok(work.seal()?.commit(meta)?.ticket)
}
