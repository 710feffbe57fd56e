//! The running totals of posting accounts: what makes a balance one read instead of a scan of the journal.
//!
//! Both counters of each only ever grow, and the total of an account is the sum of its months, a month that of its days. But what is
//! posted while no history of the account is kept is in its total alone, which says then until which day ([`Gap`]).

use crate::ledger::types::is_zero;
use crate::ledger::{AccountRules, AccountType, Balance, BaseBalance, Line};
use crate::{BusinessDate, Currency, Error, Id, MAX_MINOR, Money, Result, Side};

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
    /// What posting has to know of the account and its book; none in records of accounts from before there was any: an open one of
    /// the book `main`, without rules.
    #[n(2)]
    pub rules: Option<Box<PostingRules>>,
    /// Whether there is an [`AccountMonth`] for every month with postings: not of accounts from before there was any.
    #[cbor(n(3), skip_if = "is_false")]
    pub months: bool,
    /// Which of its days and months lack something; none in records from before that was noted.
    #[n(4)]
    pub gap: Option<Gap>,
    /// None of its days and months is behind this day, so that those need not be looked for; none in records from before that was
    /// noted.
    #[n(5)]
    pub latest: Option<BusinessDate>,
}

/// Which days of an account lack something, because no history of it was kept at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
pub struct Gap {
    /// The latest day of the books on which something was posted, held or released meanwhile; none: nothing was. Whatever is of a later
    /// day is in the days.
    #[n(0)]
    pub until: Option<BusinessDate>,
}

/// What posting has to know of an account and its book, kept with the total, so that it need not look at them.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct PostingRules {
    /// The account's type, which says its normal side.
    #[n(0)]
    pub kind: AccountType,
    /// Its book; none: `main`.
    #[n(1)]
    pub book: Option<Id>,
    /// The base currency of the book, if it has one.
    #[n(2)]
    pub base: Option<Currency>,
    /// Whether it is closed.
    #[n(3)]
    pub closed: bool,
    /// Its rules.
    #[cbor(n(4), skip_if = "AccountRules::is_plain")]
    pub rules: AccountRules,
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
    /// Sum of the debits that open holds of the day keep.
    #[cbor(n(4), skip_if = "is_zero")]
    pub debits_held: u64,
    /// Sum of the credits that open holds of the day keep.
    #[cbor(n(5), skip_if = "is_zero")]
    pub credits_held: u64,
    /// Sum of the day's debits in the base currency of the book, of accounts kept in another one.
    #[cbor(n(6), skip_if = "is_zero")]
    pub base_debits: u64,
    /// Sum of the day's credits in the base currency of the book, of accounts kept in another one.
    #[cbor(n(7), skip_if = "is_zero")]
    pub base_credits: u64,
}

/// What was posted to an account in one month: the sum of its days, so that a balance as of any day is found with few reads. Its
/// date is the first day of the month.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct AccountMonth(#[n(0)] pub AccountDay);

impl AccountMonth {
    /// The month of a day, without postings.
    pub fn zero(account: Id, date: BusinessDate) -> Self {
        Self(AccountDay::zero(account, date.first_of_month()))
    }
}

impl AccountTotal {
    /// What was posted in the base currency of the book, if it has one.
    pub fn base(&self) -> Option<BaseBalance> {
        let currency = self.rules.as_ref()?.base?;
        let Balance { debits, credits, .. } = self.balance;
        match self.balance.base {
            _ if currency == self.balance.currency => Some(BaseBalance { currency, debits, credits }),
            Some(base) => Some(base),
            None => Some(BaseBalance { currency, debits: 0, credits: 0 }),
        }
    }

    /// The total of an account that was never posted to.
    pub fn zero(account: Id, currency: Currency, stock_control: bool) -> Self {
        Self {
            balance: Balance::zero(account, currency),
            stock_control,
            rules: None,
            months: true,
            gap: Some(Gap::default()),
            latest: Some(BusinessDate::MIN),
        }
    }

    /// Is what is posted kept by day at present?
    pub fn keeps_days(&self) -> bool {
        self.account_rules().is_none_or(|rules| rules.history)
    }

    /// Whether nothing is on record of a day, nor of any behind it: what is not known may be.
    pub fn ends_before(&self, date: BusinessDate) -> bool {
        self.latest.is_some_and(|latest| latest < date)
    }

    /// Notes that there may be a record of a day. What is not known of the time before stays so.
    pub(crate) fn note_latest(&mut self, date: BusinessDate) {
        self.latest = self.latest.map(|latest| latest.max(date));
    }

    /// Notes that something of a day was added, which is in none of the days if no history is kept at present. What is not known of
    /// the time before stays so.
    pub(crate) fn note_day(&mut self, date: BusinessDate) {
        if let Some(gap) = self.gap.as_mut().filter(|_| !self.rules.as_ref().is_none_or(|of| of.rules.history)) {
            gap.until = gap.until.max(Some(date));
        }
    }

