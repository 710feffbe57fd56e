//! Setting up items, locations and lots.

use crate::inventory::{Item, Location, Lot, NewItem, NewLocation, NewLot, Tracking};
use crate::ledger::Account;
use crate::shape::Problems;
use crate::{Class, Error, Id, Instant, Result};

/// Characters of a unit of measure; it stands beside every quantity.
const UNIT_MAX: usize = 16;
/// Decimals of a quantity: grams of a ton. 10^6 still leaves 9 * 10^9 whole units below 2^53.
const DECIMALS_MAX: u8 = 6;

/// The form of the request: `text-invalid`, `decimals-invalid`. All problems together.
pub fn check_item(new: &NewItem) -> Result<()> {
    let mut problems = Problems::default();
    problems.text(|| "name".to_owned(), &new.name, 1, 200);
    problems.text(|| "unit".to_owned(), &new.unit, 1, UNIT_MAX);
    if new.decimals > DECIMALS_MAX {
        problems.add(
            "decimals-invalid",
            || "decimals".to_owned(),
            || format!("quantities have at most {DECIMALS_MAX} decimals, not {}", new.decimals),
        );
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_item(existing: &Item, new: &NewItem) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.name != new.name => "name",
        () if old.unit != new.unit => "unit",
        () if old.decimals != new.decimals => "decimals",
        () if old.tracking != new.tracking => "tracking",
        () if old.stock_account != new.stock_account => "stock-account",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("item", &new.id, field))
}

/// The item, valued in the currency of its stock control account. `account` is the record of the account that it names, if
/// there is one.
///
/// Refusals, in order: `account-not-found`, `not-stock-control`.
pub fn create_item(new: NewItem, account: Option<&Account>, now: Instant) -> Result<Item> {
    let code = &new.stock_account;
    let Some(account) = account else {
        return Err(missing("account-not-found", "stock-account", "account", code));
    };
    if !account.new.stock_control || !account.new.posting {
        let message = format!("account {code} is not a stock control account; stock value is kept under one");
        return Err(Error::at(Class::Refused, "not-stock-control", "stock-account", message));
    }
    Ok(Item { currency: account.new.currency, new, recorded_at: now })
}

/// The form of the request: `text-invalid`.
pub fn check_location(new: &NewLocation) -> Result<()> {
    let mut problems = Problems::default();
    problems.text(|| "name".to_owned(), &new.name, 1, 200);
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_location(existing: &Location, new: &NewLocation) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.name != new.name => "name",
        () if old.usage != new.usage => "usage",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("location", &new.id, field))
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_lot(existing: &Lot, new: &NewLot) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.item != new.item => "item",
        () if old.expiry != new.expiry => "expiry",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("lot", &new.id, field))
}

/// The lot. `item` is the record of the item that it names, if there is one.
///
/// Refusals, in order: `item-not-found`; `lot-not-allowed` if the item is not tracked.
pub fn create_lot(new: NewLot, item: Option<&Item>, now: Instant) -> Result<Lot> {
    let Some(item) = item else { return Err(missing("item-not-found", "item", "item", &new.item)) };
    if item.new.tracking == Tracking::None {
        let message = format!("item {} is not tracked and has no lots", new.item);
        return Err(Error::at(Class::Refused, "lot-not-allowed", "item", message));
    }
    Ok(Lot { new, recorded_at: now })
}

/// A reference to something that is not there, with a code that says what.
pub(super) fn missing(code: &'static str, field: &'static str, kind: &'static str, id: &Id) -> Error {
    Error::at(Class::NotFound, code, field, format!("there is no {kind} {id}"))
}
