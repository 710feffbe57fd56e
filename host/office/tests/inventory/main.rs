//! Inventory from outside: the use cases over a store in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod lists;
mod master;
mod model;
mod moves;
mod rights;
mod seal;
mod world;
