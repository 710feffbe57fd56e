//! `backroom:inventory/stock`: what is where, what it is worth, and moving it.

use backroom_domain::rights::{Moving, Operation};
use backroom_domain::{Id, inventory as domain};
use backroom_office::inventory;

use super::FIXED;
use crate::bindings::backroom::inventory::stock::{Host, Moved, NewMove, OnHand, OnHandPage, Valuation};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn list_on_hand(
        &mut self,
        item: String,
        location: Option<String>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<OnHandPage, HostError> {
        let _host = self.guest.enter(item.len())?;
        let mut form = Form::default();
        let id = form.id(&item, || "item".to_owned())?;
        let known = !form.has("id-invalid");
        let location = form.some_id(location.as_ref(), "location")?;
        let request = convert::page_request(cursor, limit);
        let rights = self.work.rights();
        let denied = || match known {
            true => rights.check_read_item(Operation::ListOnHand, &id),
            false => rights.check_read_locations(Operation::ListOnHand),
        };
        form.finish(denied, || request.check().map(drop))?;
        let page = inventory::list_on_hand(&self.work, &id, location.as_ref(), &request)?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.len() * 2 * FIXED)?;
        Ok(OnHandPage { items, next })
    }

    fn get_valuation(&mut self, item: String) -> Result<Valuation, HostError> {
        let _host = self.guest.enter(item.len())?;
        let valuation = inventory::valuation(&self.work, &Id::parse(&item, "item")?)?;
        self.guest.leave(FIXED)?;
        let domain::Valuation { item, stock_account, quantity, value } = valuation;
        let (quantity, value) = (convert::decimal(quantity), convert::money(value));
        Ok(Valuation { item: item.into(), quantity, value, stock_account: stock_account.into() })
    }

    fn post_move(&mut self, new: NewMove) -> Result<Moved, HostError> {
        let bytes = 4 * FIXED + new.reason.len();
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let command = convert::new_move(&mut form, &new)?;
        let known = |text: &str, id| Id::parse(text, "").is_ok().then_some(id);
        let moving = Moving {
            item: known(&new.item, &command.item),
            from: known(&new.source, &command.from),
            to: known(&new.destination, &command.to),
            ..Moving::default()
        };
        form.finish(|| self.work.rights().check_move(&moving), || domain::check_move(&command))?;
        let inventory::Moved { moved, replayed } = inventory::post_move(&mut self.work, command)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(Moved {
            number: moved.number,
            value: convert::money(moved.value),
            stock_account: moved.stock_account.into(),
            recorded_at: convert::instant(moved.recorded_at),
            replayed,
        })
    }
}

fn given(on_hand: domain::OnHand) -> OnHand {
    let quantity = convert::decimal(on_hand.quantity());
    let domain::OnHand { item, location, lot, .. } = on_hand;
    OnHand { item: item.into(), location: location.into(), lot: lot.map(String::from), quantity }
}
