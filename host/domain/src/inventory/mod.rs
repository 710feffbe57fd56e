//! Items, locations, lots, moves, on-hand, moving-average valuation.

mod types;

pub use types::{Item, Location, Lot, Move, NewItem, NewLocation, NewLot, NewMove, OnHand, Tracking, Usage, Valuation};
