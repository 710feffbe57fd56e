//! Calls to the outside: where to, and with whose secrets.

mod target;

pub use target::{HttpTarget, Method, Outward};

pub(crate) use target::is_host;
