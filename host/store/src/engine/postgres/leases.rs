//! Leases in a table. The clock is that of the database: hosts need not agree on the time.

use std::time::Duration;

use tokio_postgres::Row;

use super::Postgres;
use super::block::block_on;
use super::core::{number_of, revision_of};
use super::pool::Rights;
use crate::error::StoreError;
use crate::leases::{Held, Lease, Leases, Wake};
use crate::types::TenantNo;

/// A place for every tenant that has a queue.
const PLACES: &str = "INSERT INTO backroom.run_lease (tenant) SELECT DISTINCT tenant FROM backroom.queue_place
    ON CONFLICT (tenant) DO NOTHING";

/// What another host is just taking, or committing under, is left out rather than waited for.
const LEASE: &str = "UPDATE backroom.run_lease l
    SET owner = $1, fence = l.fence + 1, leased_at = clock_timestamp(),
        lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
    FROM (SELECT f.tenant FROM backroom.run_lease f
        WHERE f.lease_until < clock_timestamp() AND EXISTS (SELECT FROM backroom.queue_place q WHERE q.tenant = f.tenant)
        ORDER BY f.leased_at, f.tenant LIMIT $2 FOR UPDATE SKIP LOCKED) AS free
    WHERE l.tenant = free.tenant RETURNING l.tenant, l.fence";

/// Locked in the order of tenants, as by those who commit.
const RENEW: &str =
    "UPDATE backroom.run_lease l SET lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond'
    FROM (SELECT o.tenant FROM backroom.run_lease o JOIN unnest($2::bigint[], $3::bigint[]) AS e(tenant, fence)
            ON e.tenant = o.tenant AND e.fence = o.fence
        WHERE o.owner = $1 ORDER BY o.tenant FOR UPDATE OF o) AS own
    WHERE l.tenant = own.tenant RETURNING l.tenant, l.fence";

const RELEASE: &str = "UPDATE backroom.run_lease
    SET owner = NULL, lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
    WHERE tenant = $1 AND fence = $2";

const HELD: &str = "SELECT tenant, fence, owner FROM backroom.run_lease
    WHERE owner IS NOT NULL AND lease_until >= clock_timestamp() ORDER BY tenant";

impl Leases for Postgres {
    fn lease(&self, owner: &str, limit: usize, ttl: Duration) -> Result<Vec<Lease>, StoreError> {
        let (limit, ttl) = (number_of(limit as u64), millis(ttl));
        let rows = self.core.reading(Rights::Owner, |connection| {
            block_on(connection.execute(&connection.prepared(PLACES)?, &[]))?;
            block_on(connection.query(&connection.prepared(LEASE)?, &[&owner, &limit, &ttl]))
        })?;
        Ok(rows.iter().filter_map(lease_of).collect())
    }

    fn renew(&self, owner: &str, leases: &[Lease], ttl: Duration) -> Result<Vec<Lease>, StoreError> {
        let tenants: Vec<i64> = leases.iter().map(|lease| i64::from(lease.tenant.0)).collect();
        let fences: Vec<i64> = leases.iter().map(|lease| number_of(lease.fence)).collect();
        let ttl = millis(ttl);
        let rows = self.core.reading(Rights::Owner, |connection| {
            block_on(connection.query(&connection.prepared(RENEW)?, &[&owner, &tenants, &fences, &ttl]))
        })?;
        Ok(rows.iter().filter_map(lease_of).collect())
    }

    fn release(&self, lease: Lease, pause: Duration) -> Result<(), StoreError> {
        let (tenant, fence, pause) = (i64::from(lease.tenant.0), number_of(lease.fence), millis(pause));
        self.core.reading(Rights::Owner, |connection| {
            block_on(connection.execute(&connection.prepared(RELEASE)?, &[&tenant, &fence, &pause])).map(|_| ())
        })
    }

    fn on_queued(&self, wake: Wake) {
        self.core.on_queued(wake);
    }

    fn held(&self) -> Result<Vec<Held>, StoreError> {
        let rows = self
            .core
            .reading(Rights::Owner, |connection| block_on(connection.query(&connection.prepared(HELD)?, &[])))?;
        Ok(rows.iter().filter_map(|row| Some(Held { lease: lease_of(row)?, owner: row.get(2) })).collect())
    }
}

fn lease_of(row: &Row) -> Option<Lease> {
    let tenant = u32::try_from(row.get::<_, i64>(0)).ok()?;
    Some(Lease { tenant: TenantNo(tenant), fence: revision_of(row.get(1)) })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
