//! Requests to the outside: checked, sent to the address that was checked, followed by hand, and kept for the record.
//!
//! ```text
//! api::http -> Checked::of      form and rights, the same whenever it is asked
//!           -> Calls::answer    from the record or an earlier attempt, or ...
//!           -> Client::send     ... one request for each hop: resolve, check, connect, read up to a limit
//! ```

mod address;
mod authority;
mod calls;
mod client;
mod lookup;
mod request;
mod secrets;
mod tape;

#[cfg(test)]
mod tests;

pub use address::PrivateTarget;
pub use authority::OwnAuthority;
pub(crate) use calls::Calls;
pub(crate) use client::Client;
pub use client::HttpOptions;
pub(crate) use request::Checked;
pub use tape::Held;
pub(crate) use tape::{RunKey, Tape, Tapes};
