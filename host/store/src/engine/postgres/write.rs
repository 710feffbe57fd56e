//! A group of entries as one transaction, sent without waiting in between: move the heads on, write the records, append to the log, commit.
//!
//! READ COMMITTED, and serializable all the same: the heads are locked and compared first, every change of a tenant's
//! records moves its head, and a run read everything at the head that its entry follows. A stricter level would only make
//! hosts fail where they wait for each other at the end of the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::block::{Pipeline, Sent};
use super::core::{number_of, revision_of};
use super::layout::Layout;
use super::pool::Connection;
use super::queue::Pending;
use crate::index::STRIDE;
use crate::records::sql::Datum;
use crate::types::{Head, Revision, TenantNo};

const ADVANCE: &str = "SELECT backroom.advance($1, $2, $3, $4, $5)";

/// All statements are by primary key. A plan made while a table was small must not outlive that.
pub(super) const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET plan_cache_mode = force_generic_plan;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// NOTIFY takes less than 8,000 bytes.
const NOTICE: usize = 7_000;

type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// A statement and what it is given.
struct Call<'a> {
    statement: Statement,
    parameters: Vec<Parameter<'a>>,
}

/// The newest state of each record that a group changes: by table, then by tenant and key.
type Tables<'a> = BTreeMap<usize, BTreeMap<(TenantNo, &'a [u8]), Newest<'a>>>;

struct Newest<'a> {
    body: Option<&'a [u8]>,
    columns: &'a [Datum],
}

/// Commits the group; gives the revision of its first entry. After an error whose [`Failure`](super::failure::Failure) is
/// not that the connection was lost, nothing was kept. Everything is sent when it is polled for the first time, unless a
/// statement is new; `written` is set when nothing is left but to commit it.
pub(super) async fn commit(
    connection: &Connection,
    layout: &Layout,
    host: &str,
    group: &[Pending],
    written: &AtomicBool,
) -> Result<Revision, Error> {
    let mut calls = vec![advance(connection, group).await?];
    calls.extend(fences(connection, group).await?);
    for (segment, records) in tables(layout, group) {
        write(connection, layout, segment, &records, &mut calls).await?;
    }
    calls.push(append(connection, host, group).await?);
    let parameters: Vec<Vec<&(dyn ToSql + Sync)>> =
        calls.iter().map(|call| call.parameters.iter().map(|p| &**p as &(dyn ToSql + Sync)).collect()).collect();
    let mut pipeline = Pipeline::new();
    pipeline.push(control(connection, "BEGIN"));
    for (call, parameters) in calls.iter().zip(&parameters) {
        pipeline.push(connection.query(&call.statement, parameters));
    }
    let committing = Sent::new(control(connection, "COMMIT"));
    // The first error is the one that counts. COMMIT of a failed transaction is no error, but then one before it was.
    let answers: Result<Vec<Vec<Row>>, Error> = pipeline.await.into_iter().collect();
    written.store(answers.is_ok(), Ordering::Relaxed);
    let committed = committing.await;
    let answers = answers?;
    committed?;
    let before: i64 = answers.iter().rev().find_map(|rows| rows.first()).map_or(0, |row| row.get(0));
    Ok(revision_of(before) + 1)
}

async fn control(connection: &Connection, word: &str) -> Result<Vec<Row>, Error> {
    connection.batch_execute(word).await.map(|()| Vec::new())
}

/// The first entry of each tenant says which head it must have, the last one which it gets.
async fn advance<'a>(connection: &Connection, group: &'a [Pending]) -> Result<Call<'a>, Error> {
    let mut heads = BTreeMap::<TenantNo, (&Head, &Head)>::new();
    for entry in group {
        heads.entry(entry.tenant).or_insert((&entry.follows, &entry.head)).1 = &entry.head;
    }
    let tenants: Vec<i64> = heads.keys().map(|tenant| i64::from(tenant.0)).collect();
    let mut parameters: Vec<Parameter<'a>> = vec![Box::new(tenants)];
    let (follows, last): (Vec<&Head>, Vec<&Head>) = heads.into_values().unzip();
    for heads in [follows, last] {
        let numbers: Vec<i64> = heads.iter().map(|head| number_of(head.number)).collect();
        let hashes: Vec<&[u8]> = heads.into_iter().map(|head| &head.hash.0[..]).collect();
        parameters.push(Box::new(numbers));
        parameters.push(Box::new(hashes));
    }
    Ok(Call { statement: connection.statement(ADVANCE).await?, parameters })
}

/// A host that was frozen and lost its lease meanwhile keeps nothing.
async fn fences(connection: &Connection, group: &[Pending]) -> Result<Option<Call<'static>>, Error> {
    let fenced: Vec<_> = group.iter().filter_map(|entry| Some((entry.tenant, entry.fence?))).collect();
    if fenced.is_empty() {
        return Ok(None);
    }
    let tenants: Vec<i64> = fenced.iter().map(|(tenant, _)| i64::from(tenant.0)).collect();
    let fences: Vec<i64> = fenced.iter().map(|(_, fence)| number_of(*fence)).collect();
    let statement = connection.statement("SELECT backroom.check_fences($1, $2)").await?;
    Ok(Some(Call { statement, parameters: vec![Box::new(tenants), Box::new(fences)] }))
}

