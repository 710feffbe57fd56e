//! Lists that leave something out: bounded in what they visit, not only in what they show.

use backroom_store::{Record, RecordKey};

use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Records that one page visits at most. A list of which the caller may see little then comes in short pages, instead of in
/// one that takes as long as the list is.
pub(crate) const MAX_VISITED: usize = 4_000;

/// Records read at once while looking for the next one to show.
const CHUNK: usize = 64;

/// What becomes of a visited record.
pub(crate) enum Step<T> {
    /// It is shown.
    Take(T),
    /// It is left out.
    Skip,
    /// It begins the next page. Not for the first record of a page, or there would be no end of pages.
    Later,
    /// It and everything behind it are no part of the list.
    End,
}

/// A page of the records whose key begins with `prefix`, in key order, each as `step` decides. `start` is a key to begin behind on
/// the first page. A page may be short and still have a next one.
pub(crate) fn list<R: Record, T>(
    work: &Work,
    prefix: &impl RecordKey,
    start: Option<Vec<u8>>,
    request: &PageRequest,
    mut step: impl FnMut(R) -> Result<Step<T>>,
) -> Result<Page<T>> {
    let (cursor, limit) = request.check()?;
    let page = |items, cursor: Option<Vec<u8>>| Ok(Page { items, next: cursor.map(hex::encode) });
    // `None` is less than any key; a cursor from elsewhere cannot reach before the start.
    let mut after = cursor.max(start);
    let mut items = Vec::new();
    let mut visited = 0;
    while visited < MAX_VISITED {
        let missing = limit.saturating_sub(items.len());
        let wanted = if visited == 0 { missing } else { missing.max(CHUNK).min(MAX_VISITED - visited) };
        let rows = work.tx().scan::<R>(prefix, after.as_deref(), wanted)?;
        let last = rows.len() < wanted;
        visited += rows.len();
        for (key, row) in rows {
            match step(row)? {
                Step::Take(item) => items.push(item),
                Step::Skip => {}
                Step::Later => return page(items, after),
                Step::End => return page(items, None),
            }
            after = Some(key);
            if items.len() == limit {
                return page(items, after);
            }
        }
        if last {
            return page(items, None);
        }
    }
    page(items, after)
}
