//! Pages of lists: bounded, and continued by an opaque cursor.

use backroom_domain::{Error, Problem};
use schemars::JsonSchema;
use serde::Serialize;

/// What part of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Where the last page ended; none for the first.
    pub cursor: Option<String>,
    /// Items at most, 1 to [`PageRequest::MAX`].
    pub limit: u32,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// In the order that the use case states.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl PageRequest {
    /// 500 records of some 300 bytes stay well below the 1 MiB that one host call may carry.
    pub const MAX: u32 = 500;

    /// From the beginning.
    pub fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }

    /// The limit, or the problem `limit-invalid`; the cursor as key bytes, or `cursor-invalid`.
    pub fn check(&self) -> Result<(Option<Vec<u8>>, usize), Error> {
        let mut problems = Vec::new();
        if self.limit == 0 || self.limit > Self::MAX {
            let message = format!("the limit of a page is 1 to {}, not {}", Self::MAX, self.limit);
            problems.push(Problem { code: "limit-invalid".into(), field: Some("limit".to_owned()), message });
        }
        let cursor = self.cursor.as_deref().map(hex::decode).transpose().unwrap_or_else(|_| {
            let message = "this cursor was not given by the service".to_owned();
            problems.push(Problem { code: "cursor-invalid".into(), field: Some("cursor".to_owned()), message });
            None
        });
        Error::all(problems)?;
        Ok((cursor, usize::try_from(self.limit).unwrap_or(1)))
    }
}

impl<T> Page<T> {
    /// A page out of rows with their keys, of which `limit` were asked for: a full page has a next one.
    pub fn of(rows: Vec<(Vec<u8>, T)>, limit: usize) -> Self {
        let next = if rows.len() < limit { None } else { rows.last().map(|(key, _)| hex::encode(key)) };
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}
