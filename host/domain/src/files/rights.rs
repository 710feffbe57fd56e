//! Rights on files.

use serde::{Deserialize, Serialize};

use crate::rights::{Layers, Pattern, any, check};
use crate::{Id, Result};

/// Rights on the files of named folders. Whoever may write a folder may replace and delete what is in it, and need not be able
/// to read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilesRights {
    /// Folders whose files may be listed and read.
    #[n(0)]
    pub read: Vec<Pattern>,
    /// Folders whose files may be written and deleted.
    #[n(1)]
    pub write: Vec<Pattern>,
}

impl Layers<'_> {
    /// May this folder be listed and read?
    pub fn read_folder(&self, folder: &Id) -> bool {
        self.all(|r| any(&r.files.read, folder))
    }

    /// `denied` unless this folder may be listed and read.
    pub fn check_read_folder(&self, folder: &Id) -> Result<()> {
        check(self.read_folder(folder), "files-read-denied", || format!("no grant to read the folder {folder}"))
    }

    /// `denied` unless files of this folder may be written and deleted.
    pub fn check_write_folder(&self, folder: &Id) -> Result<()> {
        let ok = self.all(|r| any(&r.files.write, folder));
        check(ok, "files-write-denied", || format!("no grant to write to the folder {folder}"))
    }
}
