//! Bytes that are no records, in a table of their own. Not part of the log: their digests are, and whoever reads them compares.

use super::Postgres;
use super::block::block_on;
use super::pool::Rights;
use crate::engine::Blobs;
use crate::error::StoreError;

impl Blobs for Postgres {
    fn keep_bytes(&self, digest: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO backroom.release_bytes (digest, bytes) VALUES ($1, $2)
            ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes WHERE release_bytes.bytes <> excluded.bytes";
        // Doing it twice, because an answer was lost, does no harm.
        self.core.reading(Rights::Owner, |connection| {
            block_on(connection.execute(&connection.prepared(sql)?, &[&digest, &bytes])).map(|_| ())
        })
    }

    fn read_bytes(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM backroom.release_bytes WHERE digest = $1";
        let row = self.core.reading(Rights::Owner, |connection| {
            block_on(connection.query_opt(&connection.prepared(sql)?, &[&digest]))
        })?;
        Ok(row.map(|row| row.get(0)))
    }
}
