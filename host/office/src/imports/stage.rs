//! Stages row after row with the use cases. A row with a problem does not stop the others; what builds on such a row is left out,
//! since its problem would only be an echo.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::inventory::{Item, Location, Lot};
use backroom_domain::ledger::{Account, NewAccount};
use backroom_domain::{Class, Error, Id};
use backroom_store::records::{StoredEmployment, StoredWorker};
use backroom_store::{Record, StoreError};

use super::apply::ImportFailure;
use super::files::File;
use super::problems::Problems;
use super::read::{At, Doubt, ImportSet};
use crate::error::Failure;
use crate::work::Work;
use crate::{hr, inventory, ledger};

pub(super) type Result<T> = std::result::Result<T, ImportFailure>;

/// Rows created and rows replayed.
type Counts = BTreeMap<File, (u64, u64)>;

/// An import under way.
pub(super) struct Stage<'a> {
    pub(super) work: &'a mut Work,
    pub(super) set: &'a ImportSet,
    pub(super) problems: Problems,
    doubt: Doubt,
    counts: Counts,
}

/// Where something stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) file: File,
    pub(super) line: u64,
}

impl<'a> Stage<'a> {
    pub(super) fn new(work: &'a mut Work, set: &'a ImportSet) -> Self {
        let (problems, doubt) = (set.problems.clone(), set.doubt.clone());
        Self { work, set, problems, doubt, counts: Counts::new() }
    }

    pub(super) fn finish(self) -> (Counts, Problems) {
        (self.counts, self.problems)
    }

    /// Parents before children. Accounts that are their own ancestors, and those below them, have no place in a chart.
    pub(super) fn accounts(&mut self) -> Result<()> {
        let (order, rest) = parents_first(&self.set.accounts);
        for at in order {
            let place = Place { file: File::Accounts, line: at.line };
            let code = &at.row.code;
            let parent = match &at.row.parent {
                Some(parent) => {
                    self.refer::<Account>(place, "parent", "parent-not-found", File::Accounts, parent)?.is_some()
                }
                None => true,
            };
            if !parent {
                self.doubt.add(File::Accounts, Some(code));
                continue;
            }
            let known = self.known::<Account>(code)?;
            let result = ledger::create_account(self.work, at.row.clone());
            self.settle(place, code, known, result)?;
        }
        for at in rest {
            let message = format!("{} is below itself, or below an account that is", at.row.code);
            self.problems.row(File::Accounts, at.line, Some("parent"), "parent-cycle", message);
            self.doubt.add(File::Accounts, Some(&at.row.code));
        }
        Ok(())
    }

    pub(super) fn workers(&mut self) -> Result<()> {
        for at in &self.set.workers {
            let known = self.known::<StoredWorker>(&at.row.id)?;
            let result = hr::add_worker(self.work, at.row.clone());
            self.settle(Place { file: File::Workers, line: at.line }, &at.row.id, known, result)?;
        }
        Ok(())
    }

    pub(super) fn employments(&mut self) -> Result<()> {
        for at in &self.set.employments {
            let place = Place { file: File::Employments, line: at.line };
            if self.refer::<StoredWorker>(place, "worker", "worker-not-found", File::Workers, &at.row.worker)?.is_none()
            {
                continue;
            }
            let known = self.known::<StoredEmployment>(&(at.row.worker.clone(), at.row.from))?;
            let result = hr::add_employment(self.work, at.row.clone());
            self.settle(place, &at.row.worker, known, result)?;
        }
        Ok(())
    }

    pub(super) fn items(&mut self) -> Result<()> {
        for at in &self.set.items {
            let place = Place { file: File::Items, line: at.line };
            let account = &at.row.stock_account;
            if self.refer::<Account>(place, "stock-account", "account-not-found", File::Accounts, account)?.is_none() {
                self.doubt.add(File::Items, Some(&at.row.id));
                continue;
            }
            let known = self.known::<Item>(&at.row.id)?;
            let result = inventory::create_item(self.work, at.row.clone());
            self.settle(place, &at.row.id, known, result)?;
        }
        Ok(())
    }

