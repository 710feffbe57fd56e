//! The binary from outside: one program, so that it is linked once.

mod commands;
mod demo;
mod doctor;
mod serve;
// Marked as tests, so that the lints know that these helpers may panic.
#[cfg(test)]
mod support;
