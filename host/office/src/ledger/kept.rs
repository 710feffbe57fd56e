//! What a batch keeps decoded until it is over: totals that many of its entries change, and the numbers that it gives out.
//!
//! An account of a batch is changed by some entries, and its total, its day and its month would be read, decoded, encoded and
//! staged for each. Here they are staged once. Only [`making`](super::making) reads and writes them meanwhile; whatever else looks
//! at them calls [`Work::stage_kept`] before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backroom_domain::ledger::{AccountDay, AccountMonth, AccountTotal, BookControl, Turnover};
use backroom_domain::{BusinessDate, Id};

/// Totals and numbers of a batch.
#[derive(Default)]
pub(crate) struct Kept {
    accounts: BTreeMap<Id, KeptAccount>,
    /// Series of which numbers were given out.
    pub(crate) series: BTreeSet<&'static str>,
    /// Of the book that was posted to last.
    control: Option<Arc<BookControl>>,
}

struct KeptAccount {
    total: AccountTotal,
    days: BTreeMap<BusinessDate, AccountDay>,
    months: BTreeMap<BusinessDate, AccountMonth>,
}

impl Kept {
    /// The total of an account, if an entry has changed it.
    pub(crate) fn total(&self, account: &Id) -> Option<&AccountTotal> {
        self.accounts.get(account).map(|kept| &kept.total)
    }

    /// What was posted to it on a day, if an entry of that day has changed it.
    pub(crate) fn day(&self, account: &Id, date: BusinessDate) -> Option<&AccountDay> {
        self.accounts.get(account)?.days.get(&date)
    }

    /// What was posted to it in the month of a day, likewise.
    pub(crate) fn month(&self, account: &Id, date: BusinessDate) -> Option<&AccountMonth> {
        self.accounts.get(account)?.months.get(&date.first_of_month())
    }

    /// Keeps what an entry changed; the day and the month of accounts with a history alone.
    pub(crate) fn keep(&mut self, turnover: Turnover) {
        let Turnover { total, day, month } = turnover;
        let (history, months) = (total.keeps_days(), total.months);
        let kept = match self.accounts.get_mut(&total.balance.account) {
            Some(kept) => {
                kept.total = total;
                kept
            }
            None => {
                let (days, months) = Default::default();
                self.accounts.entry(total.balance.account.clone()).or_insert(KeptAccount { total, days, months })
            }
        };
        if history {
            kept.days.insert(day.date, day);
            if months {
                kept.months.insert(month.0.date, month);
            }
        }
    }

    /// What holds for a book, if it was posted to last.
    pub(crate) fn control(&self, book: &Id) -> Option<Arc<BookControl>> {
        self.control.as_ref().filter(|control| control.book == *book).cloned()
    }

    /// Keeps what holds for a book.
    pub(crate) fn keep_control(&mut self, control: &Arc<BookControl>) {
        self.control = Some(Arc::clone(control));
    }

    /// Everything that is to be staged.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&AccountTotal, Vec<&AccountDay>, Vec<&AccountMonth>)> {
        self.accounts.values().map(|kept| (&kept.total, kept.days.values().collect(), kept.months.values().collect()))
    }
}
