//! Moving stock.

use backroom_domain::Effect;
use backroom_domain::inventory::{
    self, Flow, Item, Location, Lot, Move, MoveChanges, MoveFacts, NewMove, OnHand, SerialChange, SerialPlace,
    Tracking, Valuation,
};
use backroom_domain::rights::{Moving, Operation, Used};
use backroom_store::records::{MoveNumber, OnHandKey, StoredWorker};
use schemars::JsonSchema;
use serde::Serialize;

use super::reads::{damaged, take_if};
use crate::error::Result;
use crate::listing::list;
use crate::page::{Page, PageRequest};
use crate::used::{Measure, Spans, use_up, used};
use crate::work::Work;

/// The series of the moves' numbers.
const SERIES: &str = "move";

/// The answer to a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// The move as posted, now or before.
    #[serde(rename = "move")]
    pub moved: Move,
    /// `true` if the same move had been posted before and nothing was done now.
    pub replayed: bool,
}

/// Posts one move. Its value must be posted to its stock account in the same unit of work, and the journal entry that it names
/// must exist by then. Stages nothing unless it succeeds.
///
/// # Errors
/// In order: `move-denied`; `move-quantity-denied`; what [`inventory::check_move`] says, all together; `exists-with-different`; what
/// [`inventory::post`] says; `move-value-denied`, `move-run-denied`, `move-day-denied`, as the value is known by then alone. In the end of the unit of work `stock-ledger-mismatch` and `entry-missing`.
pub fn post_move(work: &mut Work, new: NewMove) -> Result<Moved> {
    let (item, from, to) = (Some(&new.item), Some(&new.from), Some(&new.to));
    let moving = Moving { item, from, to, quantity: Some(new.quantity), ..Moving::default() };
    work.rights().check_move(&moving)?;
    inventory::check_move(&new)?;
    if let Some(moved) = work.tx().get::<Move>(&new.id)? {
        inventory::same_move(&moved, &new)?;
        return Ok(Moved { moved, replayed: true });
    }
    let changes = inventory::post(&new, facts(work, &new)?)?;
    let spans = Spans { run: work.rights().has_run_moves(), day: work.rights().has_day_moves() };
    let measures = (Measure::Quantity(&new.item), Measure::Value(changes.value.currency));
    work.rights().check_move(&Moving {
        value: Some(changes.value),
        used_quantity: Some(used(work, measures.0, spans)?),
        used_value: Some(used(work, measures.1, spans)?),
        ..moving
    })?;
    use_up(work, measures.0, spans, Used::of(new.quantity))?;
    use_up(work, measures.1, spans, changes.value.minor.into())?;
    Ok(Moved { moved: stage(work, new, changes)?, replayed: false })
}

/// Posted moves in order of their numbers, those left out whose items the caller may not read.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_moves(work: &Work, page: &PageRequest) -> Result<Page<Move>> {
    list(work, &(), None, page, |place: MoveNumber| {
        let moved = work.tx().get::<Move>(&place.id)?.ok_or_else(|| damaged("move", &place.id))?;
        Ok(take_if(work.rights().read_item(Operation::Other, &moved.new.item), moved))
    })
}

/// What is on record about everything that the move names: only what the rules will ask for.
fn facts(work: &Work, new: &NewMove) -> Result<MoveFacts> {
    let tx = work.tx();
    let on_hand = |location| tx.get::<OnHand>(&OnHandKey::new(&new.item, location, new.lot.as_ref()));
    let item = tx.get::<Item>(&new.item)?;
    let (from, to) = (tx.get::<Location>(&new.from)?, tx.get::<Location>(&new.to)?);
    let lot = new.lot.as_ref().map(|lot| tx.get::<Lot>(lot)).transpose()?.flatten();
    let worker_exists = match &new.worker {
        Some(worker) => tx.get::<StoredWorker>(worker)?.is_some() && crate::hr::names(work, worker)?,
        None => false,
    };
    let flow = from.as_ref().zip(to.as_ref()).map(|(from, to)| Flow::between(from.new.usage, to.new.usage));
    let valuation = match flow {
        Some(Flow::Receipt | Flow::Issue) => tx.get::<Valuation>(&new.item)?,
        _ => None,
    };
    let serial = item.as_ref().is_some_and(|item| item.new.tracking == Tracking::Serial);
    let serial_place = match (&new.lot, flow) {
        (Some(lot), Some(Flow::Receipt)) if serial => tx.get::<SerialPlace>(lot)?,
        _ => None,
    };
    let (source, destination) = (on_hand(&new.from)?, on_hand(&new.to)?);
    Ok(MoveFacts { item, from, to, lot, worker_exists, source, destination, valuation, serial_place })
}

/// Stages what the move changes. Takes the number last, so that a refused move leaves no gap.
fn stage(work: &mut Work, new: NewMove, changes: MoveChanges) -> Result<Move> {
    work.put(&changes.source)?;
    work.put(&changes.destination)?;
    if let Some(valuation) = &changes.valuation {
        work.put(valuation)?;
    }
    match (&changes.serial, &new.lot) {
        (SerialChange::Placed(place), _) => work.put(place)?,
        (SerialChange::Gone, Some(lot)) => work.tx_mut().delete::<SerialPlace>(lot),
        (SerialChange::Gone | SerialChange::None, _) => {}
    }
    if changes.value.minor > 0 {
        work.note_stock(&changes.stock_account, changes.flow == Flow::Receipt, changes.value.minor);
    }
    if let Some(entry) = &new.entry {
        work.note_entry_reference(entry, "entry");
    }
    let moved = Move {
        number: work.next_number(SERIES)?,
        value: changes.value,
        stock_account: changes.stock_account,
        recorded_at: work.now,
        run: work.caller.run.clone(),
        new,
    };
    work.put(&moved)?;
    work.put(&MoveNumber { number: moved.number, id: moved.new.id.clone() })?;
    work.effect(Effect::MovePosted(moved.clone()));
    Ok(moved)
}
