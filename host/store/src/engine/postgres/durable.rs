//! A snapshot of the database: one transaction that sees one moment, for as long as it is held.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::block::{Pipeline, Sent, block_on};
use super::core::{Core, query_as};
use super::failure::Failure;
use super::layout::{Layout, Piece};
use super::pool::{Connection, Leased};
use crate::engine::{KeyRange, Pairs, Snapshot, Value, range_is_empty};
use crate::error::StoreError;
use crate::types::{Revision, TenantNo};

/// Records that are read at once by a scan: at first as many as are wanted and no more than this (each reading is a round trip,
/// but records may be large), then twice as many each time.
const FIRST_CHUNK: i64 = 128;
/// The fewest after the first.
const NEXT_CHUNK: i64 = 16;
/// The most.
const LARGEST_CHUNK: i64 = 512;

/// A transaction that was begun when the snapshot was asked for.
pub(super) struct Durable {
    core: Arc<Core>,
    revision: Revision,
    /// One read at a time: each sets the tenant first.
    leased: Mutex<Leased>,
}

impl Durable {
    pub(super) fn begin(core: Arc<Core>) -> Result<Self, StoreError> {
        let (leased, revision) = core.begin_reading()?;
        core.now_durable(revision);
        core.snapshots.fetch_add(1, Ordering::Relaxed);
        Ok(Self { core, revision, leased: Mutex::new(leased) })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, StoreError> {
        let leased = self.leased.lock();
        read(leased.get()?).map_err(|error| match Failure::of(&error) {
            // Its moment went with the connection.
            Failure::Lost(_) => StoreError::Expired,
            _ => Failure::read(&error),
        })
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        self.core.snapshots.fetch_sub(1, Ordering::Relaxed);
        if let Ok(connection) = self.leased.get_mut().get() {
            // Whoever uses the connection next comes behind it.
            drop(Sent::new(connection.batch_execute("COMMIT")));
        }
    }
}

impl Snapshot for Durable {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        let Some((tenant, segment, key)) = self.core.layout.locate(key) else { return Ok(None) };
        let Some(segment) = self.core.layout.segment(segment) else { return Ok(None) };
        let number = i64::from(tenant.0);
        let rows = self.read(|connection| {
            query_as(connection, tenant, &connection.prepared(&segment.sql.get_at)?, &[&number, &key])
        })?;
        Ok(rows.first().map(|row| value(row, 0)))
    }

    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_> {
        let read = move |tenant: TenantNo, piece: &Piece<'_>, limit: i64| {
            let sql = piece.segment.scan(piece.to.is_some(), reverse, false);
            let number = i64::from(tenant.0);
            self.read(|connection| {
                let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&number, &piece.from, &limit];
                if let Some(to) = &piece.to {
                    parameters.push(to);
                }
                query_as(connection, tenant, &connection.prepared(&sql)?, &parameters)
            })
        };
        Box::new(Scan::new(&self.core.layout, &range, reverse, wanted, read))
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let sql = next_tenant_sql(&self.core.layout);
        let from = i64::from(from.0);
        let rows = self.read(|connection| {
            let parameters: [&(dyn ToSql + Sync); 1] = [&from];
            let statement = connection.prepared(&sql)?;
            let mut pipeline = Pipeline::new();
            // The one question that is not about a single tenant.
            pipeline.push(role(connection, "SET LOCAL ROLE NONE"));
            pipeline.push(connection.query(&statement, &parameters));
            pipeline.push(role(connection, "SET LOCAL ROLE backroom_reader"));
            let mut answers = block_on(pipeline).into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(answers.swap_remove(1))
        })?;
        Ok(tenant_of(&rows))
    }
}

async fn role(connection: &Connection, sql: &str) -> Result<Vec<Row>, Error> {
    connection.batch_execute(sql).await.map(|()| Vec::new())
}

/// The first tenant that has a record in any table.
pub(super) fn next_tenant_sql(layout: &Layout) -> String {
    let mut tables = layout.names();
    tables.extend(["chain_head", "chain_index"]);
    let each: Vec<_> = tables
        .iter()
        .map(|table| format!("SELECT min(tenant) AS tenant FROM backroom.{table} WHERE tenant >= $1"))
        .collect();
    format!("SELECT min(tenant) FROM ({}) AS every", each.join(" UNION ALL "))
}

pub(super) fn tenant_of(rows: &[Row]) -> Option<TenantNo> {
    let tenant: Option<i64> = rows.first().and_then(|row| row.get(0));
    tenant.and_then(|tenant| u32::try_from(tenant).ok()).map(TenantNo)
}

/// The bytes of a column.
pub(super) fn value(row: &Row, at: usize) -> Value {
    Value::from(Arc::<[u8]>::from(row.get::<_, &[u8]>(at)))
}

/// Reads table after table, each piece by piece. `read` gives the rows of one piece: key and body first.
pub(super) struct Scan<'a, Read> {
    tenant: TenantNo,
    /// Still to be read; the next one is the last.
    pieces: Vec<Piece<'a>>,
    reverse: bool,
    chunk: i64,
    ready: VecDeque<(Value, Value)>,
    read: Read,
}

impl<'a, Read> Scan<'a, Read>
where
    Read: Fn(TenantNo, &Piece<'a>, i64) -> Result<Vec<Row>, StoreError>,
{
    pub(super) fn new(layout: &'a Layout, range: &KeyRange, reverse: bool, wanted: usize, read: Read) -> Self {
        let found = if range_is_empty(range) { None } else { layout.pieces(range) };
        let (tenant, mut pieces) = found.unwrap_or_default();
        if !reverse {
            pieces.reverse();
        }
        let chunk = i64::try_from(wanted).unwrap_or(FIRST_CHUNK).clamp(1, FIRST_CHUNK);
        Self { tenant, pieces, reverse, chunk, ready: VecDeque::new(), read }
    }

    fn fill(&mut self, mut piece: Piece<'a>) -> Result<(), StoreError> {
        let limit = self.chunk;
        self.chunk = (limit * 2).clamp(NEXT_CHUNK, LARGEST_CHUNK);
        let rows = (self.read)(self.tenant, &piece, limit)?;
        // A scan that brings the head of the chain along has a row without a key if it found nothing.
        let rows: Vec<_> = rows.iter().filter(|row| row.get::<_, Option<&[u8]>>(0).is_some()).collect();
        for row in &rows {
            let key = piece.segment.full_key(self.tenant, row.get(0));
            self.ready.push_back((Value::from(Arc::<[u8]>::from(key)), value(row, 1)));
        }
        if i64::try_from(rows.len()).is_ok_and(|found| found == limit)
            && let Some(last) = rows.last()
        {
            let last: &[u8] = last.get(0);
            if self.reverse {
                piece.to = Some(last.to_vec());
            } else {
                piece.from = [last, &[0]].concat();
            }
            self.pieces.push(piece);
        }
        Ok(())
    }
}

impl<'a, Read> Iterator for Scan<'a, Read>
where
    Read: Fn(TenantNo, &Piece<'a>, i64) -> Result<Vec<Row>, StoreError>,
{
    type Item = Result<(Value, Value), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(pair) = self.ready.pop_front() {
                return Some(Ok(pair));
            }
            let piece = self.pieces.pop()?;
            if let Err(error) = self.fill(piece) {
                self.pieces.clear();
                return Some(Err(error));
            }
        }
    }
}
