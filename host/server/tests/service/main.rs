//! The service from outside: a store in memory whose disk is in the test's hand, workflows without guests, and requests
//! without a network wherever that is enough.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as the test itself may"
)]

mod archives;
mod coverage;
mod durability;
mod erasure;
mod files;
mod imports;
mod installations;
mod keys;
mod overload;
mod problems;
mod queue;
mod real;
mod serve;
mod world;
