//! A walk over the whole journal, for what no total has.

use backroom_domain::ledger::Entry;
use backroom_store::StoreError;
use backroom_store::records::{EntryLines, StoredEntry};

use crate::error::Result;
use crate::work::Work;

/// Entries read at once.
const CHUNK: usize = 500;

/// Shows every entry that is `wanted` by its head (which may lack lines), with all its lines, in order of the ids.
pub(crate) fn every_entry(
    work: &Work,
    wanted: impl Fn(&Entry) -> bool,
    mut see: impl FnMut(Entry) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let rows = work.tx().scan::<StoredEntry>(&(), after.as_deref(), CHUNK)?;
        let more = rows.len() == CHUNK;
        after = rows.last().map(|(key, _)| key.clone());
        for (_, StoredEntry { mut entry, parts, .. }) in rows {
            if !wanted(&entry) {
                continue;
            }
            for part in 1..=parts {
                let key = (entry.new.id.clone(), part);
                let missing = || StoreError::Corrupt {
                    place: format!("journal entry {}", entry.new.id),
                    what: format!("part {part} of {parts} is missing"),
                };
                let more = work.tx().get::<EntryLines>(&key)?.ok_or_else(missing)?;
                entry.new.lines.extend(more.lines);
            }
            see(entry)?;
        }
        if !more {
            return Ok(());
        }
    }
}
