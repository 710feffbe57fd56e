//! Items, locations, lots, moves, on-hand, moving-average valuation.
//!
//! Stock is double-entry: a move leaves one location and enters another, so the sum over all locations of an item never changes.

mod master;
mod moves;
mod onhand;
mod types;
mod valuation;

pub use master::{check_item, check_location, create_item, create_lot, same_item, same_location, same_lot};
pub use moves::{Flow, MoveChanges, MoveFacts, SerialChange, check_move, post, same_move};
pub use onhand::SerialPlace;
pub use types::{Item, Location, Lot, Move, NewItem, NewLocation, NewLot, NewMove, OnHand, Tracking, Usage, Valuation};
