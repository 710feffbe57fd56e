//! The rules of ledger, people and stock.
//!
//! Facts and a command go in, changes or a refusal come out. This crate never does I/O, never asks for
//! the time, never draws a random number and never uses a float: everything it needs is an argument.
#![forbid(unsafe_code)]
#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "tests may count plainly"))]

mod date;
mod decimal;
mod effect;
mod error;
pub mod files;
pub mod hr;
mod id;
pub mod inventory;
pub mod ledger;
mod money;
pub mod outbound;
pub mod rights;
mod rounding;
mod schema;
mod shape;

pub use date::{BusinessDate, Instant};
pub use decimal::Decimal;
pub use effect::{Effect, StateChange};
pub use error::{Class, Error, Problem, Result};
pub use id::Id;
pub use money::{Currency, MAX_MINOR, Money, Side, minor_text};
pub use rounding::{Rounding, mul_div};
pub use shape::plays_tricks;
