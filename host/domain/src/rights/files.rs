//! Rights on files: which folders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facet::Facets;
use super::layers::{Layers, Stage};
use super::pattern::any;
use super::{Checks, Kind, Operation, Operations, Pattern, empty, words};
use crate::{Id, Result};

/// Rights on the files of named folders. Whoever may write a folder may replace and delete what is in it, and need not be able
/// to read it.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilesRights {
    /// Folders whose files may be listed and read.
    #[n(0)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Pattern>,
    /// Folders whose files may be written and deleted.
    #[n(1)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<Pattern>,
}

impl Layers<'_> {
    /// May this folder be listed and read?
    pub fn read_folder(&self, operation: Operation, folder: &Id) -> bool {
        self.allows(operation, |grant| any(&grant.files.read, folder))
    }

    /// `denied` unless this folder may be listed and read.
    pub fn check_read_folder(&self, operation: Operation, folder: &Id) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "files-read-denied",
                test: &|grant| any(&grant.files.read, folder),
                message: &|| format!("no grant to read the folder {folder}"),
            }],
        )
    }

    /// `denied` unless files of this folder may be written and deleted.
    pub fn check_write_folder(&self, operation: Operation, folder: &Id) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "files-write-denied",
                test: &|grant| any(&grant.files.write, folder),
                message: &|| format!("no grant to write to the folder {folder}"),
            }],
        )
    }
}

impl Kind for FilesRights {
    fn check(&self, checks: &mut Checks) {
        checks.list("files", "read", self.read.len());
        checks.list("files", "write", self.write.len());
    }

    fn facets(&self, out: &mut Facets) {
        out.named("files.read", self.read.iter().cloned());
        out.named("files.write", self.write.iter().cloned());
    }

    fn words(&self, out: &mut Vec<String>) {
        let folders = |set: &[Pattern]| words::ids(set, "folder", "folders");
        if !self.read.is_empty() {
            out.push(format!("Read the files of {}.", folders(&self.read)));
        }
        if !self.write.is_empty() {
            out.push(format!("Write, replace and delete the files of {}.", folders(&self.write)));
        }
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        use Operation::{FilesAppend, FilesDelete, FilesList, FilesRead, FilesStat, FilesWrite};
        if !self.read.is_empty() {
            out.push(("files.read", Operations::of(&[FilesList, FilesStat, FilesRead])));
        }
        if !self.write.is_empty() {
            out.push(("files.write", Operations::of(&[FilesWrite, FilesAppend, FilesDelete])));
        }
    }

    fn is_empty(&self) -> bool {
        empty(self)
    }
}
