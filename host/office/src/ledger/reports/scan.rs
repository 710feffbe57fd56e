//! Through the journal, entry by entry.

use backroom_domain::Error;
use backroom_domain::ledger::Entry;
use backroom_domain::ledger::reports::Span;
use backroom_store::records::EntryNumber;

use crate::error::Result;
use crate::ledger::journal::{damaged, find};
use crate::work::Work;

/// The most entries that one report looks at. Some seconds.
pub const MAX_SCANNED: u64 = 1_000_000;

/// Numbers read at once.
const CHUNK: usize = 1_000;

/// Shows every entry of the span to `visit`, in the order of the journal, whoever asks.
///
/// # Errors
/// `too-many-entries` if the journal has more than [`MAX_SCANNED`].
pub(super) fn each_entry(work: &Work, span: &Span, mut visit: impl FnMut(&Entry) -> Result<()>) -> Result<()> {
    let newest = work.tx().last::<EntryNumber>(&())?.map_or(0, |last| last.number);
    if newest > MAX_SCANNED {
        let message = format!("the journal has {newest} entries, and this report looks through at most {MAX_SCANNED}");
        return Err(Error::refused("too-many-entries", message).into());
    }
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = work.tx().scan::<EntryNumber>(&(), after.as_deref(), CHUNK)?;
        let last = rows.len() < CHUNK;
        for (key, EntryNumber { number, id, .. }) in rows {
            let entry = find(work, &id)?.ok_or_else(|| damaged(&id, format!("number {number} has no entry")))?;
            if span.has(entry.new.date) {
                visit(&entry)?;
            }
            after = Some(key);
        }
        if last {
            return Ok(());
        }
    }
}
