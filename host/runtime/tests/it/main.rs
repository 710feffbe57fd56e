//! The runtime from outside: hand-made guests on a whole service, without a network.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod common;
mod compiled;
mod erased;
mod faults;
mod observe;
mod runs;
mod sandbox;
mod uploads;
