//! Calls to the outside: where to, and with whose secrets.

mod rights;
mod target;

pub use rights::SecretUse;
pub use target::{HttpTarget, Method, Outward};
