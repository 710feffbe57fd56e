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
//! | 26 | [`Book`] | book id |
//! | 27 | [`Hold`] | hold id |
//! | 28 | [`HoldExpiry`] | instant, hold id |
//! | 29 | [`TakenName`] | what kind of name, book, name |
//! | 80 | [`AccountMonth`] | account, first day of the month |

use backroom_domain::ledger::{Account, AccountDay, AccountMonth, AccountTotal, Book, Entry, Hold, Line, Scope};
use backroom_domain::{BusinessDate, Id, Instant};

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
    /// What of the book it belongs to; none: what its own kind says. What takes another entry back belongs where that does, however
    /// often one takes the other back.
    #[n(2)]
    pub scope: Option<Scope>,
}

impl StoredEntry {
    /// Lines in one record. A line with everything at its largest (8 dimensions of twice 64 bytes, a memo of 200 characters, its
    /// details) takes 2,180 bytes and the details of an entry 9,000, so 25 lines with them stay below
    /// [`MAX_VALUE`](crate::MAX_VALUE).
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

impl Record for AccountMonth {
    const SPACE: u8 = 80;
    type Key = (Id, BusinessDate);
    fn key(&self) -> (Id, BusinessDate) {
        (self.0.account.clone(), self.0.date)
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

impl Record for Book {
    const SPACE: u8 = 26;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

impl Record for Hold {
    const SPACE: u8 = 27;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.entry.id.clone()
    }
}

/// Finds open holds by the moment at which they end.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct HoldExpiry {
    /// When it ends.
    #[n(0)]
    pub at: Instant,
    /// The hold.
    #[n(1)]
    pub hold: Id,
}

impl Record for HoldExpiry {
    const SPACE: u8 = 28;
    type Key = (u64, Id);
    fn key(&self) -> (u64, Id) {
        (self.at.0, self.hold.clone())
    }
}

/// What a name is taken as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum NameKind {
    /// The id of an entry that was refused for good.
    #[n(0)]
    FailedEntry,
    /// The id of a hold that was refused for good.
    #[n(1)]
    FailedHold,
    /// The reference of an entry.
    #[n(2)]
    Reference,
}

/// A name that nothing else may take.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct TakenName {
    /// As what.
    #[n(0)]
    pub kind: NameKind,
    /// Of a reference: the book; none: `main`.
    #[n(1)]
    pub book: Option<Id>,
    /// The name.
    #[n(2)]
    pub name: String,
    /// Of a reference: the entry that has it. Of a failed id: the code of the refusal.
    #[n(3)]
    pub by: String,
}

impl TakenName {
    /// The key of a name.
    #[must_use]
    pub fn key_of(kind: NameKind, book: Option<&Id>, name: &str) -> <Self as Record>::Key {
        (kind as u8, book.map_or_else(String::new, ToString::to_string), name.to_owned())
    }
}

impl Record for TakenName {
    const SPACE: u8 = 29;
    type Key = (u8, String, String);
    fn key(&self) -> Self::Key {
        Self::key_of(self.kind, self.book.as_ref(), &self.name)
    }
}
