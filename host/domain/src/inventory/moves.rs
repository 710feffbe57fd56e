//! The rules of a stock move: facts and a move in, changes or a refusal out.
//!
//! The documented order of refusals is the order of the checks in [`post`]. A receipt may cost nothing (a gift, a
//! sample): `cost` must be given all the same, so that a forgotten cost is not taken for a gift.

use crate::inventory::master::missing;
use crate::inventory::{Item, Location, Lot, Move, NewMove, OnHand, SerialPlace, Tracking, Usage, Valuation};
use crate::shape::Problems;
use crate::{Class, Decimal, Error, Id, Money, Result};

/// What is on record about everything that a move names.
#[derive(Debug, Clone, Default)]
pub struct MoveFacts {
    /// Its item.
    pub item: Option<Item>,
    /// The location it leaves.
    pub from: Option<Location>,
    /// The location it enters.
    pub to: Option<Location>,
    /// Its lot, if it names one.
    pub lot: Option<Lot>,
    /// Does the worker whom it names exist?
    pub worker_exists: bool,
    /// What is on hand of item and lot in `from`.
    pub source: Option<OnHand>,
    /// What is on hand of item and lot in `to`.
    pub destination: Option<OnHand>,
    /// Quantity and value of the item. Needed if the move enters or leaves valued stock.
    pub valuation: Option<Valuation>,
    /// Where the serial number is in valued stock, if it is. Needed for receipts of items with serial numbers.
    pub serial_place: Option<SerialPlace>,
}

/// Which way a move crosses the border of valued stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Into valued stock: its cost adds to the value.
    Receipt,
    /// Out of valued stock: it takes value with it.
    Issue,
    /// From one valued location to another: the value stays.
    Transfer,
    /// Outside, from one party to another: never had a value here.
    Outside,
}

impl Flow {
    /// The way from a location of one usage to one of another.
    pub fn between(from: Usage, to: Usage) -> Self {
        match (from.valued(), to.valued()) {
            (false, true) => Self::Receipt,
            (true, false) => Self::Issue,
            (true, true) => Self::Transfer,
            (false, false) => Self::Outside,
        }
    }
}

/// What becomes of the place of a serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialChange {
    /// Not an item with serial numbers, or never in valued stock.
    None,
    /// It is in valued stock, here.
    Placed(SerialPlace),
    /// It left valued stock.
    Gone,
}

/// What a move changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveChanges {
    /// Which way it crosses the border of valued stock.
    pub flow: Flow,
    /// The value that crosses it; zero if it does not.
    pub value: Money,
    /// Where the value must be posted.
    pub stock_account: Id,
    /// The location it left, as it is then.
    pub source: OnHand,
    /// The location it entered, as it is then.
    pub destination: OnHand,
    /// Quantity and value of the item then, if they changed.
    pub valuation: Option<Valuation>,
    /// What becomes of the place of its serial number.
    pub serial: SerialChange,
}

/// The form of the request: `decimal-invalid`, `quantity-zero`, `text-invalid`, `same-location`, `amount-too-large`. All
/// problems together.
pub fn check_move(new: &NewMove) -> Result<()> {
    let mut problems = Problems::default();
    let quantity = || "quantity".to_owned();
    if Decimal::new(new.quantity.mantissa, new.quantity.scale, "quantity").is_err() {
        let message = || format!("a mantissa of at most 2^53 - 1 and a scale of at most {}", Decimal::MAX_SCALE);
        problems.add("decimal-invalid", quantity, message);
    } else if new.quantity.is_zero() {
        problems
            .add("quantity-zero", quantity, || "must be more than zero; the locations say the direction".to_owned());
    }
    problems.line(|| "reason".to_owned(), &new.reason, 1, 200);
    if new.from == new.to {
        let message = || format!("a move enters another location than it leaves, not {} again", new.to);
        problems.add("same-location", || "destination".to_owned(), message);
    }
    if let Some(cost) = new.cost {
        problems.amount(|| "cost".to_owned(), cost);
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what was posted. Quantities are compared by value: 1.50 is 1.5.
pub fn same_move(existing: &Move, new: &NewMove) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.date != new.date => "date",
        () if old.item != new.item => "item",
        () if old.quantity != new.quantity => "quantity",
        () if old.from != new.from => "source",
        () if old.to != new.to => "destination",
        () if old.lot != new.lot => "lot",
        () if old.cost != new.cost => "cost",
        () if old.worker != new.worker => "worker",
        () if old.reason != new.reason => "reason",
        () if old.entry != new.entry => "entry",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("move", &new.id, field))
}

