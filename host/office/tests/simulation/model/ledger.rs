//! Accounts and a list of entries.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use backroom_domain::ledger::{Line, NewAccount, NewEntry};
use backroom_domain::{BusinessDate, MAX_MINOR, Side};

use super::{Answer, Doer};
use crate::script::{ACCOUNTS, Call, day};

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) accounts: BTreeMap<String, Rc<NewAccount>>,
    pub(crate) entries: Vec<Rc<Posted>>,
    places: BTreeMap<String, usize>,
    /// Ids that were refused for good.
    failed: BTreeSet<String>,
    /// Debits and credits of all days.
    pub(crate) sums: BTreeMap<String, (i128, i128)>,
}

/// An entry on record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) new: NewEntry,
    pub(crate) run: Option<String>,
    pub(crate) at: u64,
}

/// Debits count up, credits down.
pub(super) fn signed(line: &Line) -> i128 {
    let minor = i128::from(line.amount.minor);
    if line.side == Side::Debit { minor } else { -minor }
}

impl Ledger {
    pub(crate) fn find(&self, id: &str) -> Option<&Rc<Posted>> {
        self.places.get(id).map(|place| &self.entries[*place])
    }

    pub(super) fn last(&self) -> Rc<Posted> {
        Rc::clone(&self.entries[self.entries.len() - 1])
    }

    pub(super) fn controls_stock(&self, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|account| account.stock_control)
    }

    /// `true` if it is new.
    pub(super) fn add_account(&mut self, new: NewAccount) -> Answer<bool> {
        if let Some(old) = self.accounts.get(new.code.as_str()) {
            return if **old == new { Ok(false) } else { Err("exists-with-different") };
        }
        if let Some(parent) = &new.parent {
            let parent = self.accounts.get(parent.as_str()).ok_or("parent-not-found")?;
            if parent.posting {
                return Err("parent-is-posting");
            }
            if parent.kind != new.kind {
                return Err("type-differs-from-parent");
            }
        }
        self.accounts.insert(new.code.to_string(), Rc::new(new));
        Ok(true)
    }

    /// Its number, and whether it was there.
    pub(super) fn post(&mut self, doer: &Doer, new: NewEntry) -> Answer<(u64, bool)> {
        let debits = |of: &str| -> i128 {
            let lines = new.lines.iter().filter(|line| line.amount.currency.as_str() == of);
            lines.map(signed).filter(|minor| *minor > 0).sum()
        };
        if doer.clerk {
            let mine = |line: &Line| line.account.as_str().starts_with('1') || line.account.as_str() == "2000";
            if !new.lines.iter().all(mine) {
                return Err("ledger-post-denied");
            }
            if debits("USD") > 200 || new.lines.iter().any(|line| line.amount.currency.as_str() == "EUR") {
                return Err("ledger-amount-denied");
            }
        }
        if new.lines.len() < 2 {
            return Err("too-few-lines");
        }
        if new.lines.iter().any(|line| line.amount.minor == 0) {
            return Err("amount-zero");
        }
        if let Some(place) = self.places.get(new.id.as_str()) {
            let same = self.entries[*place].new == new;
            return if same { Ok((*place as u64 + 1, true)) } else { Err("exists-with-different") };
        }
        if self.failed.contains(new.id.as_str()) {
            return Err("id-already-failed");
        }
        let id = new.id.to_string();
        let posted = self.post_new(doer, new);
        if posted.is_err_and(|code| code != "unbalanced") {
            self.failed.insert(id);
        }
        posted
    }

    fn post_new(&mut self, doer: &Doer, new: NewEntry) -> Answer<(u64, bool)> {
        self.check_accounts(&new)?;
        let mut sums = self.sums.clone();
        for line in &new.lines {
            let sum = sums.entry(line.account.to_string()).or_default();
            let side = if line.side == Side::Debit { &mut sum.0 } else { &mut sum.1 };
            *side += i128::from(line.amount.minor);
            if *side > i128::from(MAX_MINOR) {
                return Err("overflow");
            }
        }
        self.sums = sums;
        self.places.insert(new.id.to_string(), self.entries.len());
        let run = Some(doer.run.clone()).filter(|run| !run.is_empty());
        self.entries.push(Rc::new(Posted { new, run, at: doer.at }));
        Ok((self.entries.len() as u64, false))
    }

    fn check_accounts(&self, new: &NewEntry) -> Answer<()> {
        let account = |line: &Line| self.accounts.get(line.account.as_str());
        if new.lines.iter().any(|line| account(line).is_none()) {
            return Err("account-not-found");
        }
        for of in ["EUR", "USD"] {
            let lines = new.lines.iter().filter(|line| line.amount.currency.as_str() == of);
            if lines.map(signed).sum::<i128>() != 0 {
                return Err("unbalanced");
            }
        }
        if new.lines.iter().any(|line| account(line).is_some_and(|account| !account.posting)) {
            return Err("account-is-header");
        }
        if new.lines.iter().any(|line| account(line).is_some_and(|account| account.currency != line.amount.currency)) {
            return Err("currency-mismatch");
        }
        Ok(())
    }

    /// Debits and credits of an account up to a day, summed up from the entries.
    pub(crate) fn balance(&self, account: &str, as_of: Option<BusinessDate>) -> (i128, i128) {
        let entries = self.entries.iter().filter(|entry| as_of.is_none_or(|as_of| entry.new.date <= as_of));
        let lines = entries.flat_map(|entry| &entry.new.lines).filter(|line| line.account.as_str() == account);
        lines.map(signed).fold((0, 0), |sum, minor| (sum.0 + minor.max(0), sum.1 - minor.min(0)))
    }

    pub(super) fn ask(&self, call: &Call) -> Answer<Vec<i128>> {
        match call {
            Call::AskBalance { account, as_of } => {
                let code = ACCOUNTS[usize::from(*account)].0;
                let account = self.accounts.get(code).ok_or("not-found")?;
                if !account.posting {
                    return Err("account-is-header");
                }
                let (debits, credits) = self.balance(code, as_of.map(day));
                Ok(vec![debits, credits])
            }
            Call::AskTrial { as_of } => {
                let mut totals = BTreeMap::<&str, i128>::new();
                for account in self.accounts.values().filter(|account| account.posting) {
                    *totals.entry(account.currency.as_str()).or_default() += 0;
                }
                for entry in self.entries.iter().filter(|entry| entry.new.date <= day(*as_of)) {
                    for line in entry.new.lines.iter().filter(|line| line.side == Side::Debit) {
                        *totals.entry(line.amount.currency.as_str()).or_default() += signed(line);
                    }
                }
                Ok(totals.into_values().collect())
            }
            _ => Ok(Vec::new()),
        }
    }
}
