//! Bounds of the PostgreSQL engine.

use std::time::Duration;

use crate::records::sql::{self, Table};

/// Bounds of the PostgreSQL engine, beside those of every store ([`Options`](crate::Options)).
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The most connections for reading, beside four that are held: for the committer, for the single records that units of
    /// work read, for those that are looked up by themselves, and for hearing of other hosts.
    pub connections: usize,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long the server works on one statement before it gives up; all that is committed at once is one.
    pub statement_timeout: Duration,
    /// How long a unit of work for reading may do nothing before the server takes its snapshot away.
    pub idle_timeout: Duration,
    /// How often this host asks for the last revision, beside being told: it may have missed what it was told.
    pub poll_every: Duration,
    /// Bytes of records that are kept for the next run of their tenants.
    pub cache_bytes: usize,
    /// The tables of the record spaces. Spaces without one share the table `backroom.record`.
    pub tables: &'static [Table],
}

impl Default for PostgresOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            connections: 4 * cores,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            poll_every: Duration::from_secs(1),
            cache_bytes: 64 << 20,
            tables: sql::TABLES,
        }
    }
}