/// What a move whose form was checked changes.
///
/// Refusals, in order: `item-not-found`, `location-not-found`, `lot-not-found`, `worker-not-found`, `lot-required`,
/// `lot-not-allowed`, `lot-of-other-item`, `lot-expired`, `quantity-too-fine`, `serial-quantity-not-one`,
/// `serial-in-stock`, `cost-missing`, `cost-not-allowed`, `currency-mismatch`, `insufficient-stock`, `overflow`.
pub fn post(new: &NewMove, facts: MoveFacts) -> Result<MoveChanges> {
    let item = facts.item.ok_or_else(|| missing("item-not-found", "item", "item", &new.item))?;
    let from = facts.from.ok_or_else(|| missing("location-not-found", "source", "location", &new.from))?;
    let to = facts.to.ok_or_else(|| missing("location-not-found", "destination", "location", &new.to))?;
    if let (Some(lot), None) = (&new.lot, &facts.lot) {
        return Err(missing("lot-not-found", "lot", "lot", lot));
    }
    if let (Some(worker), false) = (&new.worker, facts.worker_exists) {
        return Err(missing("worker-not-found", "worker", "worker", worker));
    }
    let flow = Flow::between(from.new.usage, to.new.usage);
    check_lot(new, &item, facts.lot.as_ref(), flow, to.new.usage)?;
    let units = units(new, &item)?;
    check_serial(new, &item, units, flow, facts.serial_place.as_ref())?;
    let cost = check_cost(new, &item, flow)?;

    let source = facts.source.unwrap_or_else(|| OnHand::empty(new, &item, &new.from));
    let destination = facts.destination.unwrap_or_else(|| OnHand::empty(new, &item, &new.to));
    let available = source.units();
    if from.new.usage.valued() && units.is_none_or(|units| units > available) {
        return Err(insufficient(new, &item, available));
    }
    let units = units.ok_or_else(|| Error::overflow("the quantity"))?;
    let source = source.leave(units).ok_or_else(|| Error::overflow(format!("all that ever left {}", new.from)))?;
    let destination =
        destination.enter(units).ok_or_else(|| Error::overflow(format!("all that ever entered {}", new.to)))?;
    let (value, valuation) = revalue(new, &item, facts.valuation, flow, units, cost)?;
    Ok(MoveChanges {
        flow,
        value: Money { minor: value, currency: item.currency },
        serial: serial_change(new, item.new.tracking, flow),
        stock_account: item.new.stock_account,
        source,
        destination,
        valuation,
    })
}

/// The lot rules. Expired stock may still be thrown away, counted out, sent back or moved about, but not sold or used.
fn check_lot(new: &NewMove, item: &Item, lot: Option<&Lot>, flow: Flow, to: Usage) -> Result<()> {
    let refused = |code, message| Err(Error::at(Class::Refused, code, "lot", message));
    let lot = match (item.new.tracking, lot) {
        (Tracking::None, None) => return Ok(()),
        (Tracking::Lot | Tracking::Serial, Some(lot)) => &lot.new,
        (Tracking::Lot | Tracking::Serial, None) => {
            return refused("lot-required", format!("item {} is tracked: name the lot that moves", new.item));
        }
        (Tracking::None, Some(_)) => {
            return refused("lot-not-allowed", format!("item {} is not tracked: name no lot", new.item));
        }
    };
    if lot.item != new.item {
        return refused("lot-of-other-item", format!("lot {} is of item {}, not {}", lot.id, lot.item, new.item));
    }
    let used = flow == Flow::Issue && matches!(to, Usage::Customer | Usage::Consumption);
    match lot.expiry {
        // On its last day of use it is not yet expired.
        Some(expiry) if used && expiry < new.date => {
            let message = format!("the last day of use of lot {} is {expiry}; this move is of {}", lot.id, new.date);
            refused("lot-expired", message)
        }
        _ => Ok(()),
    }
}

