//! What is where, and what it is worth, in signed numbers.

use std::collections::BTreeMap;
use std::rc::Rc;

use backroom_domain::inventory::NewMove;

use super::{Answer, Doer};
use crate::script::{PLACES, THINGS, inside};

/// Items, and whether they have lots and serial numbers.
pub(crate) const ITEMS: [(&str, bool, bool); 3] =
    [("DESK", false, false), ("LAPTOP", true, true), ("MILK", true, false)];

#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    /// By item, lot and place.
    pub(crate) on_hand: BTreeMap<(&'static str, Option<&'static str>, &'static str), i128>,
    pub(crate) value: BTreeMap<&'static str, i128>,
    pub(crate) moves: Vec<Rc<(NewMove, i128)>>,
}

/// What a move was told.
pub(super) struct Moved {
    pub(super) number: u64,
    pub(super) replayed: bool,
    pub(super) value: i128,
}

impl Stock {
    /// On hand in the valued places.
    pub(crate) fn quantity(&self, item: &str) -> i128 {
        self.on_hand.iter().filter(|((of, _, place), _)| *of == item && inside(place)).map(|(_, units)| units).sum()
    }

    pub(super) fn worth(&self, thing: u8) -> Answer<Vec<i128>> {
        let name = THINGS[usize::from(thing)].0;
        let known = ITEMS.iter().find(|(item, ..)| *item == name).ok_or("not-found")?;
        Ok(vec![self.quantity(known.0), *self.value.get(known.0).unwrap_or(&0)])
    }

    pub(super) fn post(&mut self, doer: &Doer, new: NewMove, worker: &dyn Fn(&str) -> bool) -> Answer<Moved> {
        if doer.clerk && !inside(new.to.as_str()) {
            return Err("move-denied");
        }
        if new.quantity.mantissa == 0 {
            return Err("quantity-zero");
        }
        if new.from == new.to {
            return Err("same-location");
        }
        if let Some(place) = self.moves.iter().position(|old| old.0.id == new.id) {
            let old = &self.moves[place];
            let number = place as u64 + 1;
            return if old.0 == new {
                Ok(Moved { number, replayed: true, value: old.1 })
            } else {
                Err("exists-with-different")
            };
        }
        let value = self.change(&new, worker)?;
        self.moves.push(Rc::new((new, value)));
        Ok(Moved { number: self.moves.len() as u64, replayed: false, value })
    }

    /// Moves, and says what value crossed the border of valued stock.
    fn change(&mut self, new: &NewMove, worker: &dyn Fn(&str) -> bool) -> Answer<i128> {
        let known = ITEMS.iter().find(|(item, ..)| *item == new.item.as_str());
        let (item, tracked, serial) = *known.ok_or("item-not-found")?;
        let place = |of: &str| PLACES[..6].iter().find(|place| **place == of).ok_or("location-not-found");
        let (from, to) = (*place(new.from.as_str())?, *place(new.to.as_str())?);
        if new.worker.as_ref().is_some_and(|who| !worker(who.as_str())) {
            return Err("worker-not-found");
        }
        let lot = match (tracked, &new.lot) {
            (true, None) => return Err("lot-required"),
            (false, Some(_)) => return Err("lot-not-allowed"),
            (_, lot) => lot.as_ref().and_then(|lot| THINGS[..5].iter().find(|(_, of)| *of == Some(lot.as_str()))),
        };
        let lot = lot.and_then(|(_, lot)| *lot);
        let units = i128::from(new.quantity.mantissa);
        if serial && units != 1 {
            return Err("serial-quantity-not-one");
        }
        let (comes_in, goes_out) = (!inside(from) && inside(to), inside(from) && !inside(to));
        let there = |place: &'static str| *self.on_hand.get(&(item, lot, place)).unwrap_or(&0);
        if serial && comes_in && PLACES[..3].iter().any(|place| there(place) > 0) {
            return Err("serial-in-stock");
        }
        match (comes_in, new.cost) {
            (true, None) => return Err("cost-missing"),
            (false, Some(_)) => return Err("cost-not-allowed"),
            _ => {}
        }
        if inside(from) && there(from) < units {
            return Err("insufficient-stock");
        }
        let (stock, value) = (self.quantity(item), *self.value.get(item).unwrap_or(&0));
        let crossing = match (new.cost, goes_out) {
            (Some(cost), _) => i128::from(cost.minor),
            (None, true) => half_even(value * units, stock),
            (None, false) => 0,
        };
        *self.value.entry(item).or_default() += if comes_in { crossing } else { -crossing };
        *self.on_hand.entry((item, lot, from)).or_default() -= units;
        *self.on_hand.entry((item, lot, to)).or_default() += units;
        Ok(crossing)
    }
}

/// To the nearest: half of the divisor more, and down; a tie that came to an odd number goes one back.
fn half_even(dividend: i128, divisor: i128) -> i128 {
    let (twice, rest) = ((2 * dividend + divisor) / (2 * divisor), (2 * dividend + divisor) % (2 * divisor));
    if rest == 0 && twice % 2 == 1 { twice - 1 } else { twice }
}
