//! `backroom:inventory/items`: items.

use backroom_domain::{Id, inventory as domain};
use backroom_office::inventory;

use super::FIXED;
use crate::bindings::backroom::inventory::items::{Host, Item, ItemPage, Tracking};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, id: String) -> Result<Item, HostError> {
        let _host = self.guest.enter(id.len())?;
        let item = inventory::get_item(&self.work, &Id::parse(&id, "id")?)?;
        self.guest.leave(size(&item))?;
        Ok(given(item))
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<ItemPage, HostError> {
        let _host = self.guest.enter(0)?;
        let page = inventory::list_items(&self.work, &convert::page_request(cursor, limit))?;
        self.guest.leave(page.items.iter().map(size).sum())?;
        let (items, next) = convert::page(page, given);
        Ok(ItemPage { items, next })
    }
}

fn size(item: &domain::Item) -> usize {
    FIXED + item.new.id.as_str().len() + item.new.name.len()
}

fn given(item: domain::Item) -> Item {
    let domain::NewItem { id, name, unit, decimals, tracking, stock_account } = item.new;
    let tracking = match tracking {
        domain::Tracking::None => Tracking::None,
        domain::Tracking::Lot => Tracking::Lot,
        domain::Tracking::Serial => Tracking::Serial,
    };
    Item {
        id: id.into(),
        name,
        unit,
        decimals,
        tracking,
        stock_account: stock_account.into(),
        currency: item.currency.into(),
    }
}