/// The quantity in steps of the item's last decimal. `quantity-too-fine` if it has more decimals than the item; `None`
/// if it is more than can be counted at that scale, which is an overflow and so the last of all errors.
fn units(new: &NewMove, item: &Item) -> Result<Option<u64>> {
    let decimals = item.new.decimals;
    let units = new.quantity.mantissa_at(decimals);
    // Dropping decimals makes a mantissa smaller, so it fails for no other reason than lost digits.
    if units.is_none() && new.quantity.scale > decimals {
        return Err(Error::at(
            Class::Refused,
            "quantity-too-fine",
            "quantity",
            format!("quantities of item {} have at most {decimals} decimals, not {}", new.item, new.quantity),
        ));
    }
    Ok(units)
}

/// The rules of serial numbers: one number is one unit, and in one valued place at most.
fn check_serial(new: &NewMove, item: &Item, units: Option<u64>, flow: Flow, place: Option<&SerialPlace>) -> Result<()> {
    if item.new.tracking != Tracking::Serial {
        return Ok(());
    }
    let refused = |code, field, message| Err(Error::at(Class::Refused, code, field, message));
    if units.is_none() || units != Decimal::whole(1).mantissa_at(item.new.decimals) {
        let message = format!("one serial number is one {}, not {}", item.new.unit, new.quantity);
        return refused("serial-quantity-not-one", "quantity", message);
    }
    match place {
        Some(SerialPlace { lot, location }) if flow == Flow::Receipt => {
            refused("serial-in-stock", "lot", format!("serial number {lot} is in stock already, in {location}"))
        }
        _ => Ok(()),
    }
}

/// The cost in minor units; zero unless it is a receipt.
fn check_cost(new: &NewMove, item: &Item, flow: Flow) -> Result<u64> {
    let refused = |code, message| Err(Error::at(Class::Refused, code, "cost", message));
    match (new.cost, flow) {
        (None, Flow::Receipt) => {
            let message = format!("{} is outside: say what it cost to get this from there", new.from);
            refused("cost-missing", message)
        }
        (Some(_), Flow::Issue | Flow::Transfer | Flow::Outside) => {
            refused("cost-not-allowed", "only what enters stock from outside has a cost".to_owned())
        }
        (Some(cost), Flow::Receipt) if cost.currency != item.currency => refused(
            "currency-mismatch",
            format!("item {} is valued in {}, not {}", new.item, item.currency, cost.currency),
        ),
        (cost, _) => Ok(cost.map_or(0, |cost| cost.minor)),
    }
}

/// The minor units that cross the border of valued stock, and the valuation after that.
fn revalue(
    new: &NewMove,
    item: &Item,
    valuation: Option<Valuation>,
    flow: Flow,
    units: u64,
    cost: u64,
) -> Result<(u64, Option<Valuation>)> {
    let valuation = || valuation.unwrap_or_else(|| Valuation::empty(item));
    match flow {
        Flow::Transfer | Flow::Outside => Ok((0, None)),
        Flow::Receipt => {
            let after = valuation().receive(units, cost);
            let after = after.ok_or_else(|| Error::overflow(format!("the stock of item {}", new.item)))?;
            Ok((cost, Some(after)))
        }
        Flow::Issue => {
            let valuation = valuation();
            let total = valuation.quantity.mantissa;
            let (value, after) = valuation.issue(units).ok_or_else(|| insufficient(new, item, total))?;
            Ok((value, Some(after)))
        }
    }
}

fn serial_change(new: &NewMove, tracking: Tracking, flow: Flow) -> SerialChange {
    match (tracking, flow, &new.lot) {
        (Tracking::Serial, Flow::Receipt | Flow::Transfer, Some(lot)) => {
            SerialChange::Placed(SerialPlace { lot: lot.clone(), location: new.to.clone() })
        }
        (Tracking::Serial, Flow::Issue, _) => SerialChange::Gone,
        _ => SerialChange::None,
    }
}

fn insufficient(new: &NewMove, item: &Item, units: u64) -> Error {
    let available = Decimal { mantissa: units, scale: item.new.decimals };
    let lot = new.lot.as_ref().map(|lot| format!(", lot {lot}")).unwrap_or_default();
    Error::at(
        Class::Refused,
        "insufficient-stock",
        "quantity",
        format!(
            "{available} {} of item {}{lot} are available in {}, {} are asked for",
            item.new.unit, new.item, new.from, new.quantity
        ),
    )
}
