//! Helpers for the whole-system tests: the real binary as a child process, spoken to over HTTP and the command line.
//!
//! Whatever goes wrong here is a failed test, so these helpers panic with what they saw.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test helpers: a panic is a failed test, and shows what was seen"
)]

pub mod bombs;
mod company;
mod oracle;
/// A real PostgreSQL server, as the tests of the store have it.
#[path = "../../host/store/tests/common/server.rs"]
pub mod postgres;
mod server;

pub use company::{Company, order};
pub use oracle::{beancount, beancount2ledger, componentize_py, moto, openapi_validator, require};
pub use server::{Answer, Place, Reply, Server, backroom, binary};

use std::path::PathBuf;

/// The top folder of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests folder has a parent").to_owned()
}

/// A source of test choices that can be played again: xorshift64* seeded by `BACKROOM_SEED` or the time, and printed.
pub struct Choices(u64);

impl Choices {
    /// From the environment or the clock.
    pub fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let seed: u64 = match std::env::var("BACKROOM_SEED") {
            Ok(text) => text.parse().expect("BACKROOM_SEED is a number"),
            Err(_) => now.subsec_nanos().into(),
        };
        eprintln!("choices: repeat with BACKROOM_SEED={seed}");
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % bound
    }
}

impl Default for Choices {
    fn default() -> Self {
        Self::new()
    }
}
