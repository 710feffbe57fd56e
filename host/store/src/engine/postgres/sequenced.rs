//! What the holder of a tenant's turn sees: its lane above the database.
//!
//! No transaction is held open. Each read brings the head of the chain along, in the same statement, and counts only if
//! that is a head of this lane: then all reads of the unit of work are of one state, that of the lane's own head.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::block::block_on;
use super::core::{Core, head_of};
use super::durable::{Scan, next_tenant_sql, tenant_of};
use super::failure::unavailable;
use super::lanes::{Known, Lane};
use super::layout::Piece;
use super::pool::Rights;
use super::reads::{Found, Wanted};
use crate::engine::{KeyRange, Pairs, Snapshot, Value};
use crate::error::StoreError;
use crate::index::SYSTEM_SPACE;
use crate::key::split_key;
use crate::merge::Merge;
use crate::ticket::Ticket;
use crate::types::{Head, Revision, TenantNo};

/// The unit of work of one turn.
pub(super) struct Sequenced {
    core: Arc<Core>,
    lane: Arc<Mutex<Lane>>,
    session: u64,
    revision: Revision,
}

impl Sequenced {
    pub(super) fn begin(core: Arc<Core>, tenant: TenantNo) -> Self {
        let session = core.lanes.begin(tenant);
        let lane = core.lanes.of(tenant);
        let revision = core.queue.sequenced(core.durable());
        Self { core, lane, session, revision }
    }

    /// The rows of a piece, once they are known to be of this unit of work's state.
    fn rows(&self, tenant: TenantNo, piece: &Piece<'_>, limit: i64, reverse: bool) -> Result<Vec<Row>, StoreError> {
        let sql = piece.segment.scan(piece.to.is_some(), reverse, true);
        let number = i64::from(tenant.0);
        let rows = self.core.reading(Rights::Reader, |connection| {
            let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&number, &piece.from, &limit];
            if let Some(to) = &piece.to {
                parameters.push(to);
            }
            block_on(connection.query(&connection.prepared(&sql)?, &parameters))
        })?;
        let first = rows.first().ok_or_else(|| unavailable("a scan had no answer"))?;
        let seen = head_of(first, 2)?;
        self.core.lanes.with(&self.lane, |lane| lane.seen(seen, self.session))?;
        Ok(rows)
    }
}

/// The head of the unit of work in progress; asks the database if that was not done yet.
pub(super) fn head(core: &Core, tenant: TenantNo) -> Result<Head, StoreError> {
    let lane = core.lanes.of(tenant);
    let (known, session) = {
        let lane = lane.lock();
        (lane.head()?, lane.session())
    };
    if let Some(head) = known {
        return Ok(head);
    }
    let seen = core.reads.head(&core.layout, tenant)?;
    core.lanes.with(&lane, |lane| lane.seen(seen, session))?;
    let head = lane.lock().head()?;
    head.ok_or(StoreError::Conflict)
}

impl Snapshot for Sequenced {
    fn revision(&self) -> Revision {
        self.revision
    }

    /// The store's own records are those of the last durable entry: they get their place in the committing transaction.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        if let Known::Value(value) = self.lane.lock().get(key, self.session)? {
            return Ok(value.map(Value::from));
        }
        let Some((tenant, segment, within)) = self.core.layout.locate(key) else { return Ok(None) };
        if self.lane.lock().keeps(key) {
            // The head is all that has to be asked for, if it is still the same.
            let seen = self.core.reads.head(&self.core.layout, tenant)?;
            self.core.lanes.with(&self.lane, |lane| lane.seen(seen, self.session))?;
            if let Known::Value(value) = self.lane.lock().get(key, self.session)? {
                return Ok(value.map(Value::from));
            }
        }
        let wanted = Wanted::Record(segment, within.to_vec());
        let found = self.core.reads.ask(&self.core.layout, tenant, vec![wanted])?.pop();
        let Found { head: seen, body: read } = found.ok_or_else(|| unavailable("a read had no answer"))?;
        let own = split_key(key).is_some_and(|(_, space, _)| space == SYSTEM_SPACE);
        let known = self.core.lanes.with(&self.lane, |lane| {
            lane.seen(seen, self.session)?;
            // What was kept before the head was compared is right after all.
            if let Known::Value(value) = lane.get(key, self.session)? {
                return Ok(value);
            }
            if !own {
                lane.keep(key, read.clone());
            }
            Ok(read)
        })?;
        Ok(known.map(Value::from))
    }

    fn sequenced(&self) -> Result<Option<Ticket>, StoreError> {
        self.lane.lock().sequenced(self.session).map(Some)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn prefetch(&self, keys: &[Vec<u8>]) -> Result<(), StoreError> {
        let (mut missing, mut wanted) = (Vec::new(), Vec::new());
        let mut whose = None;
        {
            let lane = self.lane.lock();
            for key in keys.iter().filter(|key| lane.lacks(key)) {
                let Some((tenant, segment, within)) = self.core.layout.locate(key) else { continue };
                whose = Some(tenant);
                missing.push(key);
                wanted.push(Wanted::Record(segment, within.to_vec()));
            }
        }
        // A single one is read when it is asked for.
        let Some(tenant) = whose.filter(|_| missing.len() > 1) else { return Ok(()) };
        let found = self.core.reads.ask(&self.core.layout, tenant, wanted)?;
        self.core.lanes.with(&self.lane, |lane| {
            for (key, Found { head, body }) in missing.into_iter().zip(found) {
                lane.seen(head, self.session)?;
                lane.keep(key, body);
            }
            Ok(())
        })
    }

    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_> {
        // Changes of this turn's time stay in the lane as long as the turn, so they can be taken before or after the rows.
        let begun = self.lane.lock().changes(&range, reverse, self.session);
        let changes = match begun {
            Ok(changes) => changes,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let read = move |tenant: TenantNo, piece: &Piece<'_>, limit: i64| self.rows(tenant, piece, limit, reverse);
        let below = Scan::new(&self.core.layout, &range, reverse, wanted, read);
        Box::new(Merge::new(changes.into_iter(), below, reverse))
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let sql = next_tenant_sql(&self.core.layout);
        let from = i64::from(from.0);
        let rows = self
            .core
            .reading(Rights::Owner, |connection| block_on(connection.query(&connection.prepared(&sql)?, &[&from])))?;
        Ok(tenant_of(&rows))
    }
}
