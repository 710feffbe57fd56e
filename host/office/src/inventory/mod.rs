//! Use cases of inventory: items, locations, lots; moves; what is where and what it is worth.
//!
//! Every change of stock is a move ([`post_move`]), and every value that a move carries is noted in the unit of work, which is
//! refused in the end if the ledger does not change by the same.

mod master;
mod moves;
mod reads;

pub use master::{create_item, create_location, create_lot, get_item, list_items, list_locations};
pub use moves::{Moved, list_moves, post_move};
pub use reads::{DebitBalance, StockControlRow, list_on_hand, list_valuations, stock_control, valuation};
