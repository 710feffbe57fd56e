//! What is known of a file, and how much room there is for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FilePath;
use crate::{BusinessDate, Error, Id, Instant, Result};

/// The longest file, in bytes. It has to fit into one entry of the commit log together with everything else of its run.
pub const MAX_FILE: u64 = 16 << 20;
/// The most folders of a tenant. They are named by operators in grants, not made by the thousand.
pub const MAX_FOLDERS: u64 = 64;
/// The most files in a folder, so that many empty ones have an end as well.
pub const MAX_FILES: u64 = 100_000;

/// A file as it is now. What it was before stands in the commit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    /// The folder.
    #[n(0)]
    pub folder: Id,
    /// The path within it.
    #[n(1)]
    pub path: FilePath,
    /// Its length in bytes; at most [`MAX_FILE`].
    #[n(2)]
    pub size: u64,
    /// BLAKE3 of its content, as 64 hexadecimal digits.
    #[n(3)]
    pub digest: String,
    /// The day of the books on which it was written.
    #[n(4)]
    pub date: BusinessDate,
    /// When it was written.
    #[n(5)]
    pub recorded_at: Instant,
    /// The run that wrote it, if it was one.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
}

/// A file that is there no more. Its content stands in the commit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Deletion {
    /// The folder.
    #[n(0)]
    pub folder: Id,
    /// The path within it.
    #[n(1)]
    pub path: FilePath,
    /// Its length in bytes.
    #[n(2)]
    pub size: u64,
    /// BLAKE3 of what it held, as 64 hexadecimal digits.
    #[n(3)]
    pub digest: String,
}

/// What stands in a folder, or in all folders of a tenant.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Files.
    #[n(0)]
    pub files: u64,
    /// Their bytes.
    #[n(1)]
    pub bytes: u64,
}

/// Whose room it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// One folder's.
    Folder,
    /// All folders' of the tenant together.
    Tenant,
}

impl Limit {
    /// The bytes that there is room for where nobody said otherwise.
    pub fn default_quota(self) -> u64 {
        match self {
            Self::Folder => 256 << 20,
            Self::Tenant => 1 << 30,
        }
    }
}

/// What there is once a file of `old` bytes (none: there was no such file) has `new` ones (none: there is none any more).
///
/// # Errors
/// `refused` (`folder-quota-exceeded`, `tenant-quota-exceeded`) if it is more than `quota` and more than before.
pub fn check_room(usage: Usage, old: Option<u64>, new: Option<u64>, limit: Limit, quota: u64) -> Result<Usage> {
    let count = |size: Option<u64>| u64::from(size.is_some());
    let after = Usage {
        files: usage.files.saturating_sub(count(old)).saturating_add(count(new)),
        bytes: usage.bytes.saturating_sub(old.unwrap_or(0)).saturating_add(new.unwrap_or(0)),
    };
    let (code, whose) = match limit {
        Limit::Folder => ("folder-quota-exceeded", "the folder has"),
        Limit::Tenant => ("tenant-quota-exceeded", "the folders of the tenant have"),
    };
    if after.bytes > usage.bytes && after.bytes > quota {
        let message = format!(
            "{whose} room for {quota} bytes and {} of them are taken; delete files, or have the quota raised",
            usage.bytes
        );
        return Err(Error::refused(code, message));
    }
    if limit == Limit::Folder && after.files > usage.files && after.files > MAX_FILES {
        return Err(Error::refused(code, format!("a folder has at most {MAX_FILES} files; delete some")));
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_and_bounded() {
        let usage = |files, bytes| Usage { files, bytes };
        let full = usage(MAX_FILES, 10);
        let rows = [
            // (before, old size, new size, quota, after)
            (usage(0, 0), None, Some(5), 5, Some(usage(1, 5))),
            (usage(0, 0), None, Some(6), 5, None),
            (usage(2, 9), Some(4), Some(5), 10, Some(usage(2, 10))),
            (usage(2, 9), Some(4), Some(6), 10, None),
            // Over a quota that was lowered: less is always taken, and nothing that needs more.
            (usage(2, 90), Some(40), Some(39), 10, Some(usage(2, 89))),
            (usage(2, 90), Some(40), None, 10, Some(usage(1, 50))),
            (usage(2, 90), None, Some(0), 10, Some(usage(3, 90))),
            (usage(2, 90), None, Some(1), 10, None),
            (full, None, Some(0), 100, None),
            (full, Some(1), Some(2), 100, Some(usage(MAX_FILES, 11))),
        ];
        for (at, (before, old, new, quota, after)) in rows.into_iter().enumerate() {
            let checked = check_room(before, old, new, Limit::Folder, quota);
            assert_eq!(checked.as_ref().ok(), after.as_ref(), "row {at}");
            if let Err(error) = checked {
                assert_eq!(error.code(), "folder-quota-exceeded", "row {at}");
            }
        }
        let over = check_room(usage(1, 1), None, Some(2), Limit::Tenant, 2).unwrap_err();
        assert_eq!(over.code(), "tenant-quota-exceeded");
    }
}
