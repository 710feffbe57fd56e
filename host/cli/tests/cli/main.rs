//! The binary from outside: one program, so that it is linked once.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test, and shows what was seen")]

mod apart;
/// Components that are hard to compile, as the tests of the whole system have them.
#[cfg(test)]
#[allow(unreachable_pub, reason = "it is a module of a library there")]
#[path = "../../../../tests/src/bombs.rs"]
mod bombs;
mod books;
mod commands;
mod compile;
mod demo;
mod doctor;
mod plugins;
mod serve;
// Marked as tests, so that the lints know that these helpers may panic.
#[cfg(test)]
mod support;
#[cfg(test)]
mod watch;
