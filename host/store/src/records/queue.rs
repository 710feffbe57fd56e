//! Runs that wait: what was asked for, and their order.

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};

use crate::record::Record;

/// A run that was asked for and is to be done by whichever host comes to it. The commit of the run takes it away again.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct QueuedRun {
    /// The run's id.
    #[n(0)]
    pub id: Id,
    /// What is to run.
    #[n(1)]
    pub installation: Id,
    /// The day of the books, as it was asked for; none for the UTC day of `queued_at`.
    #[n(2)]
    pub date: Option<BusinessDate>,
    /// The input, as it was sent: at most 32 KiB.
    #[n(3)]
    pub input: String,
    /// Who asked.
    #[n(4)]
    pub actor: String,
    /// The rights of who asked.
    #[n(5)]
    pub rights: Rights,
    /// BLAKE3 of what identifies the request, as in the record of the run.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub request_hash: [u8; 32],
    /// When it was asked for.
    #[n(7)]
    pub queued_at: Instant,
    /// Its place in the tenant's commit log, and by that in the queue.
    #[n(8)]
    pub number: u64,
}

impl Record for QueuedRun {
    const SPACE: u8 = 14;
    type Key = Id;
    fn key(&self) -> Id {
        self.id.clone()
    }
}

/// A place in the queue: in the order in which the runs were queued.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct QueuePlace {
    /// As [`QueuedRun::number`].
    #[n(0)]
    pub number: u64,
    /// The run.
    #[n(1)]
    pub id: Id,
    /// As [`QueuedRun::queued_at`].
    #[n(2)]
    pub queued_at: Instant,
}

impl Record for QueuePlace {
    const SPACE: u8 = 15;
    type Key = u64;
    fn key(&self) -> u64 {
        self.number
    }
}

/// How many runs of the tenant wait; there is one record of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct QueueLength {
    /// So many.
    #[n(0)]
    pub length: u64,
}

impl Record for QueueLength {
    const SPACE: u8 = 16;
    type Key = ();
    fn key(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text, "id").unwrap()
    }

    fn queued() -> QueuedRun {
        QueuedRun {
            id: id("r-1"),
            installation: id("pay"),
            date: None,
            input: "{}".to_owned(),
            actor: "anna".to_owned(),
            rights: Rights::default(),
            request_hash: [7; 32],
            queued_at: Instant(1_782_777_600_000_000),
            number: 12,
        }
    }

    /// What a host of an earlier release has queued is still understood: fields are numbered, and only ever added.
    #[test]
    fn what_the_first_release_queued_is_understood() {
        let rights = minicbor::to_vec(Rights::default()).unwrap();
        let before = hex("018963722d3163706179f6627b7d64616e6e61");
        let after = hex("582007070707070707070707070707070707070707070707070707070707070707071b0006556d418fc0000c");
        let bytes = [before, rights, after].concat();
        assert_eq!(QueuedRun::decode(&bytes).unwrap(), queued());
        assert_eq!(Record::encode(&queued()), bytes);
    }

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}