    pub(super) fn locations(&mut self) -> Result<()> {
        for at in &self.set.locations {
            let known = self.known::<Location>(&at.row.id)?;
            let result = inventory::create_location(self.work, at.row.clone());
            self.settle(Place { file: File::Locations, line: at.line }, &at.row.id, known, result)?;
        }
        Ok(())
    }

    pub(super) fn lots(&mut self) -> Result<()> {
        for at in &self.set.lots {
            let place = Place { file: File::Lots, line: at.line };
            if self.refer::<Item>(place, "item", "item-not-found", File::Items, &at.row.item)?.is_none() {
                self.doubt.add(File::Lots, Some(&at.row.id));
                continue;
            }
            let known = self.known::<Lot>(&at.row.id)?;
            let result = inventory::create_lot(self.work, at.row.clone());
            self.settle(place, &at.row.id, known, result)?;
        }
        Ok(())
    }

    /// Is there a record with this key, on file or staged?
    pub(super) fn known<R: Record>(&self, key: &R::Key) -> Result<bool> {
        Ok(self.work.tx().get::<R>(key).map_err(Failure::from)?.is_some())
    }

    /// The record that a cell names, on file or staged. If there is none, that is reported with `code`, unless the file that
    /// should have it has a row for it which is wrong itself.
    pub(super) fn refer<R: Record<Key = Id>>(
        &mut self,
        place: Place,
        column: &str,
        code: &str,
        from: File,
        id: &Id,
    ) -> Result<Option<R>> {
        let found = self.work.tx().get::<R>(id).map_err(Failure::from)?;
        if found.is_none() && !self.doubt.has(from, id) {
            let message = format!("{id} is neither in {} nor on record", from.name());
            self.problems.row(place.file, place.line, Some(column), code, message);
        }
        Ok(found)
    }

    /// Counts a row that was staged, or reports why it was not. `known`: it was there before.
    pub(super) fn settle<T>(&mut self, place: Place, id: &Id, known: bool, result: crate::Result<T>) -> Result<()> {
        let Err(failure) = result else {
            self.count(place.file, known, 1);
            return Ok(());
        };
        for problem in self.business(failure, place.file)?.problems {
            let column = problem.field.as_deref().and_then(|field| place.file.column_of(field));
            self.problems.row(place.file, place.line, column, &problem.code, problem.message);
        }
        self.doubt.add(place.file, Some(id));
        Ok(())
    }

    pub(super) fn count(&mut self, file: File, replayed: bool, rows: u64) {
        let (created, known) = self.counts.entry(file).or_default();
        let sum = if replayed { known } else { created };
        *sum = sum.saturating_add(rows);
    }

    /// The business "no" about a row. What is no fault of the files ends the import.
    pub(super) fn business(&mut self, failure: Failure, file: File) -> Result<Error> {
        match failure {
            Failure::Business(error) if !matches!(error.class, Class::Denied | Class::Unavailable) => Ok(error),
            Failure::Store(StoreError::TooLarge { what, limit, .. }) => {
                let message = format!("one import stages at most {limit} of {what}; import people and stock apart");
                self.problems.file(file.name(), "import-too-large", message);
                Err(ImportFailure::Rows(std::mem::take(&mut self.problems).into_rows()))
            }
            failure => Err(failure.into()),
        }
    }
}

/// The accounts in an order in which each comes behind its parent, and those of which that cannot be said.
fn parents_first(accounts: &[At<NewAccount>]) -> (Vec<&At<NewAccount>>, Vec<&At<NewAccount>>) {
    let codes: BTreeSet<&Id> = accounts.iter().map(|at| &at.row.code).collect();
    let mut below: BTreeMap<&Id, Vec<&At<NewAccount>>> = BTreeMap::new();
    let mut order = Vec::with_capacity(accounts.len());
    for at in accounts {
        match at.row.parent.as_ref().filter(|parent| codes.contains(parent)) {
            Some(parent) => below.entry(parent).or_default().push(at),
            None => order.push(at),
        }
    }
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        order.extend(below.remove(&at.row.code).unwrap_or_default());
        next += 1;
    }
    (order, below.into_values().flatten().collect())
}
