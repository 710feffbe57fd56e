//! Sealing of personal data: encryption with a key per person, so that destroying the key erases the data wherever they stand.
//!
//! What is sealed goes into records and log entries like any other bytes and is hashed with them; chains, copies and backups of
//! the log stay valid when the key is gone. The keys stand in a [`Keyring`], never in log or state.
//!
//! XChaCha20-Poly1305 with a synthetic nonce: the nonce is a keyed hash of everything that is sealed, so the same data of the
//! same record give the same bytes (a replayed run is compared byte for byte), and two different texts never meet under one
//! nonce. What equal bytes tell is that the same record held the same text before. The associated data are record space and
//! record key, and the key is one person's of one tenant: what is sealed opens in its own place alone. Texts are padded to multiples of 32 bytes, so that the length
//! of a name or an amount says little.

mod key;
mod seals;

pub use self::key::{MasterKey, PersonKey};
pub use self::seals::Seals;

use chacha20poly1305::aead::{Aead as _, AeadInPlace as _, Payload};
use chacha20poly1305::{KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::error::CodecError;

/// The form of what is sealed: cipher, padding and associated data. Part of the associated data.
const FORM: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const PAD: usize = 32;
/// The length of the text stands before it.
const LENGTH: usize = 2;

/// `form | nonce | tag | ciphertext`. `place` says where it will stand, and has to be given again to open it.
fn seal(key: &PersonKey, place: &[u8], text: &[u8]) -> Result<Vec<u8>, CodecError> {
    let length = u16::try_from(text.len()).map_err(|_| CodecError::malformed("too long to be sealed"))?;
    let mut padded = Zeroizing::new(vec![0; (LENGTH + text.len()).next_multiple_of(PAD)]);
    let parts = length.to_le_bytes().into_iter().chain(text.iter().copied());
    padded.iter_mut().zip(parts).for_each(|(to, from)| *to = from);

    let place = associated(place);
    let nonce = nonce_of(key, &place, &padded);
    let cipher = XChaCha20Poly1305::new(key.cipher().into());
    let tag = cipher.encrypt_in_place_detached(XNonce::from_slice(&nonce), &place, &mut padded);
    let tag = tag.map_err(|_| CodecError::malformed("too long to be sealed"))?;
    let mut out = Vec::with_capacity(1 + NONCE + TAG + padded.len());
    out.push(FORM);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&tag);
    out.extend_from_slice(&padded);
    Ok(out)
}

/// The reverse of [`seal`].
fn open(key: &PersonKey, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CodecError> {
    let short = || CodecError::malformed("too short to be sealed data");
    let (form, rest) = sealed.split_first().ok_or_else(short)?;
    if *form != FORM {
        return Err(CodecError::Version { found: *form, known: FORM });
    }
    let (nonce, rest) = rest.split_at_checked(NONCE).ok_or_else(short)?;
    let (tag, text) = rest.split_at_checked(TAG).ok_or_else(short)?;
    let mut text = Zeroizing::new(text.to_vec());
    let cipher = XChaCha20Poly1305::new(key.cipher().into());
    let nonce = XNonce::from_slice(nonce);
    let opened = cipher.decrypt_in_place_detached(nonce, &associated(place), &mut text, Tag::from_slice(tag));
    opened.map_err(|_| CodecError::malformed("sealed with another key, for another place, or changed"))?;
    let length = text.first_chunk::<LENGTH>().map(|length| usize::from(u16::from_le_bytes(*length)));
    let inside = length.and_then(|length| text.get(LENGTH..LENGTH + length));
    inside.map(|text| Zeroizing::new(text.to_vec())).ok_or_else(short)
}

fn associated(place: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 + place.len());
    out.extend_from_slice(b"backroom personal data\0");
    out.push(FORM);
    out.extend_from_slice(place);
    out
}

/// A keyed hash of all that is sealed, each part with its length before it.
fn nonce_of(key: &PersonKey, place: &[u8], padded: &[u8]) -> [u8; NONCE] {
    let mut hasher = blake3::Hasher::new_keyed(key.nonce());
    for part in [place, padded] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut nonce = [0; NONCE];
    hasher.finalize_xof().fill(&mut nonce);
    nonce
}

/// `nonce | ciphertext and tag` of a person's key under the master key, with a random nonce: it is written once.
pub(crate) fn wrap(master: &MasterKey, place: &[u8], root: &[u8; 32]) -> Result<[u8; WRAPPED], String> {
    let mut out = [0; WRAPPED];
    let (nonce, rest) = out.split_at_mut(NONCE);
    getrandom::fill(nonce).map_err(|error| error.to_string())?;
    let cipher = XChaCha20Poly1305::new(master.bytes().into());
    let wrapped = cipher.encrypt(XNonce::from_slice(nonce), Payload { msg: root, aad: place });
    rest.copy_from_slice(&wrapped.map_err(|error| error.to_string())?);
    Ok(out)
}

/// The length of a wrapped key.
pub(crate) const WRAPPED: usize = NONCE + 32 + TAG;

/// The reverse of [`wrap`]; none if it is another master key, another place, or was changed.
pub(crate) fn unwrap(master: &MasterKey, place: &[u8], wrapped: &[u8; WRAPPED]) -> Option<Zeroizing<[u8; 32]>> {
    let (nonce, text) = wrapped.split_at_checked(NONCE)?;
    let cipher = XChaCha20Poly1305::new(master.bytes().into());
    let opened = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: text, aad: place }).ok()?;
    let opened = Zeroizing::new(opened);
    let mut root = Zeroizing::new([0; 32]);
    root.copy_from_slice(opened.get(..32)?);
    Some(root)
}

#[cfg(test)]
mod tests;
