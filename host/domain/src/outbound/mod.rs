//! Calls to the outside: where to, and with whose secrets.

mod target;

pub use target::{HttpTarget, Method, Outward, is_host};
