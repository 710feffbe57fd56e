//! The journal as text: what hledger, ledger and beancount make of it, and what comes back of theirs.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failed helper is a failed test"
)]

mod books;
#[path = "ledger_text/differential.rs"]
mod differential;
#[path = "ledger_text/examples.rs"]
mod examples;
#[path = "ledger_text/imports.rs"]
mod imports;
/// Known accounting programs, as the whole-system tests have them.
#[allow(dead_code, unreachable_pub, reason = "other tests need its other parts, and it is part of a library there")]
#[path = "../../../tests/src/oracle.rs"]
mod oracle;
#[path = "ledger_text/random.rs"]
mod random;
#[path = "ledger_text/tools.rs"]
mod tools;

use std::path::PathBuf;

/// The top folder of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
