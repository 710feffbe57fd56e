//! The encoding of entries: one canonical CBOR array of fourteen fields.
//!
//! Payloads are hashed and never rewritten, so this only ever gets new versions beside the old ones.

use std::convert::Infallible;

use minicbor::{Decoder, Encoder};

use super::{Change, Entry, Meta};
use crate::error::CodecError;
use crate::types::{Hash, Revision, TenantNo};

const VERSION: u8 = 1;
const FIELDS: u64 = 14;

type EncodeResult<T> = Result<T, minicbor::encode::Error<Infallible>>;

pub(super) fn encode(
    tenant: TenantNo,
    number: u64,
    prev: Hash,
    meta: &Meta,
    changes: &[Change],
) -> EncodeResult<Vec<u8>> {
    let changed: usize = changes.iter().map(|c| c.key.len() + c.value.as_ref().map_or(0, |v| v.len()) + 12).sum();
    let effects: usize = meta.effects.iter().map(|effect| effect.len() + 9).sum();
    let detail = meta.detail.as_ref().map_or(0, Vec::len);
    let mut e = Encoder::new(Vec::with_capacity(changed + effects + detail + 256));
    e.array(FIELDS)?.u8(VERSION)?.u32(tenant.0)?.u64(number)?.bytes(&prev.0)?;
    e.u64(meta.at)?.str(&meta.actor)?.str(&meta.kind)?;
    e.encode(&meta.run)?.encode(&meta.installation)?;
    optional_bytes(&mut e, meta.release.as_ref().map(<[u8; 32]>::as_slice))?;
    optional_bytes(&mut e, meta.input_hash.as_ref().map(<[u8; 32]>::as_slice))?;
    optional_bytes(&mut e, meta.detail.as_deref())?;
    e.array(meta.effects.len() as u64)?;
    for effect in &meta.effects {
        e.bytes(effect)?;
    }
    e.array(changes.len() as u64 * 2)?;
    for change in changes {
        e.bytes(&change.key)?;
        optional_bytes(&mut e, change.value.as_deref())?;
    }
    Ok(e.into_writer())
}

fn optional_bytes(e: &mut Encoder<Vec<u8>>, bytes: Option<&[u8]>) -> EncodeResult<()> {
    match bytes {
        Some(bytes) => e.bytes(bytes)?,
        None => e.null()?,
    };
    Ok(())
}

/// Tenant and number of a payload, without reading the rest.
pub(crate) fn place_of(payload: &[u8]) -> Result<(TenantNo, u64), CodecError> {
    decode_place(&mut Decoder::new(payload))
}

/// The fields that say whose entry it is and which one.
pub(super) fn decode_place(d: &mut Decoder<'_>) -> Result<(TenantNo, u64), CodecError> {
    let fields = d.array().map_err(CodecError::malformed)?;
    let version = d.u8().map_err(CodecError::malformed)?;
    if version != VERSION {
        return Err(CodecError::Version { found: version, known: VERSION });
    }
    if fields != Some(FIELDS) {
        return Err(CodecError::malformed("wrong number of fields"));
    }
    let tenant = d.u32().map_err(CodecError::malformed)?;
    let number = d.u64().map_err(CodecError::malformed)?;
    Ok((TenantNo(tenant), number))
}

type DecodeResult<T> = Result<T, minicbor::decode::Error>;

/// The fields behind those of [`decode_place`].
pub(super) fn decode_rest(
    d: &mut Decoder<'_>,
    revision: Revision,
    tenant: TenantNo,
    number: u64,
    payload: &[u8],
) -> DecodeResult<Entry> {
    Ok(Entry {
        revision,
        tenant,
        number,
        hash: Hash::of(payload),
        prev: Hash(decode_array(d)?),
        at: d.u64()?,
        actor: d.str()?.to_owned(),
        kind: d.str()?.to_owned(),
        run: d.decode()?,
        installation: d.decode()?,
        release: decode_optional(d, decode_array)?,
        input_hash: decode_optional(d, decode_array)?,
        detail: decode_optional(d, |d| Ok(d.bytes()?.to_vec()))?,
        effects: decode_many(d, 1, |d| Ok(d.bytes()?.to_vec()))?,
        changes: decode_many(d, 2, |d| Ok((d.bytes()?.to_vec(), decode_optional(d, |d| Ok(d.bytes()?.to_vec()))?)))?,
    })
}

fn decode_array(d: &mut Decoder<'_>) -> DecodeResult<[u8; 32]> {
    d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message("a hash has 32 bytes"))
}

fn decode_optional<T>(
    d: &mut Decoder<'_>,
    decode: impl FnOnce(&mut Decoder<'_>) -> DecodeResult<T>,
) -> DecodeResult<Option<T>> {
    if d.datatype()? == minicbor::data::Type::Null {
        d.null()?;
        return Ok(None);
    }
    decode(d).map(Some)
}

/// A list whose items take `width` places in the array each.
fn decode_many<T>(
    d: &mut Decoder<'_>,
    width: u64,
    mut decode: impl FnMut(&mut Decoder<'_>) -> DecodeResult<T>,
) -> DecodeResult<Vec<T>> {
    let places = d.array()?.ok_or_else(|| minicbor::decode::Error::message("a list without length"))?;
    if places % width != 0 {
        return Err(minicbor::decode::Error::message("half an item at the end of a list"));
    }
    // No capacity from the bytes: a damaged length must not allocate.
    let mut items = Vec::new();
    for _ in 0..places / width {
        items.push(decode(d)?);
    }
    Ok(items)
}
