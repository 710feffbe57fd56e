//! Books for the fuzzers to begin with, and bytes.

pub mod bodies;
mod books;
pub mod seeds;

pub use books::{TENANT, acme};

use backroom_domain::Instant;

/// What goes wrong while something is set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The time of everything here: the end of June 2026.
pub const NOW: Instant = Instant(1_782_777_600_000_000);
