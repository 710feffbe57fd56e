//! Records of files.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 50 | [`StoredFile`] | folder, path |
//! | 51 | [`FilePiece`] | folder, path, number of the piece |
//! | 52 | [`Folder`] | folder; there is one where there is a file or a quota |
//! | 53 | [`FilesTotal`] | none: one for the tenant |
//!
//! A file's content is part of its tenant's records, so that it is there when its run is committed and not before, and goes
//! wherever the records go: into the log, its backups, the tenant's file, and to every host.

use backroom_domain::Id;
use backroom_domain::files::{File, FilePath, Usage};

use crate::record::Record;

/// A file without its content.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StoredFile {
    /// What is known of it.
    #[n(0)]
    pub file: File,
}

impl StoredFile {
    /// The key of the file with this path.
    #[must_use]
    pub fn key_of(folder: &Id, path: &FilePath) -> (Id, String) {
        (folder.clone(), path.as_str().to_owned())
    }
}

impl Record for StoredFile {
    const SPACE: u8 = 50;
    /// Text, since lists begin at prefixes, which need not be paths.
    type Key = (Id, String);
    fn key(&self) -> (Id, String) {
        Self::key_of(&self.file.folder, &self.file.path)
    }
}

/// A piece of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct FilePiece {
    /// The folder.
    #[n(0)]
    pub folder: Id,
    /// The path within it.
    #[n(1)]
    pub path: FilePath,
    /// 0, 1, 2, ...
    #[n(2)]
    pub number: u32,
    /// [`FilePiece::SIZE`] bytes; the last one may have less, and none is empty.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl FilePiece {
    /// With the names beside them, this many bytes stay below [`MAX_VALUE`](crate::MAX_VALUE).
    pub const SIZE: usize = 60 << 10;
}

impl Record for FilePiece {
    const SPACE: u8 = 51;
    type Key = (Id, FilePath, u32);
    fn key(&self) -> (Id, FilePath, u32) {
        (self.folder.clone(), self.path.clone(), self.number)
    }
}

/// What stands in a folder, and how much may.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Folder {
    /// Its name.
    #[n(0)]
    pub name: Id,
    /// What stands in it.
    #[n(1)]
    pub usage: Usage,
    /// The bytes that there is room for, if the provider said so.
    #[n(2)]
    pub quota: Option<u64>,
}

impl Record for Folder {
    const SPACE: u8 = 52;
    type Key = Id;
    fn key(&self) -> Id {
        self.name.clone()
    }
}

/// What stands in all folders of the tenant, and how much may.
#[derive(Debug, Clone, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct FilesTotal {
    /// How many folders there are.
    #[n(0)]
    pub folders: u64,
    /// What stands in them.
    #[n(1)]
    pub usage: Usage,
    /// The bytes that there is room for, if the provider said so.
    #[n(2)]
    pub quota: Option<u64>,
}

impl Record for FilesTotal {
    const SPACE: u8 = 53;
    type Key = ();
    fn key(&self) {}
}
