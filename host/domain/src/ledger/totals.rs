//! The running totals of posting accounts: what makes a balance one read instead of a scan of the journal.
//!
//! Both counters of each only ever grow, and the total of an account is the sum of its days.

use crate::ledger::Balance;
use crate::{BusinessDate, Currency, Error, Id, MAX_MINOR, Result, Side};

/// What was ever posted to a posting account. There is one from the account's creation on, so that posting need not look
/// at the account itself; header accounts have none.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct AccountTotal {
    /// Account, currency and the two sums.
    #[n(0)]
    pub balance: Balance,
    /// Whether it is a stock control account, which changes only together with stock moves.
    #[n(1)]
    pub stock_control: bool,
}

/// What was posted to an account on one day of the books.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct AccountDay {
    /// The account.
    #[n(0)]
    pub account: Id,
    /// The day.
    #[n(1)]
    pub date: BusinessDate,
    /// Sum of the day's debits in minor units, at most 2^53 - 1.
    #[n(2)]
    pub debits: u64,
    /// Sum of the day's credits in minor units, at most 2^53 - 1.
    #[n(3)]
    pub credits: u64,
}

impl AccountTotal {
    /// The total of an account that was never posted to.
    pub fn zero(account: Id, currency: Currency, stock_control: bool) -> Self {
        Self { balance: Balance { account, currency, debits: 0, credits: 0 }, stock_control }
    }

    /// Adds one line, or says `overflow`.
    pub(crate) fn add(&mut self, side: Side, minor: u64) -> Result<()> {
        let Balance { account, debits, credits, .. } = &mut self.balance;
        let (sum, what) = match side {
            Side::Debit => (debits, "debits"),
            Side::Credit => (credits, "credits"),
        };
        *sum = bounded_sum(*sum, minor).ok_or_else(|| Error::overflow(format!("the sum of {what} of {account}")))?;
        Ok(())
    }
}

impl AccountDay {
    /// A day without postings.
    pub fn zero(account: Id, date: BusinessDate) -> Self {
        Self { account, date, debits: 0, credits: 0 }
    }

    /// Adds one line, or says `overflow`.
    pub(crate) fn add(&mut self, side: Side, minor: u64) -> Result<()> {
        let sum = match side {
            Side::Debit => &mut self.debits,
            Side::Credit => &mut self.credits,
        };
        *sum = bounded_sum(*sum, minor)
            .ok_or_else(|| Error::overflow(format!("the turnover of {} on {}", self.account, self.date)))?;
        Ok(())
    }
}

impl Balance {
    /// This balance without what was posted on `day`: how a balance of the past is found from the total. `None` if more was
    /// posted that day than in all, which only damaged records say.
    pub fn before(self, day: &AccountDay) -> Option<Self> {
        let debits = self.debits.checked_sub(day.debits)?;
        let credits = self.credits.checked_sub(day.credits)?;
        Some(Self { debits, credits, ..self })
    }
}

fn bounded_sum(a: u64, b: u64) -> Option<u64> {
    a.checked_add(b).filter(|sum| *sum <= MAX_MINOR)
}
