//! Records of periods, rates and budgets.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 70 | [`BookControl`] | book |
//! | 71 | [`LockException`] | book, exception |
//! | 72 | [`ExceptionByHolder`] | book, scope and holder, end (the latest first), exception |
//! | 73 | [`ExceptionUse`] | book, exception, moment, entry |
//! | 74 | [`Rate`] | book, pair, type, day (the newest first) |
//! | 75 | [`Budget`] | book, budget |
//! | 76 | [`BudgetLine`] | account, dimension, last day |
//! | 77 | [`YearClosing`] | book, year |
//! | 78 | [`Opening`] | book, year, account |
//! | 79 | [`Revalued`] | account, day |

use backroom_domain::ledger::{
    BookControl, Budget, BudgetLine, Dimension, ExceptionUse, Holder, LockException, Opening, Rate, Revalued, Scope,
    YearClosing,
};
use backroom_domain::{BusinessDate, Currency, Id, Instant};

use crate::record::Record;

impl Record for BookControl {
    const SPACE: u8 = 70;
    type Key = Id;
    fn key(&self) -> Id {
        self.book.clone()
    }
}

impl Record for LockException {
    const SPACE: u8 = 71;
    type Key = (Id, Id);
    fn key(&self) -> (Id, Id) {
        (self.book.clone(), self.new.id.clone())
    }
}

/// Finds the exception from a lock that ends last. One that was revoked has none.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct ExceptionByHolder {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// The lock that it is from.
    #[n(1)]
    pub scope: Scope,
    /// Who holds it.
    #[n(2)]
    pub holder: Holder,
    /// The moment from which on it does not count.
    #[n(3)]
    pub until: Instant,
    /// The exception.
    #[n(4)]
    pub exception: Id,
}

impl ExceptionByHolder {
    /// The key of all exceptions of a holder from a lock.
    pub fn prefix(book: &Id, scope: Scope, holder: &Holder) -> (Id, String) {
        (book.clone(), format!("{}:{}", scope.word(), holder.key()))
    }
}

impl Record for ExceptionByHolder {
    const SPACE: u8 = 72;
    type Key = (Id, String, u64, Id);
    fn key(&self) -> Self::Key {
        let (book, holder) = Self::prefix(&self.book, self.scope, &self.holder);
        (book, holder, !self.until.0, self.exception.clone())
    }
}

impl Record for ExceptionUse {
    const SPACE: u8 = 73;
    type Key = (Id, Id, u64, Id);
    fn key(&self) -> Self::Key {
        (self.book.clone(), self.exception.clone(), self.recorded_at.0, self.entry.clone())
    }
}

/// The key of a rate: in a scan the newest day comes first.
pub fn rate_key(book: &Id, from: Currency, to: Currency, kind: &Id, date: BusinessDate) -> (Id, String, Id, u32) {
    (book.clone(), format!("{from}/{to}"), kind.clone(), !date.number())
}

impl Record for Rate {
    const SPACE: u8 = 74;
    type Key = (Id, String, Id, u32);
    fn key(&self) -> Self::Key {
        rate_key(&self.book, self.new.from, self.new.to, &self.new.kind, self.new.date)
    }
}

impl Record for Budget {
    const SPACE: u8 = 75;
    type Key = (Id, Id);
    fn key(&self) -> (Id, Id) {
        (self.book.clone(), self.new.id.clone())
    }
}

/// The key of a budget line: those of one account and dimension do not overlap, so the first one that ends on or behind a day is
/// the only one that may have it.
pub fn budget_key(account: &Id, dimension: Option<&Dimension>, last: BusinessDate) -> (Id, String, BusinessDate) {
    // No id has `=` in it, so no two dimensions look the same.
    let dimension = dimension.map(|d| format!("{}={}", d.name, d.value)).unwrap_or_default();
    (account.clone(), dimension, last)
}

impl Record for BudgetLine {
    const SPACE: u8 = 76;
    type Key = (Id, String, BusinessDate);
    fn key(&self) -> Self::Key {
        budget_key(&self.account, self.dimension.as_ref(), self.last)
    }
}

impl Record for YearClosing {
    const SPACE: u8 = 77;
    type Key = (Id, u16);
    fn key(&self) -> Self::Key {
        (self.book.clone(), self.new.year)
    }
}

impl Record for Opening {
    const SPACE: u8 = 78;
    type Key = (Id, u16, Id);
    fn key(&self) -> Self::Key {
        (self.book.clone(), self.year, self.account.clone())
    }
}

impl Record for Revalued {
    const SPACE: u8 = 79;
    type Key = (Id, BusinessDate);
    fn key(&self) -> Self::Key {
        (self.account.clone(), self.as_of)
    }
}
