//! A journal of hledger: its accounts, then its entries.

use backroom_domain::Id;
use backroom_domain::ledger::Account;
use backroom_domain::ledger::journal::{At, Plan};
use backroom_store::records::StoredEntry;

use super::files::File;
use super::stage::{Place, Result, Stage};
use crate::ledger;

impl Stage<'_> {
    /// Accounts come with headers first. An entry on an account that could not be staged would only repeat its problem.
    pub(super) fn journal(&mut self) -> Result<()> {
        let Plan { accounts, entries, .. } = &self.set.journal;
        let mut missing = std::collections::BTreeSet::<&Id>::new();
        for planned in accounts {
            let new = &planned.new;
            if new.parent.as_ref().is_some_and(|parent| missing.contains(parent)) {
                missing.insert(&new.code);
                continue;
            }
            let known = self.known::<Account>(&new.code)?;
            let result = ledger::create_account(self.work, new.clone());
            if result.is_err() {
                missing.insert(&new.code);
            }
            self.settle_at(planned.at, &new.code, known, result)?;
        }
        for planned in entries {
            let new = &planned.new;
            if new.lines.iter().any(|line| missing.contains(&line.account)) {
                continue;
            }
            let known = self.known::<StoredEntry>(&new.id)?;
            let result = ledger::post(self.work, new.clone());
            self.settle_at(planned.at, &new.id, known, result)?;
        }
        Ok(())
    }

    /// As [`Stage::settle`], with the column of the text.
    fn settle_at<T>(&mut self, at: At, id: &Id, known: bool, result: crate::Result<T>) -> Result<()> {
        let Err(failure) = result else {
            return self.settle(Place { file: File::Journal, line: at.line }, id, known, result);
        };
        let column = at.column.to_string();
        for problem in self.business(failure, File::Journal)?.problems {
            let message = format!("{id}: {}", problem.message);
            self.problems.row(File::Journal, at.line, Some(&column), &problem.code, message);
        }
        Ok(())
    }
}
