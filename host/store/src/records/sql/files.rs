//! The tables of files and secrets.

use super::{Datum, Kind, Table, column, day, id, int, maybe, text, time};
use crate::record::Record as _;
use crate::records::{FilePiece, FilesTotal, Folder, Secret, StoredFile};

pub(super) const FILE: Table = Table {
    space: StoredFile::SPACE,
    name: "file",
    columns: &[
        column("folder", Kind::Text),
        column("path", Kind::Text),
        column("size", Kind::Int),
        column("digest", Kind::Text),
        column("date", Kind::Date),
        column("run", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = StoredFile::decode(body)?.file;
        Ok(vec![
            id(&r.folder),
            text(r.path.as_str()),
            int(r.size),
            text(&r.digest),
            day(r.date),
            maybe(r.run.as_ref()),
            time(r.recorded_at),
        ])
    },
};

pub(super) const PIECE: Table = Table {
    space: FilePiece::SPACE,
    name: "file_piece",
    columns: &[column("folder", Kind::Text), column("path", Kind::Text), column("number", Kind::Int)],
    extract: |body| {
        let r = FilePiece::decode(body)?;
        Ok(vec![id(&r.folder), text(r.path.as_str()), int(r.number)])
    },
};

pub(super) const FOLDER: Table = Table {
    space: Folder::SPACE,
    name: "file_folder",
    columns: &[
        column("name", Kind::Text),
        column("files", Kind::Int),
        column("bytes", Kind::Int),
        column("quota", Kind::Int),
    ],
    extract: |body| {
        let r = Folder::decode(body)?;
        Ok(vec![id(&r.name), int(r.usage.files), int(r.usage.bytes), some_int(r.quota)])
    },
};

pub(super) const TOTAL: Table = Table {
    space: FilesTotal::SPACE,
    name: "file_total",
    columns: &[
        column("folders", Kind::Int),
        column("files", Kind::Int),
        column("bytes", Kind::Int),
        column("quota", Kind::Int),
    ],
    extract: |body| {
        let r = FilesTotal::decode(body)?;
        Ok(vec![int(r.folders), int(r.usage.files), int(r.usage.bytes), some_int(r.quota)])
    },
};

/// What is secret is sealed, and in no column.
pub(super) const SECRET: Table = Table {
    space: Secret::SPACE,
    name: "secret",
    columns: &[column("name", Kind::Text), column("updated_at", Kind::Time)],
    extract: |body| {
        let r = Secret::decode(body)?;
        Ok(vec![id(&r.name), time(r.updated_at)])
    },
};

fn some_int(value: Option<u64>) -> Datum {
    value.map_or(Datum::Int(None), int)
}
