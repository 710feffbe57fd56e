//! Records of inventory.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 40 | [`Item`] | item number |
//! | 41 | [`Location`] | location code |
//! | 42 | [`Lot`] | lot code or serial number |
//! | 43 | [`Move`] | move id |
//! | 44 | [`MoveNumber`] | number among the moves |
//! | 45 | [`OnHand`] | item, location, lot (empty without one) |
//! | 46 | [`Valuation`] | item |
//! | 47 | [`SerialPlace`] | serial number; those in valued stock only |

use backroom_domain::Id;
use backroom_domain::inventory::{Item, Location, Lot, Move, OnHand, SerialPlace, Valuation};

use crate::key::RecordKey;
use crate::record::Record;

impl Record for Item {
    const SPACE: u8 = 40;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

impl Record for Location {
    const SPACE: u8 = 41;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

impl Record for Lot {
    const SPACE: u8 = 42;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

impl Record for Move {
    const SPACE: u8 = 43;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

/// Finds a move by its number; in the order in which they were posted.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct MoveNumber {
    /// The number: 1, 2, 3, ...
    #[n(0)]
    pub number: u64,
    /// The move.
    #[n(1)]
    pub id: Id,
}

impl Record for MoveNumber {
    const SPACE: u8 = 44;
    type Key = u64;
    fn key(&self) -> u64 {
        self.number
    }
}

/// The key of an [`OnHand`] record, encoded: every move asks for two, and cloning six ids for that would be waste.
/// `(item, location)` is a prefix of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnHandKey(Vec<u8>);

impl OnHandKey {
    /// The key of `item` in `location`, by `lot`.
    pub fn new(item: &Id, location: &Id, lot: Option<&Id>) -> Self {
        // Three ids of up to 64 bytes and their ends; most are short.
        let mut key = Vec::with_capacity(64);
        (item, location, lot.map_or("", Id::as_str)).write(&mut key);
        Self(key)
    }
}

impl RecordKey for OnHandKey {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Record for OnHand {
    const SPACE: u8 = 45;
    type Key = OnHandKey;
    fn key(&self) -> OnHandKey {
        OnHandKey::new(&self.item, &self.location, self.lot.as_ref())
    }
}

impl Record for Valuation {
    const SPACE: u8 = 46;
    type Key = Id;
    fn key(&self) -> Id {
        self.item.clone()
    }
}

impl Record for SerialPlace {
    const SPACE: u8 = 47;
    type Key = Id;
    fn key(&self) -> Id {
        self.lot.clone()
    }
}
