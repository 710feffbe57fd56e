//! The operations that need a right, by name: `journal.post` is the function `post` of the interface `journal` of the contract.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What is done with a right. A grant may be for some of them alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* #[doc = concat!("`", $name, "`")] $variant,)*
            /// What the contract does not have: pages and reports of the service. No grant names it.
            Other,
        }

        impl Operation {
            /// All that have a name.
            pub const NAMED: &'static [Self] = &[$(Self::$variant,)*];

            /// The name: interface and function.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other => "other",
                }
            }
        }
    };
}

// One line for each function of the contract that needs a right. At most 128.
operations! {
    StateGet = "state.get",
    StateSet = "state.set",
    StateDelete = "state.delete",
    StateList = "state.list",
    FilesList = "files.list",
    FilesStat = "files.stat",
    FilesRead = "files.read",
    FilesWrite = "files.write",
    FilesAppend = "files.append",
    FilesDelete = "files.delete",
    HttpSend = "http.send",
    AccountsGet = "accounts.get",
    AccountsList = "accounts.list",
    BalancesGet = "balances.get",
    TrialBalance = "balances.trial-balance",
    JournalPost = "journal.post",
    JournalGet = "journal.get",
    JournalList = "journal.list",
    PeriodsList = "periods.list",
    PeriodsLock = "periods.lock",
    PeriodsReopen = "periods.reopen",
    PeriodsLimitFuture = "periods.limit-future",
    GrantException = "periods.grant-exception",
    RevokeException = "periods.revoke-exception",
    ListExceptions = "periods.list-exceptions",
    ListExceptionUses = "periods.list-exception-uses",
    CloseYear = "periods.close-year",
    ListOpenings = "periods.list-openings",
    RatesSet = "rates.set",
    RatesGet = "rates.get",
    RatesList = "rates.list",
    Revalue = "rates.revalue",
    BudgetsSet = "budgets.set",
    BudgetsStatus = "budgets.status",
    BudgetsList = "budgets.list",
    JournalPostWith = "journal.post-with",
    JournalPostBatch = "journal.post-batch",
    JournalReverse = "journal.reverse",
    JournalGetDetails = "journal.get-details",
    BalancesGetMany = "balances.get-many",
    HoldsPlace = "holds.place",
    HoldsSettle = "holds.settle",
    HoldsRelease = "holds.release",
    HoldsGet = "holds.get",
    HoldsList = "holds.list",
    BooksGet = "books.get",
    BooksList = "books.list",
    OpenItemsList = "open-items.list",
    OpenItemsAgeing = "open-items.ageing",
    OpenItemsMatchItems = "open-items.match-items",
    OpenItemsUnmatch = "open-items.unmatch",
    BankImportStatement = "bank.import-statement",
    BankSuggest = "bank.suggest",
    BankConfirm = "bank.confirm",
    BankUndo = "bank.undo",
    CreateBook = "chart.create-book",
    CreateAccount = "chart.create-account",
    UpdateAccount = "chart.update-account",
    CloseAccount = "chart.close-account",
    ReopenAccount = "chart.reopen-account",
    Report = "reports.report",
    Statement = "reports.statement",
    Explain = "reports.explain",
    AssertBalance = "reports.assert-balance",
    Allocate = "reports.allocate",
    CashFlow = "review.cash-flow",
    GeneralLedger = "review.general-ledger",
    ByDimension = "review.by-dimension",
    Verify = "review.verify",
    ListEmployments = "workers.list-employments",
    GetName = "workers.get-name",
    GetCompensation = "workers.get-compensation",
    GetBankAccount = "workers.get-bank-account",
    RecordBenefit = "benefits.record",
    ListBenefits = "benefits.list",
    ItemsGet = "items.get",
    ItemsList = "items.list",
    ListOnHand = "stock.list-on-hand",
    GetValuation = "stock.get-valuation",
    PostMove = "stock.post-move",
}

impl Operation {
    /// The operation with this name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::NAMED.iter().copied().find(|operation| operation.name() == text).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            let message = format!(
                "{shown:?} is no operation that needs a right: write interface and function, such as \"journal.post\""
            );
            Error::invalid("operation-unknown", "operations", message)
        })
    }

    /// In [`Operations`]. Those without a name have none.
    const fn bit(self) -> u128 {
        match self {
            Self::Other => 0,
            named => 1_u128.wrapping_shl(named as u32),
        }
    }
}

const _: () = assert!(Operation::NAMED.len() <= 128, "one bit each");

/// A set of operations.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Operations(u128);

impl Operations {
    /// Those named.
    pub fn of(operations: &[Operation]) -> Self {
        Self(operations.iter().fold(0, |bits, operation| bits | operation.bit()))
    }

    /// Is it one of them?
    pub fn has(self, operation: Operation) -> bool {
        self.0 & operation.bit() != 0
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of them that are in the other one as well.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of both.
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that the other one has not.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::NAMED.iter().copied().filter(move |operation| self.has(*operation))
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Operation::name)).finish()
    }
}

impl Serialize for Operations {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(Operation::name))
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(d)?;
        if names.is_empty() {
            return Err(D::Error::custom("`operations` names at least one; leave it out to mean all"));
        }
        names.iter().try_fold(Self::default(), |set, name| {
            Ok(set.or(Self::of(&[Operation::parse(name).map_err(D::Error::custom)?])))
        })
    }
}

impl<C> minicbor::Encode<C> for Operations {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> std::result::Result<(), minicbor::encode::Error<W::Error>> {
        e.array(self.iter().fold(0, |n: u64, _| n.saturating_add(1)))?;
        self.iter().try_for_each(|operation| e.str(operation.name())?.ok())
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Operations {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> std::result::Result<Self, minicbor::decode::Error> {
        let mut set = Self::default();
        for name in d.array_iter::<&str>()? {
            // A name that a newer release wrote: what is not known is not allowed, and the others stand.
            if let Ok(operation) = Operation::parse(name?) {
                set = set.or(Self::of(&[operation]));
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for operation in Operation::NAMED {
            assert_eq!(Operation::parse(operation.name()).unwrap(), *operation);
        }
        assert_eq!(Operation::parse("journal.pots").unwrap_err().code(), "operation-unknown");
        assert!(Operation::parse("other").is_err());
        let set = Operations::of(&[Operation::JournalPost, Operation::StateGet]);
        assert!(set.has(Operation::JournalPost) && !set.has(Operation::JournalGet) && !set.has(Operation::Other));
        let bytes = minicbor::to_vec(set).unwrap();
        assert_eq!(minicbor::decode::<Operations>(&bytes).unwrap(), set);
        let newer = minicbor::to_vec(["journal.post", "crystal.gaze"]).unwrap();
        assert_eq!(minicbor::decode::<Operations>(&newer).unwrap(), Operations::of(&[Operation::JournalPost]));
    }
}
