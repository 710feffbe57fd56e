//! Erasing the personal data of somebody who has left.
//!
//! What goes: name, e-mail, bank account and salaries, out of the records and, with the person's key, out of the log and of every
//! copy of both. What stays: the worker number, employments without their salaries, benefit lines, journal entries and moves
//! that name the number. What people or plugins wrote elsewhere (descriptions, memos, inputs, outputs and log lines of runs)
//! is nobody's field and is not erased: plugins should write worker numbers there.

use std::time::Duration;

use backroom_domain::hr::{self, Erasure, NewErasure};
use backroom_domain::{Effect, Id, Instant};
use backroom_store::records::{StoredEmployment, StoredWorker};
use backroom_store::{Meta, StoreError, TenantNo, Ticket};
use schemars::JsonSchema;
use serde::Serialize;

use crate::control::{Office, Written};
use crate::error::Result;
use crate::hr::employments::{clear, stretches};
use crate::hr::people::stored_worker;
use crate::work::{Caller, Work};

/// A repeated erasure waits so long for the first one to be on disk, in milliseconds.
const SETTLE: u32 = 10_000;

/// What became of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Erased {
    /// As it is on record.
    #[serde(flatten)]
    pub erasure: Erasure,
    /// The data had been erased before, and nothing was done now; the first reason stands.
    pub replayed: bool,
}

/// Stages the erasure of a worker's personal data; needs `administer`. They are gone from log and copies when the person's key is
/// destroyed, which may only be done once this is on disk: see [`Office::erase_person`].
///
/// # Errors
/// In order: `administer-denied`; `text-invalid`; `not-found`; as [`hr::erase`]: `retention-duty`.
pub fn erase_person(work: &mut Work, id: &Id, new: NewErasure) -> Result<Erased> {
    work.rights().check_administer()?;
    hr::check_erasure(&new)?;
    if let Some(erasure) = work.tx().get::<Erasure>(id)? {
        return Ok(Erased { erasure, replayed: true });
    }
    let worker = stored_worker(work, id)?;
    let stretches = stretches(work, id)?;
    let dates: Vec<_> = stretches.iter().cloned().map(clear).collect();
    hr::erase(id, &dates, work.today, new.not_before)?;

    let NewErasure { reason, not_before: _ } = new;
    let actor = work.caller.actor.clone();
    let erasure = Erasure { worker: id.clone(), reason, actor, recorded_at: work.now };
    work.put(&StoredWorker { sealed: None, ..worker })?;
    for employment in stretches {
        work.put(&StoredEmployment { sealed: None, ..employment })?;
    }
    work.put(&erasure)?;
    work.effect(Effect::PersonErased(erasure.clone()));
    Ok(Erased { erasure, replayed: false })
}

impl Office {
    /// Erases a worker's personal data: commits that, waits until it is on disk, and then destroys the person's key. If the
    /// process ends in between, the key is destroyed when the store is opened again, or when this is repeated. Blocks.
    ///
    /// # Errors
    /// As [`erase_person`]; what the store reports. After a failure of the store the erasure may be on record: repeating it
    /// says, and completes it.
    pub fn erase_person(
        &self,
        tenant: TenantNo,
        caller: Caller,
        now: Instant,
        id: &Id,
        new: NewErasure,
    ) -> Result<Written<Erased>> {
        let actor = caller.actor.clone();
        let mut work = self.write(tenant, caller, now)?;
        let erased = erase_person(&mut work, id, new)?;
        if erased.replayed {
            drop(work);
        } else {
            let meta = Meta { at: now.0, actor, kind: "erase-person".to_owned(), ..Meta::default() };
            work.seal()?.commit(meta)?.ticket.wait()?;
        }
        let mut waited = 0;
        // Of the one that was done before, it is known that it has its place in the log, not that it is on disk.
        while !self.store().destroy_key_of_erased(tenant, id)? {
            if waited == SETTLE {
                return Err(StoreError::Busy("the first erasure is not on disk yet".to_owned()).into());
            }
            std::thread::sleep(Duration::from_millis(1));
            waited += 1;
        }
        Ok(Written { replayed: erased.replayed, value: erased, ticket: Some(Ticket::durable()) })
    }
}
