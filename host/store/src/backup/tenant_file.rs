//! The file of a tenant: what a client company takes along when it leaves.
//!
//! A line that says what it is, and then one zstd stream of sections (kind, length, body): the head, the keys of its persons,
//! every entry of the chain as it stood in the log, the components that it used, and the end with the hash of everything
//! before it. With the keys in it, whoever has the file can read the personal data: it is the client's own.

use std::io::{self, Read, Write};

use backroom_domain::{Id, Instant};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::BackupError;
use crate::entry::MAX_PAYLOAD;
use crate::records::Tenant;
use crate::seal::PersonKey;
use crate::types::{Hash, Head};

/// How these files begin; the rest of the first line is the format.
const MAGIC: &[u8; 18] = b"backroom tenant 1\n";
/// The newest format this release knows; part of [`MAGIC`].
const FORMAT: u32 = 1;
const MAX_JSON: u64 = 1 << 20;
/// As large as an entry; components are smaller.
const MAX_BODY: u64 = MAX_PAYLOAD as u64;
const LEVEL: i32 = 3;

const HEAD: u8 = b'h';
const KEY: u8 = b'k';
const ENTRY: u8 = b'e';
const COMPONENT: u8 = b'c';
const END: u8 = b'z';

/// What a file of a tenant says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileHead {
    /// The release that wrote it.
    pub backroom: String,
    /// When.
    pub made_at: Instant,
    /// The tenant, as the service that it comes from knows it.
    pub tenant: Tenant,
    /// The head of its chain. Whoever trusts this hash can trust the whole file.
    pub head: Head,
}

/// What stands at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEnd {
    hash: Hash,
}

/// A section between head and end.
#[derive(Debug)]
pub(super) enum Section {
    /// The key of a person.
    Key(Id, PersonKey),
    /// The payload of an entry.
    Entry(Vec<u8>),
    /// The bytes of a component.
    Component(Vec<u8>),
}

/// Writes a file of a tenant.
pub(super) struct Writer<W: Write> {
    out: zstd::Encoder<'static, W>,
    hash: blake3::Hasher,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(mut out: W, head: &FileHead) -> Result<Self, BackupError> {
        out.write_all(MAGIC).map_err(failed())?;
        let mut out = zstd::Encoder::new(out, LEVEL).map_err(failed())?;
        out.include_checksum(true).map_err(failed())?;
        let mut writer = Self { out, hash: blake3::Hasher::new() };
        writer.section(HEAD, &json(head)?)?;
        Ok(writer)
    }

    pub(super) fn key(&mut self, person: &Id, key: &PersonKey) -> Result<(), BackupError> {
        let body = Zeroizing::new([key.bytes().as_slice(), person.as_str().as_bytes()].concat());
        self.section(KEY, &body)
    }

    pub(super) fn entry(&mut self, payload: &[u8]) -> Result<(), BackupError> {
        self.section(ENTRY, payload)
    }

    pub(super) fn component(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.section(COMPONENT, bytes)
    }

    pub(super) fn end(mut self) -> Result<W, BackupError> {
        let hash = Hash(*self.hash.finalize().as_bytes());
        self.section(END, &json(&FileEnd { hash })?)?;
        let mut out = self.out.finish().map_err(failed())?;
        out.flush().map_err(failed())?;
        Ok(out)
    }

    fn section(&mut self, kind: u8, body: &[u8]) -> Result<(), BackupError> {
        let len = (body.len() as u64).to_le_bytes();
        for part in [&[kind], len.as_slice(), body] {
            self.hash.update(part);
            self.out.write_all(part).map_err(failed())?;
        }
        Ok(())
    }
}

