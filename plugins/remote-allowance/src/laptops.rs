//! A laptop for each newly remote worker.

use std::collections::BTreeSet;

use backroom_sdk::host::state;
use backroom_sdk::inventory::items::{self, Tracking};
use backroom_sdk::inventory::stock::{self, NewMove};
use backroom_sdk::{Decimal, Error, Id, Money, Month, refused};

use crate::books::entry_id;
use crate::config::Config;
use crate::days::day_of;
use crate::people::Person;

/// Rows asked for at once: as many as a page can have.
const PAGE: u32 = 500;

/// A laptop that was issued.
pub struct Laptop {
    pub move_id: Id,
    pub worker: Id,
    pub serial: Id,
    pub cost_center: Id,
    /// What left the stock.
    pub value: Money,
    /// Where that must be credited.
    pub stock_account: Id,
    pub replayed: bool,
}

/// Issues the lowest serial numbers on hand, in order of the worker numbers, on the last day of the month (the day of the entry that
/// carries the value). Which one a worker got is kept, so that a second run names the same.
pub fn issue(config: &Config, month: Month, people: &[Person]) -> Result<Vec<Laptop>, Error> {
    let new: Vec<_> = people.iter().filter_map(|p| p.newly_remote.as_ref().map(|(day, cc)| (p, *day, cc))).collect();
    let mut taken = Vec::new();
    for (person, ..) in &new {
        taken.push(issued(month, &person.worker)?);
    }
    let wanted = taken.iter().filter(|serial| serial.is_none()).count();
    let mut free = on_hand(config, wanted)?.into_iter();
    let mut laptops = Vec::new();
    for ((person, day, cost_center), serial) in new.into_iter().zip(taken) {
        let (serial, known) = match serial {
            Some(serial) => (serial, true),
            None => (free.next().ok_or_else(|| out_of_stock(config, wanted))?, false),
        };
        let id = format!("laptop:{month}:{}", person.worker);
        let moved = stock::post_move(&NewMove {
            id: id.clone(),
            date: month.last(),
            item: config.laptop_item.clone(),
            quantity: Decimal { mantissa: 1, scale: 0 },
            source: config.laptop_location.clone(),
            destination: config.staff_location.clone(),
            lot: Some(serial.clone()),
            cost: None,
            worker: Some(person.worker.clone()),
            reason: format!("Remote work from {}", day_of(month, day)),
            entry: Some(entry_id(month, cost_center)),
        })?;
        if !known {
            state::set(&key(month, &person.worker), serial.as_bytes())?;
        }
        laptops.push(Laptop {
            move_id: id,
            worker: person.worker.clone(),
            serial,
            cost_center: cost_center.clone(),
            value: moved.value,
            stock_account: moved.stock_account,
            replayed: moved.replayed,
        });
    }
    Ok(laptops)
}

fn key(month: Month, worker: &str) -> String {
    format!("laptop:{month}:{worker}")
}

/// The serial number that the worker got in an earlier run of the month.
fn issued(month: Month, worker: &str) -> Result<Option<Id>, Error> {
    let value = state::get(&key(month, worker))?;
    Ok(value.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// The lowest `wanted` serial numbers on hand; fewer if there are no more.
fn on_hand(config: &Config, wanted: usize) -> Result<BTreeSet<Id>, Error> {
    let mut serials = BTreeSet::new();
    if wanted == 0 {
        return Ok(serials);
    }
    if items::get(&config.laptop_item)?.tracking != Tracking::Serial {
        let message = format!("item {} is not tracked by serial number; configure one that is", config.laptop_item);
        return Err(refused("laptop-not-serial", message));
    }
    let mut cursor: Option<String> = None;
    // Pages come in order of the lots.
    while serials.len() < wanted {
        let page = stock::list_on_hand(&config.laptop_item, Some(&config.laptop_location), cursor.as_deref(), PAGE)?;
        serials.extend(page.items.into_iter().filter_map(|on_hand| on_hand.lot));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(serials)
}

fn out_of_stock(config: &Config, wanted: usize) -> Error {
    let Config { laptop_item, laptop_location, .. } = config;
    let message = format!(
        "{wanted} of {laptop_item} are needed, {laptop_location} has fewer; receive or transfer some, then run again"
    );
    refused("laptops-out-of-stock", message)
}
