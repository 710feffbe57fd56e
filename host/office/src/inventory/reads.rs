//! What is where, and what it is worth.

use std::collections::BTreeMap;

use backroom_domain::inventory::{Item, Location, OnHand, Valuation};
use backroom_domain::ledger::AccountTotal;
use backroom_domain::rights::Operation;
use backroom_domain::{Currency, Error, Id};
use backroom_store::{Record, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// A debit balance; below zero if it is a credit balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DebitBalance {
    /// Minor units.
    pub minor: i128,
    /// Their currency.
    pub currency: Currency,
}

/// A stock control account: what the ledger and what the stock say that is kept under it. The same, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StockControlRow {
    /// The account.
    pub account: Id,
    /// Its debits less its credits.
    pub ledger: DebitBalance,
    /// The value of all items that are kept under it.
    pub stock: DebitBalance,
}

/// What is on hand of an item in valued locations, or in one of them, in order of location and lot.
///
/// # Errors
/// In order: `inventory-read-denied`; `limit-invalid`, `cursor-invalid`; `not-found`.
pub fn list_on_hand(work: &Work, item: &Id, location: Option<&Id>, page: &PageRequest) -> Result<Page<OnHand>> {
    let rights = work.rights();
    match location {
        Some(location) => rights.check_read_on_hand(Operation::ListOnHand, item, location)?,
        None => rights.check_read_item(Operation::ListOnHand, item)?,
    }
    page.check()?;
    work.tx().get::<Item>(item)?.ok_or_else(|| Error::not_found("item", item))?;
    if let Some(location) = location {
        let found = work.tx().get::<Location>(location)?.ok_or_else(|| Error::not_found("location", location))?;
        let valued = found.new.usage.valued();
        return list(work, &(item, location), None, page, |row: OnHand| {
            Ok(if valued { take_if(row.units() > 0, row) } else { Step::End })
        });
    }
    // Rows of one location stand together, so its usage is looked up once.
    let mut last: Option<Location> = None;
    list(work, item, None, page, |row: OnHand| {
        if row.units() == 0 || !work.rights().read_on_hand(Operation::ListOnHand, item, &row.location) {
            return Ok(Step::Skip);
        }
        let location = match last.take() {
            Some(location) if location.new.id == row.location => location,
            _ => work.tx().get::<Location>(&row.location)?.ok_or_else(|| damaged("location", &row.location))?,
        };
        let valued = location.new.usage.valued();
        last = Some(location);
        Ok(take_if(valued, row))
    })
}

/// Quantity and value of an item.
///
/// # Errors
/// In order: `inventory-read-denied`; `not-found`.
pub fn valuation(work: &Work, item: &Id) -> Result<Valuation> {
    work.rights().check_read_value(Operation::GetValuation, item)?;
    // Every item has one from its creation on.
    Ok(work.tx().get::<Valuation>(item)?.ok_or_else(|| Error::not_found("item", item))?)
}

/// Quantity and value of every item, in order of their numbers, those left out that the caller may not read.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_valuations(work: &Work, page: &PageRequest) -> Result<Page<Valuation>> {
    list(work, &(), None, page, |row: Valuation| {
        Ok(take_if(work.rights().read_value(Operation::Other, &row.item), row))
    })
}

/// Every stock control account that the caller may read, in order of their codes, with what the ledger and what the stock say.
/// The stock side counts items that may not be read as well: it is the balance of the account, only found the other way.
///
/// Reads every account and every item: a report, not for plugins.
pub fn stock_control(work: &Work) -> Result<Vec<StockControlRow>> {
    let mut rows = BTreeMap::new();
    for_each(work, |total: AccountTotal| {
        let balance = &total.balance;
        let code = &balance.account;
        if total.stock_control && work.rights().read_account(Operation::Other, code, kind_of(work, code)?) {
            let balance_of = |minor| DebitBalance { minor, currency: balance.currency };
            let ledger = balance_of(i128::from(balance.debits) - i128::from(balance.credits));
            let row = StockControlRow { account: balance.account.clone(), ledger, stock: balance_of(0) };
            rows.insert(balance.account.clone(), row);
        }
        Ok(())
    })?;
    for_each(work, |valuation: Valuation| {
        if let Some(row) = rows.get_mut(&valuation.stock_account) {
            row.stock.minor += i128::from(valuation.value.minor);
        }
        Ok(())
    })?;
    Ok(rows.into_values().collect())
}

/// Shows what the caller may see.
pub(super) fn take_if<T>(visible: bool, row: T) -> Step<T> {
    if visible { Step::Take(row) } else { Step::Skip }
}

/// Shows every record of a space, in key order and in bounded portions.
fn for_each<R: Record>(work: &Work, mut visit: impl FnMut(R) -> Result<()>) -> Result<()> {
    let portion = PageRequest::MAX as usize;
    let mut cursor: Option<Vec<u8>> = None;
    loop {
        let records = work.tx().scan::<R>(&(), cursor.as_deref(), portion)?;
        let end = records.len() < portion;
        for (key, record) in records {
            visit(record)?;
            cursor = Some(key);
        }
        if end {
            return Ok(());
        }
    }
}

/// A record that another one names is not there.
pub(super) fn damaged(kind: &str, id: &Id) -> Failure {
    let what = format!("the {kind} {id} is named but not on record");
    Failure::Store(StoreError::Corrupt { place: "the state".to_owned(), what })
}