    /// Adds one line, or says `overflow`.
    pub(crate) fn add(&mut self, how: Adding, line: &Line) -> Result<()> {
        let over = |what: &str, account: &Id| Error::overflow(format!("the sum of {what} of {account}"));
        let foreign = self.foreign_base(line);
        let Balance { account, debits, credits, debits_held, credits_held, base, .. } = &mut self.balance;
        let (posted, held, what) = match line.side {
            Side::Debit => (debits, debits_held, "debits"),
            Side::Credit => (credits, credits_held, "credits"),
        };
        match how {
            Adding::Posted => {
                *posted = bounded_sum(*posted, line.amount.minor).ok_or_else(|| over(what, account))?;
            }
            Adding::Held => *held = bounded_sum(*held, line.amount.minor).ok_or_else(|| over(what, account))?,
            Adding::Released => *held = held.saturating_sub(line.amount.minor),
        }
        if let (Adding::Posted, Some(amount)) = (how, foreign) {
            let zero = BaseBalance { currency: amount.currency, debits: 0, credits: 0 };
            let base = base.get_or_insert(zero);
            let sum = match line.side {
                Side::Debit => &mut base.debits,
                Side::Credit => &mut base.credits,
            };
            *sum = bounded_sum(*sum, amount.minor).ok_or_else(|| over("base amounts", account))?;
        }
        Ok(())
    }

    /// The amount in the base currency of the book, of a line of an account that is kept in another one.
    fn foreign_base(&self, line: &Line) -> Option<Money> {
        let currency = self.rules.as_ref()?.base?;
        (currency != self.balance.currency).then(|| line.base()).flatten()
    }

    /// The account's type, if it is known; not of accounts from before it was kept here.
    pub fn kind(&self) -> Option<AccountType> {
        self.rules.as_ref().map(|rules| rules.kind)
    }

    /// Its rules, if it has any.
    pub fn account_rules(&self) -> Option<&AccountRules> {
        self.rules.as_ref().map(|rules| &rules.rules)
    }
}

impl AccountDay {
    /// A day without postings.
    pub fn zero(account: Id, date: BusinessDate) -> Self {
        Self { account, date, debits: 0, credits: 0, debits_held: 0, credits_held: 0, base_debits: 0, base_credits: 0 }
    }

    /// Adds one line of the account with this total, or says `overflow`.
    pub(crate) fn add(&mut self, how: Adding, line: &Line, total: &AccountTotal) -> Result<()> {
        let over = |day: &Self| Error::overflow(format!("the turnover of {} on {}", day.account, day.date));
        let minor = line.amount.minor;
        let (posted, held, base) = match line.side {
            Side::Debit => (&mut self.debits, &mut self.debits_held, &mut self.base_debits),
            Side::Credit => (&mut self.credits, &mut self.credits_held, &mut self.base_credits),
        };
        let fits = match how {
            Adding::Posted => bounded_sum(*posted, minor).map(|sum| *posted = sum),
            Adding::Held => bounded_sum(*held, minor).map(|sum| *held = sum),
            Adding::Released => {
                *held = held.saturating_sub(minor);
                Some(())
            }
        };
        let fits = fits.and_then(|()| match total.foreign_base(line).filter(|_| how == Adding::Posted) {
            Some(amount) => bounded_sum(*base, amount.minor).map(|sum| *base = sum),
            None => Some(()),
        });
        fits.ok_or_else(|| over(self))
    }
}

/// How a line changes the totals of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adding {
    /// As posted.
    Posted,
    /// As kept by a hold.
    Held,
    /// As kept by a hold no more.
    Released,
}

impl Balance {
    /// This balance without what was posted on `day`: how a balance of the past is found from the total. `None` if more was
    /// posted that day than in all, which only damaged records say.
    pub fn before(self, day: &AccountDay) -> Option<Self> {
        let base = match self.base {
            None => None,
            Some(base) => Some(BaseBalance {
                debits: base.debits.checked_sub(day.base_debits)?,
                credits: base.credits.checked_sub(day.base_credits)?,
                ..base
            }),
        };
        Some(Self {
            debits: self.debits.checked_sub(day.debits)?,
            credits: self.credits.checked_sub(day.credits)?,
            debits_held: self.debits_held.checked_sub(day.debits_held)?,
            credits_held: self.credits_held.checked_sub(day.credits_held)?,
            base,
            ..self
        })
    }
}

impl Balance {
    /// This balance without a line that was posted. `None` if the line is of more than was posted in all.
    pub fn without(mut self, line: &Line) -> Option<Self> {
        let base = line.base().map_or(0, |base| base.minor);
        let (sum, base_sum) = match line.side {
            Side::Debit => (&mut self.debits, self.base.as_mut().map(|base| &mut base.debits)),
            Side::Credit => (&mut self.credits, self.base.as_mut().map(|base| &mut base.credits)),
        };
        *sum = sum.checked_sub(line.amount.minor)?;
        if let Some(base_sum) = base_sum {
            *base_sum = base_sum.checked_sub(base)?;
        }
        Some(self)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the encoder asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn bounded_sum(a: u64, b: u64) -> Option<u64> {
    a.checked_add(b).filter(|sum| *sum <= MAX_MINOR)
}
