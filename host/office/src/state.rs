//! Bytes by key that an installation keeps from run to run, in the same transaction as everything else.
//!
//! The installation is that of the caller: no call can name another one's state.

use backroom_domain::rights::Operation;
use backroom_domain::{Effect, Error, Id, Problem, StateChange};
use backroom_store::Hash;
use backroom_store::records::StateValue;

use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 128;
/// The longest value: a record has to fit into 64 KiB with its key.
pub const MAX_VALUE: usize = 32 * 1024;

/// The value of a key; none if it was never set or was deleted. Errors: `state-denied`, `key-invalid`.
pub fn get(work: &Work, key: &str) -> Result<Option<Vec<u8>>> {
    let installation = owner(work, Operation::StateGet)?;
    Error::all(key_problem(key).into_iter().collect())?;
    Ok(work.tx().get::<StateValue>(&(installation.clone(), key.to_owned()))?.map(|found| found.value))
}

/// Sets a key. Setting the value that it has already changes nothing.
/// Errors: `state-denied`, `key-invalid`, `value-too-large`.
pub fn set(work: &mut Work, key: &str, value: Vec<u8>) -> Result<()> {
    let installation = owner(work, Operation::StateSet)?.clone();
    let mut problems: Vec<Problem> = key_problem(key).into_iter().collect();
    if value.len() > MAX_VALUE {
        let message = format!("a value has at most {MAX_VALUE} bytes, not {}", value.len());
        problems.push(Error::problem("value-too-large", "value", message));
    }
    Error::all(problems)?;
    let record = StateValue { installation, key: key.to_owned(), value };
    if work.tx().get::<StateValue>(&(record.installation.clone(), record.key.clone()))?.as_ref() == Some(&record) {
        return Ok(());
    }
    work.put(&record)?;
    let value_hash = Some(Hash::of(&record.value).to_string());
    work.effect(Effect::StateSet(StateChange { installation: record.installation, key: record.key, value_hash }));
    Ok(())
}

/// Deletes a key; no error if it was not there. Errors: `state-denied`, `key-invalid`.
pub fn delete(work: &mut Work, key: &str) -> Result<()> {
    let installation = owner(work, Operation::StateDelete)?.clone();
    Error::all(key_problem(key).into_iter().collect())?;
    let record_key = (installation, key.to_owned());
    if work.tx().get::<StateValue>(&record_key)?.is_none() {
        return Ok(());
    }
    work.tx_mut().delete::<StateValue>(&record_key);
    let (installation, key) = record_key;
    work.effect(Effect::StateSet(StateChange { installation, key, value_hash: None }));
    Ok(())
}

/// Keys that begin with `prefix` (all for an empty one), in byte order.
/// Errors: `state-denied`, `key-invalid`, `limit-invalid`, `cursor-invalid`.
pub fn list(work: &Work, prefix: &str, page: &PageRequest) -> Result<Page<String>> {
    let installation = owner(work, Operation::StateList)?;
    let mut problems = Vec::new();
    if prefix.len() > MAX_KEY {
        problems.push(too_long("prefix", prefix));
    }
    let checked = page.check();
    if let Err(error) = &checked {
        problems.extend(error.problems.iter().cloned());
    }
    Error::all(problems)?;
    let (cursor, limit) = checked?;
    let rows = keys_from(work, installation, prefix, cursor, limit)?;
    Ok(Page::of(rows, limit))
}

/// Up to `limit` keys with the prefix behind the cursor, with the bytes that continue after each.
///
/// The store scans whole parts of a key, and a prefix ends within one: so the scan begins at the prefix (which no shorter
/// key is behind) and ends at the first key that does not have it.
fn keys_from(
    work: &Work,
    installation: &Id,
    prefix: &str,
    cursor: Option<Vec<u8>>,
    limit: usize,
) -> Result<Vec<(Vec<u8>, String)>> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let key = |text: &str| (installation.clone(), text.to_owned());
    let from = match cursor.map(String::from_utf8).transpose() {
        Ok(None) => Included(key(prefix)),
        // A cursor is the last key that was given; one before the prefix would be somebody's invention.
        Ok(Some(last)) if last.starts_with(prefix) => Excluded(key(&last)),
        _ => {
            return Err(Error::invalid("cursor-invalid", "cursor", "this cursor was not given by the service").into());
        }
    };
    let rows = work.tx().scan_range::<StateValue>(from, Unbounded, limit)?;
    let own = rows.into_iter().map(|(_, row)| row);
    let own = own.take_while(|row| row.installation == *installation && row.key.starts_with(prefix));
    Ok(own.map(|row| (row.key.clone().into_bytes(), row.key)).collect())
}

/// The installation whose state it is. Whoever acts for none has none.
fn owner(work: &Work, operation: Operation) -> Result<&Id> {
    work.rights().check_state(operation)?;
    let denied = || Error::denied("state-denied", "only an installation keeps state of its own");
    Ok(work.caller.installation.as_ref().ok_or_else(denied)?)
}

fn key_problem(key: &str) -> Option<Problem> {
    match key.len() {
        0 => Some(Error::problem("key-invalid", "key", format!("a key has 1 to {MAX_KEY} bytes, not none"))),
        1..=MAX_KEY => None,
        _ => Some(too_long("key", key)),
    }
}

fn too_long(field: &str, text: &str) -> Problem {
    Error::problem("key-invalid", field, format!("a {field} has at most {MAX_KEY} bytes, not {}", text.len()))
}

#[cfg(test)]
mod tests;
