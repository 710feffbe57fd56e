//! What the two processes say to each other.
//!
//! `u32 length of all that follows | message | what comes with it`, each message answered before the next one.

use std::io::{self, Read, Write};
use std::time::Duration;

use backroom_office::runs::Fault;
use backroom_store::records::Limits;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::exec::Returned;
use crate::guest::{Left, Names, Used};
use crate::profile::Layout;

/// What the service says in the argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub(super) layout: Layout,
    /// The largest single memory of a guest, in bytes.
    pub(super) max_memory: u64,
}

/// What the service says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// The compiled code of the plugin comes with it.
    Load,
    /// The input comes with it.
    Run(Start),
    /// The answer to a host call comes with it.
    Answer(Left),
}

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) names: Names,
    #[serde(with = "cbor")]
    pub(super) limits: Limits,
    /// How much wall time is left.
    pub(super) left: Duration,
    /// The host call that fails on purpose.
    pub(super) fails_at: Option<u32>,
}

/// What the guest's process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// It has locked itself in, or could not: then it is not to be trusted with a guest.
    Ready { confined: bool },
    /// What was ordered to be loaded is, or why not.
    Loaded(Result<(), String>),
    /// A host call; the arguments come with it.
    Call { used: Used, function: String },
    /// The guest has ended.
    Done { used: Used, fuel: u64, peak_memory: u64, returned: Result<Returned, Fault> },
}

/// Records have fields that are left out where they say nothing, which this encoding cannot do: so in that of records.
mod cbor {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &super::Limits, serializer: S) -> Result<S::Ok, S::Error> {
        minicbor::to_vec(value).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<super::Limits, D::Error> {
        minicbor::decode(&Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Says something.
pub(super) fn say(to: &mut impl Write, message: &impl Serialize, with: &[u8]) -> io::Result<()> {
    let message = postcard::to_allocvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(message.len().saturating_add(with.len())).map_err(io::Error::other)?;
    // What is small goes in one piece.
    let mut head = length.to_le_bytes().to_vec();
    head.extend_from_slice(&message);
    if with.len() <= SMALL {
        head.extend_from_slice(with);
        return to.write_all(&head);
    }
    to.write_all(&head)?;
    to.write_all(with)
}

const SMALL: usize = 64 << 10;

/// Hears what is said next, of at most so many bytes.
pub(super) fn hear<T: DeserializeOwned>(from: &mut impl Read, most: u32) -> io::Result<(T, Vec<u8>)> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > most {
        return Err(io::Error::other("it says more than it can have to say"));
    }
    let mut frame = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut frame)?;
    let (message, rest) = postcard::take_from_bytes(&frame).map_err(io::Error::other)?;
    let head = frame.len().saturating_sub(rest.len());
    frame.drain(..head);
    Ok((message, frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_and_nothing_of_what_is_broken_off() {
        let limits = Limits { day_fuel: Some(7), ..Limits::default() };
        let names = Names { installation: None, run: None, now: backroom_domain::Instant(5) };
        let start = Start { names, limits, left: Duration::from_millis(9), fails_at: Some(2) };
        for with in [Vec::new(), b"input".to_vec(), vec![7; SMALL + 1]] {
            let mut said = Vec::new();
            say(&mut said, &Order::Run(Start { names: start.names.clone(), ..start }), &with).unwrap();
            let (heard, came): (Order, _) = hear(&mut said.as_slice(), 1 << 20).unwrap();
            let Order::Run(heard) = heard else { panic!("{heard:?}") };
            assert_eq!((heard.limits, heard.left, heard.fails_at), (limits, start.left, start.fails_at));
            assert_eq!(came, with);
            assert!(hear::<Order>(&mut said.as_slice(), 3).is_err());
            for end in 0..said.len().min(100) {
                assert!(hear::<Order>(&mut &said[..end], 1 << 20).is_err(), "{end}");
            }
        }
    }
}
