//! Items, locations, lots.

use backroom_domain::inventory::{self, Item, Location, Lot, NewItem, NewLocation, NewLot, Valuation};
use backroom_domain::ledger::Account;
use backroom_domain::rights::Operation;
use backroom_domain::{Effect, Error, Id};

use super::reads::take_if;
use crate::error::Result;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Adds an item, which is worth nothing yet; the item on record if it was added before.
///
/// Needs the right to administer.
///
/// # Errors
/// In order: `administer-denied`; `text-invalid`, `decimals-invalid`;
/// `exists-with-different`; `account-not-found`; `not-stock-control`.
pub fn create_item(work: &mut Work, new: NewItem) -> Result<Item> {
    work.rights().check_administer()?;
    inventory::check_item(&new)?;
    if let Some(item) = work.tx().get::<Item>(&new.id)? {
        inventory::same_item(&item, &new)?;
        return Ok(item);
    }
    let account = work.tx().get::<Account>(&new.stock_account)?;
    let item = inventory::create_item(new, account.as_ref(), work.now)?;
    work.put(&item)?;
    work.put(&Valuation::empty(&item))?;
    work.effect(Effect::ItemCreated(item.clone()));
    Ok(item)
}

/// Adds a location; the location on record if it was added before.
///
/// Needs the right to administer.
///
/// # Errors
/// In order: `administer-denied`; `text-invalid`; `exists-with-different`.
pub fn create_location(work: &mut Work, new: NewLocation) -> Result<Location> {
    work.rights().check_administer()?;
    inventory::check_location(&new)?;
    if let Some(location) = work.tx().get::<Location>(&new.id)? {
        inventory::same_location(&location, &new)?;
        return Ok(location);
    }
    let location = Location { new, recorded_at: work.now };
    work.put(&location)?;
    work.effect(Effect::LocationCreated(location.clone()));
    Ok(location)
}

/// Adds a lot or serial number; the lot on record if it was added before.
///
/// Needs the right to administer.
///
/// # Errors
/// In order: `administer-denied`; `exists-with-different`; `item-not-found`;
/// `lot-not-allowed`.
pub fn create_lot(work: &mut Work, new: NewLot) -> Result<Lot> {
    work.rights().check_administer()?;
    if let Some(lot) = work.tx().get::<Lot>(&new.id)? {
        inventory::same_lot(&lot, &new)?;
        return Ok(lot);
    }
    let item = work.tx().get::<Item>(&new.item)?;
    let lot = inventory::create_lot(new, item.as_ref(), work.now)?;
    work.put(&lot)?;
    work.effect(Effect::LotCreated(lot.clone()));
    Ok(lot)
}

/// The item with this number.
///
/// # Errors
/// In order: `inventory-read-denied`; `not-found`.
pub fn get_item(work: &Work, id: &Id) -> Result<Item> {
    work.rights().check_read_item(Operation::ItemsGet, id)?;
    Ok(work.tx().get::<Item>(id)?.ok_or_else(|| Error::not_found("item", id))?)
}

/// Items in order of their numbers, those left out that the caller may not read.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_items(work: &Work, page: &PageRequest) -> Result<Page<Item>> {
    list(work, &(), None, page, |item: Item| {
        Ok(take_if(work.rights().read_item(Operation::ItemsList, &item.new.id), item))
    })
}

/// Locations in order of their codes. They are no secret among those who deal with stock, and there is no right to single ones.
///
/// # Errors
/// In order: `inventory-read-denied` without the right to read any item; `limit-invalid`, `cursor-invalid`.
pub fn list_locations(work: &Work, page: &PageRequest) -> Result<Page<Location>> {
    work.rights().check_read_locations(Operation::Other)?;
    list(work, &(), None, page, |location: Location| Ok(Step::Take(location)))
}