fn tables<'a>(layout: &Layout, group: &'a [Pending]) -> Tables<'a> {
    let mut tables = Tables::new();
    for row in group.iter().flat_map(|entry| &entry.rows) {
        let Some((tenant, _, key)) = layout.locate(&row.change.key) else { continue };
        let newest = Newest { body: row.change.value.as_deref(), columns: &row.columns };
        tables.entry(row.segment).or_default().insert((tenant, key), newest);
    }
    tables
}

/// The statements for one table: what is set, and what is deleted.
async fn write<'a>(
    connection: &Connection,
    layout: &Layout,
    segment: usize,
    records: &BTreeMap<(TenantNo, &'a [u8]), Newest<'a>>,
    calls: &mut Vec<Call<'a>>,
) -> Result<(), Error> {
    let Some(segment) = layout.segment(segment) else { return Ok(()) };
    let (mut tenants, mut keys, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gone_tenants, mut gone_keys) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for ((tenant, key), newest) in records {
        let Some(body) = newest.body else {
            gone_tenants.push(i64::from(tenant.0));
            gone_keys.push(*key);
            continue;
        };
        tenants.push(i64::from(tenant.0));
        keys.push(*key);
        bodies.push(body);
        rows.push(newest.columns);
    }
    if !keys.is_empty() {
        let mut parameters: Vec<Parameter<'a>> = vec![Box::new(tenants), Box::new(keys), Box::new(bodies)];
        for at in 0..segment.columns() {
            parameters.push(column(&rows, at));
        }
        calls.push(Call { statement: connection.statement(&segment.sql.upsert).await?, parameters });
    }
    if !gone_keys.is_empty() {
        let parameters: Vec<Parameter<'a>> = vec![Box::new(gone_tenants), Box::new(gone_keys)];
        calls.push(Call { statement: connection.statement(&segment.sql.delete).await?, parameters });
    }
    Ok(())
}

/// One promoted column of all rows. All values of a column are of one kind.
fn column<'a>(rows: &[&'a [Datum]], at: usize) -> Parameter<'a> {
    let values = || rows.iter().map(|row| row.get(at));
    if values().any(|value| matches!(value, Some(Datum::Int(_)))) {
        let ints = values().map(|value| if let Some(Datum::Int(int)) = value { *int } else { None });
        return Box::new(ints.collect::<Vec<Option<i64>>>());
    }
    let texts = values().map(|value| if let Some(Datum::Text(text)) = value { text.as_deref() } else { None });
    Box::new(texts.collect::<Vec<Option<&'a str>>>())
}

/// The last statement, and the only one that other hosts wait for: revisions, log and index. Answers with the
/// revision before the first entry.
fn append_sql() -> String {
    format!(
        "WITH base AS (
            UPDATE backroom.log_end SET revision = revision + $6::bigint RETURNING revision - $6::bigint AS base
        ), logged AS (
            INSERT INTO backroom.commit_log (revision, tenant, number, prev, hash, payload)
            SELECT base + e.n, e.tenant, e.number, e.prev, e.hash, e.payload
            FROM base, unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])
                WITH ORDINALITY AS e(tenant, number, prev, hash, payload, n)
            RETURNING tenant, number, revision
        ), indexing AS (
            SELECT tenant, min(e.number) AS number, min(e.revision) AS revision
            FROM logged e JOIN backroom.chain_head h USING (tenant)
            WHERE h.indexed = 0 OR e.revision - h.indexed >= {STRIDE} GROUP BY tenant
        ), indexed AS (
            INSERT INTO backroom.chain_index (tenant, number, revision) SELECT tenant, number, revision FROM indexing
        ), marked AS (
            UPDATE backroom.chain_head h SET indexed = i.revision FROM indexing i WHERE h.tenant = i.tenant
        )
        SELECT base, pg_notify('backroom', $7::text || ' ' || (base + $6::bigint)::text || ' ' || $8::text) FROM base"
    )
}

async fn append<'a>(connection: &Connection, host: &'a str, group: &'a [Pending]) -> Result<Call<'a>, Error> {
    let tenants: Vec<i64> = group.iter().map(|entry| i64::from(entry.tenant.0)).collect();
    let numbers: Vec<i64> = group.iter().map(|entry| number_of(entry.head.number)).collect();
    let prevs: Vec<&[u8]> = group.iter().map(|entry| &entry.follows.hash.0[..]).collect();
    let hashes: Vec<&[u8]> = group.iter().map(|entry| &entry.head.hash.0[..]).collect();
    let payloads: Vec<&[u8]> = group.iter().map(|entry| &entry.payload[..]).collect();
    let count = number_of(group.len() as u64);
    Ok(Call {
        statement: connection.statement(&append_sql()).await?,
        parameters: vec![
            Box::new(tenants),
            Box::new(numbers),
            Box::new(prevs),
            Box::new(hashes),
            Box::new(payloads),
            Box::new(count),
            Box::new(host),
            Box::new(notice(group)),
        ],
    })
}

/// The tenants with their new numbers, for the other hosts; nothing if that would be too long.
fn notice(group: &[Pending]) -> String {
    let last: BTreeMap<_, _> = group.iter().map(|entry| (entry.tenant, entry.head.number)).collect();
    let words: Vec<_> = last.iter().map(|(tenant, number)| format!("{tenant}:{number}")).collect();
    let notice = words.join(",");
    if notice.len() > NOTICE { String::new() } else { notice }
}