fn failed() -> impl FnOnce(io::Error) -> BackupError {
    BackupError::io("write the tenant's file")
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, BackupError> {
    serde_json::to_vec(value).map_err(|why| failed()(why.into()))
}

/// Reads a file of a tenant; everything it gives is bounded.
pub(super) struct Reader<R: Read> {
    input: zstd::Decoder<'static, io::BufReader<R>>,
    hash: blake3::Hasher,
    /// What the file says about itself.
    pub(super) head: FileHead,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads up to the head.
    pub(super) fn open(mut input: R) -> Result<Self, BackupError> {
        check_magic(&mut input)?;
        let mut input = zstd::Decoder::new(input).map_err(damaged)?;
        let mut hash = blake3::Hasher::new();
        let (kind, body) = section(&mut input, &mut hash)?;
        if kind != HEAD {
            return Err(damaged("it does not begin with its head"));
        }
        let head = serde_json::from_slice(&body).map_err(damaged)?;
        Ok(Self { input, hash, head, ended: false })
    }

    /// The next section; `None` at the end, when everything was as it was written.
    pub(super) fn next(&mut self) -> Result<Option<Section>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let before = Hash(*self.hash.finalize().as_bytes());
        match section(&mut self.input, &mut self.hash)? {
            (KEY, body) => key(Zeroizing::new(body)).map(Some),
            (ENTRY, body) => Ok(Some(Section::Entry(body))),
            (COMPONENT, body) => Ok(Some(Section::Component(body))),
            (END, body) => {
                let end: FileEnd = serde_json::from_slice(&body).map_err(damaged)?;
                if end.hash != before {
                    return Err(damaged("its hash is not the one that it ends with"));
                }
                // Reads to the end of the stream, and so checks its own sum as well.
                if self.input.read(&mut [0]).map_err(damaged)? != 0 {
                    return Err(damaged("there is something behind its end"));
                }
                self.ended = true;
                Ok(None)
            }
            (kind, _) => Err(damaged(format!("it has a section of the unknown kind {kind}"))),
        }
    }
}

/// What a file of a tenant is called in messages: its name is the caller's.
pub(super) fn damaged(what: impl std::fmt::Display) -> BackupError {
    BackupError::damaged("the tenant's file", what)
}

fn check_magic(input: &mut impl Read) -> Result<(), BackupError> {
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(damaged)?;
    if magic == *MAGIC {
        return Ok(());
    }
    let format = magic.strip_prefix(b"backroom tenant ").and_then(|rest| std::str::from_utf8(rest).ok());
    let format = format.and_then(|rest| rest.trim_end().parse::<u64>().ok());
    match format {
        Some(found) if found > FORMAT.into() => {
            Err(BackupError::Newer { object: "the tenant's file".to_owned(), found, known: FORMAT })
        }
        _ => Err(damaged("it is no file that `backroom tenant export` wrote")),
    }
}

/// 32 bytes of the key, and the person's id.
fn key(body: Zeroizing<Vec<u8>>) -> Result<Section, BackupError> {
    let (key, person) = body.split_first_chunk::<32>().ok_or_else(|| damaged("it has a key that is too short"))?;
    let person = std::str::from_utf8(person).map_err(damaged)?;
    Ok(Section::Key(Id::parse(person, "person").map_err(damaged)?, PersonKey::from_bytes(key)))
}

/// One section. A damaged length allocates nothing: what is not there is not read.
fn section(input: &mut impl Read, hash: &mut blake3::Hasher) -> Result<(u8, Vec<u8>), BackupError> {
    let mut head = [0; 9];
    input.read_exact(&mut head).map_err(damaged)?;
    let (kind, len) = head.split_first().ok_or_else(|| damaged("it ends early"))?;
    let len = len.try_into().map(u64::from_le_bytes).map_err(damaged)?;
    let limit = if [HEAD, KEY, END].contains(kind) { MAX_JSON } else { MAX_BODY };
    if len > limit {
        return Err(damaged(format!("it has a section of {len} bytes, the limit is {limit}")));
    }
    let mut body = Vec::new();
    input.take(len).read_to_end(&mut body).map_err(damaged)?;
    if body.len() as u64 != len {
        return Err(damaged("it ends early"));
    }
    hash.update(&head);
    hash.update(&body);
    Ok((*kind, body))
}
