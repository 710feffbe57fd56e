//! Opening the books: one entry out of all opening balances, and a move for each row of stock under it.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::inventory::{Item, Location, Lot, Move, NewMove, Usage};
use backroom_domain::ledger::{Account, Line, NewEntry};
use backroom_domain::{BusinessDate, Currency, Id, Side, minor_text};

use super::files::File;
use super::read::{At, ImportSet, OpeningRow, StockRow};
use super::stage::{Place, Result, Stage};
use crate::error::Failure;
use crate::{inventory, ledger};

/// What the ledger and what the stock say of a stock control account, in minor units.
#[derive(Default)]
struct Control {
    ledger: i128,
    stock: i128,
    /// Where each says so first.
    ledger_line: Option<u64>,
    stock_line: Option<u64>,
}

impl Stage<'_> {
    /// All rows become one entry. What is wrong with its accounts is looked for here, row by row, because the posting itself reports
    /// only the first such line.
    pub(super) fn opening(&mut self) -> Result<()> {
        let file = File::OpeningBalances;
        let mut good = !self.problems.has(file);
        for at in &self.set.opening {
            let place = Place { file, line: at.line };
            let account =
                self.refer::<Account>(place, "account", "account-not-found", File::Accounts, &at.row.account)?;
            good &= account.is_some_and(|account| self.may_open(&account, at));
        }
        let Some((id, date)) = opening_entry(self.set) else { return Ok(()) };
        if !good {
            return Ok(());
        }
        let line = |row: &OpeningRow| Line {
            account: row.account.clone(),
            side: row.side,
            amount: row.amount,
            dimensions: Vec::new(),
            memo: None,
            details: None,
        };
        let lines = self.set.opening.iter().map(|at| line(&at.row)).collect();
        let entry = NewEntry { id, date, description: "Opening balances".to_owned(), lines, details: None };
        match ledger::post(self.work, entry) {
            Ok(posted) => self.count(file, posted.replayed, self.set.opening.len() as u64),
            Err(failure) => {
                for problem in self.business(failure, file)?.problems {
                    let (at, column) = self.line_of(problem.field.as_deref().unwrap_or_default());
                    let message = problem.message;
                    match at {
                        Some(line) => self.problems.row(file, line, column, &problem.code, message),
                        None => self.problems.file(file.name(), &problem.code, message),
                    }
                }
            }
        }
        Ok(())
    }

    /// Can an opening balance be posted to this account?
    fn may_open(&mut self, account: &Account, at: &At<OpeningRow>) -> bool {
        let (file, line, new) = (File::OpeningBalances, at.line, &account.new);
        if !new.posting {
            let message = format!("{} is a header account; it carries no balance of its own", new.code);
            self.problems.row(file, line, Some("account"), "account-is-header", message);
        }
        if new.currency != at.row.amount.currency {
            let message = format!("account {} is kept in {}", new.code, new.currency);
            self.problems.row(file, line, Some("currency"), "currency-mismatch", message);
        }
        new.posting && new.currency == at.row.amount.currency
    }

    /// The row and the column that `lines[3].amount` is about.
    fn line_of(&self, field: &str) -> (Option<u64>, Option<&'static str>) {
        let index = field.strip_prefix("lines[").and_then(|rest| rest.split_once(']'));
        let Some((number, rest)) = index else { return (None, None) };
        let at = number.parse::<usize>().ok().and_then(|n| self.set.opening.get(n));
        let column = match (rest, at.map(|at| at.row.side)) {
            (".account", _) => Some("account"),
            (".amount", Some(Side::Debit)) => Some("debit"),
            (".amount", Some(Side::Credit)) => Some("credit"),
            _ => None,
        };
        (at.map(|at| at.line), column)
    }

    pub(super) fn stock(&mut self) -> Result<()> {
        let file = File::Stock;
        let entry = opening_entry(self.set);
        if entry.is_none() && !self.set.stock.is_empty() && !self.problems.has(File::OpeningBalances) {
            let message = "stock is opened by the entry of opening-balances.csv; send both files together";
            self.problems.file(file.name(), "opening-missing", message);
        }
        for at in &self.set.stock {
            let referred = self.stock_references(at)?;
            let Some((id, date)) = entry.clone().filter(|_| referred) else { continue };
            let (number, row) = (at.number, at.row.clone());
            let place = Place { file, line: at.line };
            let Ok(move_id) = Id::parse(&format!("opening-stock:{number}"), "id") else { continue };
            let new = NewMove {
                id: move_id.clone(),
                date,
                item: row.item,
                quantity: row.quantity,
                from: row.source,
                to: row.location,
                lot: row.lot,
                cost: Some(row.value),
                worker: None,
                reason: "Opening stock".to_owned(),
                entry: Some(id),
            };
            let known = self.known::<Move>(&move_id)?;
            let result = inventory::post_move(self.work, new);
            self.settle(place, &at.row.item, known, result)?;
        }
        Ok(())
    }

    /// Is everything there that a row of stock names? All that is missing is reported.
    fn stock_references(&mut self, at: &At<StockRow>) -> Result<bool> {
        let (place, row) = (Place { file: File::Stock, line: at.line }, &at.row);
        let item = self.refer::<Item>(place, "item", "item-not-found", File::Items, &row.item)?;
        let location =
            self.refer::<Location>(place, "location", "location-not-found", File::Locations, &row.location)?;
        let source = self.refer::<Location>(place, "source", "location-not-found", File::Locations, &row.source)?;
        let lot = match &row.lot {
            Some(lot) => self.refer::<Lot>(place, "lot", "lot-not-found", File::Lots, lot)?.is_some(),
            None => true,
        };
        let mut good = item.is_some() && lot;
        let usages = [
            (location, "location", "location-not-valued", "stock is kept in internal and transit locations"),
            (source, "source", "source-not-adjustment", "opening stock comes from an adjustment location"),
        ];
        for (location, column, code, rule) in usages {
            let Some(location) = location else {
                good = false;
                continue;
            };
            let usage = location.new.usage;
            let fits = if column == "location" { usage.valued() } else { usage == Usage::Adjustment };
            if !fits {
                self.problems.row(
                    File::Stock,
                    at.line,
                    Some(column),
                    code,
                    format!("{} is none: {rule}", location.new.id),
                );
                good = false;
            }
        }
        Ok(good)
    }

    /// The stock under each stock control account must be worth its opening balance. Accounts for which a row could not be
    /// read are left out, and so is everything if a row of stock could be under any account.
    pub(super) fn stock_control(&mut self) -> Result<()> {
        let doubt = &self.set.doubt;
        if self.set.opening.is_empty() || doubt.has_file(File::OpeningBalances) || doubt.has_file(File::Stock) {
            return Ok(());
        }
        let named: BTreeMap<&Id, &Id> = self.set.items.iter().map(|at| (&at.row.id, &at.row.stock_account)).collect();
        let mut controls: BTreeMap<Id, Control> = BTreeMap::new();
        for at in &self.set.opening {
            let control = controls.entry(at.row.account.clone()).or_default();
            let minor = i128::from(at.row.amount.minor);
            let signed = if at.row.side == Side::Debit { minor } else { minor.saturating_neg() };
            control.ledger = control.ledger.saturating_add(signed);
            control.ledger_line.get_or_insert(at.line);
        }
        for at in &self.set.stock {
            let Some(account) = self.stock_account(&at.row.item, &named)? else { return Ok(()) };
            let control = controls.entry(account).or_default();
            control.stock = control.stock.saturating_add(at.row.value.minor.into());
            control.stock_line.get_or_insert(at.line);
        }
        let mut doubted: BTreeSet<Id> = doubt.ids(File::OpeningBalances).cloned().collect();
        for item in doubt.ids(File::Stock) {
            doubted.extend(self.stock_account(item, &named)?);
        }
        for (code, control) in controls.into_iter().filter(|(code, c)| c.ledger != c.stock && !doubted.contains(code)) {
            self.mismatch(&code, &control)?;
        }
        Ok(())
    }

    fn mismatch(&mut self, code: &Id, control: &Control) -> Result<()> {
        let account = self.work.tx().get::<Account>(code).map_err(Failure::from)?;
        // An account that could not be staged has problems of its own.
        let Some(account) = account.filter(|account| account.new.stock_control) else { return Ok(()) };
        let currency = account.new.currency;
        let message = format!(
            "stock control account {code} opens with {}, but the stock under it is worth {}",
            signed_text(control.ledger, currency),
            signed_text(control.stock, currency)
        );
        let (file, line, column) = match (control.ledger_line, control.stock_line) {
            (Some(line), _) => (File::OpeningBalances, line, "account"),
            (None, line) => (File::Stock, line.unwrap_or(1), "value"),
        };
        self.problems.row(file, line, Some(column), "stock-ledger-mismatch", message);
        Ok(())
    }

    /// The stock control account under which an item stands: on record, staged, or `named` in a row that could not be staged.
    fn stock_account(&self, item: &Id, named: &BTreeMap<&Id, &Id>) -> Result<Option<Id>> {
        if let Some(item) = self.work.tx().get::<Item>(item).map_err(Failure::from)? {
            return Ok(Some(item.new.stock_account));
        }
        let Some(code) = named.get(item) else { return Ok(None) };
        let account = self.work.tx().get::<Account>(code).map_err(Failure::from)?;
        Ok(account.filter(|account| account.new.stock_control).map(|account| account.new.code))
    }
}

/// The id and the date of the entry that opens the books, if there are opening balances.
fn opening_entry(set: &ImportSet) -> Option<(Id, BusinessDate)> {
    let date = set.opening.first()?.row.date;
    Id::parse(&format!("opening:{date}"), "id").ok().map(|id| (id, date))
}

/// A difference of debits and credits, the credits negative.
fn signed_text(minor: i128, currency: Currency) -> String {
    format!("{}{} {currency}", if minor < 0 { "-" } else { "" }, minor_text(minor.unsigned_abs(), currency))
}
