//! What was made, as bytes: between child and parent, and in the cache.
//!
//! `magic | u32 length of the head | head, JSON | code`, to the end.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::job::{About, Made};
use crate::error::PluginError;

const MAGIC: [u8; 8] = *b"BRCODE\x00\x01";
/// Magic and length.
const FIXED: usize = 12;
/// The longest head: a manifest of 64 KiB as JSON, and names of imports.
const MAX_HEAD: usize = 4 << 20;

/// The most bytes that a frame with so much code can have.
pub(super) fn longest(code: u64) -> u64 {
    let rest = FIXED + MAX_HEAD;
    code.saturating_add(u64::try_from(rest).unwrap_or(u64::MAX))
}

/// What a child answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Made {
        about: About,
        /// Whether the kernel let it lock itself in altogether.
        confined: bool,
    },
    Refused(PluginError),
}

/// What a frame begins with, up to the code.
pub(super) fn head(head: &impl Serialize) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(head).ok().filter(|json| json.len() <= MAX_HEAD)?;
    let length = u32::try_from(json.len()).ok()?;
    Some([&MAGIC, length.to_le_bytes().as_slice(), &json].concat())
}

/// Head and code of a frame; none if it is not one.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= MAX_HEAD)?;
    let (json, code) = rest.split_at_checked(length)?;
    if *magic != MAGIC {
        return None;
    }
    Some((serde_json::from_slice(json).ok()?, code))
}

/// What was made, from a frame; the frame's bytes become the code's.
pub(super) fn made(about: About, mut frame: Vec<u8>, code: usize) -> Made {
    frame.drain(..frame.len().saturating_sub(code));
    Made { about, code: frame }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_and_no_part_of_one_does() {
        let frame = [head(&About::Module).unwrap(), b"code".to_vec()].concat();
        let (about, code) = parse::<About>(&frame).unwrap();
        assert_eq!((&about, code), (&About::Module, b"code".as_slice()));
        let length = code.len();
        assert_eq!(made(about, frame.clone(), length).code, b"code");
        for at in 0..frame.len() - 4 {
            assert!(parse::<About>(&frame[..at]).is_none(), "{at}");
            let mut flipped = frame.clone();
            flipped[at] ^= 0x80;
            assert!(parse::<About>(&flipped).is_none(), "{at}");
        }
    }
}
