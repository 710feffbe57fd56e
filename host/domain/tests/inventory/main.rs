//! The rules of inventory, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]

mod master;
mod model;
mod refusals;
mod shape;
mod values;
mod world;
