//! Records of open items and of bank statements.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 85 | [`OpenItem`] | account, number of the entry, line; while something of it is open |
//! | 86 | [`ClosedItem`] | the same; afterwards |
//! | 87 | [`Match`] | match id |
//! | 90 | [`BankStatement`] | account, number of the statement |
//! | 91 | [`StatementId`] | account, statement id |
//! | 92 | [`BankLine`] | account, line id |
//! | 93 | [`OpenBankLine`] | account, day, line id; while it is not confirmed |

use backroom_domain::ledger::{BankLine, BankStatement, Match, OpenItem};
use backroom_domain::{BusinessDate, Id};

use crate::record::Record;

impl Record for OpenItem {
    const SPACE: u8 = 85;
    type Key = (Id, u64, u32);
    fn key(&self) -> (Id, u64, u32) {
        (self.account.clone(), self.number, self.of.line)
    }
}

/// An item of which nothing is open any more. Apart from the others, so that looking for what is open does not read through all
/// that ever was.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct ClosedItem {
    /// The item.
    #[n(0)]
    pub item: OpenItem,
}

impl Record for ClosedItem {
    const SPACE: u8 = 86;
    type Key = (Id, u64, u32);
    fn key(&self) -> (Id, u64, u32) {
        self.item.key()
    }
}

impl Record for Match {
    const SPACE: u8 = 87;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

impl Record for BankStatement {
    const SPACE: u8 = 90;
    type Key = (Id, u64);
    fn key(&self) -> (Id, u64) {
        (self.account.clone(), self.number)
    }
}

/// Finds a statement by its id.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StatementId {
    /// The account.
    #[n(0)]
    pub account: Id,
    /// The id.
    #[n(1)]
    pub id: Id,
    /// Its number among the statements of the account.
    #[n(2)]
    pub number: u64,
}

impl Record for StatementId {
    const SPACE: u8 = 91;
    type Key = (Id, Id);
    fn key(&self) -> (Id, Id) {
        (self.account.clone(), self.id.clone())
    }
}

impl Record for BankLine {
    const SPACE: u8 = 92;
    type Key = (Id, Id);
    fn key(&self) -> (Id, Id) {
        (self.account.clone(), self.new.id.clone())
    }
}

/// Finds the bank lines that the books do not know of yet, in order of their days.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct OpenBankLine {
    /// The account.
    #[n(0)]
    pub account: Id,
    /// The day.
    #[n(1)]
    pub date: BusinessDate,
    /// The line.
    #[n(2)]
    pub line: Id,
}

impl Record for OpenBankLine {
    const SPACE: u8 = 93;
    type Key = (Id, BusinessDate, Id);
    fn key(&self) -> (Id, BusinessDate, Id) {
        (self.account.clone(), self.date, self.line.clone())
    }
}
