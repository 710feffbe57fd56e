//! Records of the ledger.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 20 | [`Account`] | code |
//! | 21 | [`StoredEntry`] | entry id |
//! | 22 | [`EntryNumber`] | number in the journal |
//! | 23 | [`AccountTotal`] | account; posting accounts only |
//! | 24 | [`AccountDay`] | account, day of the books |
//! | 25 | [`EntryLines`] | entry id, part |

use backroom_domain::ledger::{Account, AccountDay, AccountTotal, Entry, Line};
use backroom_domain::{BusinessDate, Id};

use crate::record::Record;

impl Record for Account {
    const SPACE: u8 = 20;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.code.clone()
    }
}

/// A journal entry with its first lines. An entry may have more than fits into one record; what follows stands in
/// [`EntryLines`].
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StoredEntry {
    /// The entry, with at most [`StoredEntry::LINES`] lines.
    #[n(0)]
    pub entry: Entry,
    /// How many records of further lines there are.
    #[n(1)]
    pub parts: u32,
}

impl StoredEntry {
    /// Lines in one record. A line with everything at its largest (8 dimensions of twice 64 bytes, a memo of 200 characters)
    /// takes 2,000 bytes, so 25 of them stay below [`MAX_VALUE`](crate::MAX_VALUE).
    pub const LINES: usize = 25;
}

impl Record for StoredEntry {
    const SPACE: u8 = 21;
    type Key = Id;
    fn key(&self) -> Id {
        self.entry.new.id.clone()
    }
}

/// Finds an entry by its number; in the order of the journal.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct EntryNumber {
    /// The number: 1, 2, 3, ...
    #[n(0)]
    pub number: u64,
    /// The entry.
    #[n(1)]
    pub id: Id,
}

impl Record for EntryNumber {
    const SPACE: u8 = 22;
    type Key = u64;
    fn key(&self) -> u64 {
        self.number
    }
}

impl Record for AccountTotal {
    const SPACE: u8 = 23;
    type Key = Id;
    fn key(&self) -> Id {
        self.balance.account.clone()
    }
}

impl Record for AccountDay {
    const SPACE: u8 = 24;
    type Key = (Id, BusinessDate);
    fn key(&self) -> (Id, BusinessDate) {
        (self.account.clone(), self.date)
    }
}

/// Further lines of a long entry.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct EntryLines {
    /// The entry.
    #[n(0)]
    pub entry: Id,
    /// 1, 2, 3, ...
    #[n(1)]
    pub part: u32,
    /// At most [`StoredEntry::LINES`] lines.
    #[n(2)]
    pub lines: Vec<Line>,
}

impl Record for EntryLines {
    const SPACE: u8 = 25;
    type Key = (Id, u32);
    fn key(&self) -> (Id, u32) {
        (self.entry.clone(), self.part)
    }
}
