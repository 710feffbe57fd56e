//! A group of entries as one transaction, sent at once: write the records, move the heads, append to the log, commit.
//!
//! READ COMMITTED, and serializable all the same: every change of a tenant's records moves its head, a run read everything
//! at the head that its entry follows, and nothing is kept if the head is another one by now. A stricter level would only make
//! hosts fail where they wait for each other at the end of the log.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::block::Pipeline;
use super::core::{Core, number_of, revision_of};
use super::failure::Failure;
use super::layout::Layout;
use super::pool::Connection;
use super::queue::Pending;
use crate::index::STRIDE;
use crate::key::split_key;
use crate::record::Record as _;
use crate::records::QueuePlace;
use crate::records::sql::Datum;
use crate::types::{Head, Revision, TenantNo};

/// First, and last: see the functions.
const ADVANCE: &str = "SELECT backroom.advance($1, $2, $3, $4, $5)";
const APPEND: &str = "SELECT backroom.append($1, $2, $3, $4, $5, $6, $7, $8, $9)";

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

impl Call<'_> {
    async fn send(&self, connection: &Connection) -> Result<Vec<Row>, Error> {
        let parameters: Vec<_> = self.parameters.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        connection.query(&self.statement, &parameters).await
    }
}

/// The newest state of each record that a group changes: by table, then by tenant and key.
type Tables<'a> = BTreeMap<usize, BTreeMap<(TenantNo, &'a [u8]), Newest<'a>>>;

struct Newest<'a> {
    body: Option<&'a [u8]>,
    columns: &'a [Datum],
}

/// Commits the group; gives the revision of its first entry, and says in `committing` when only the commit itself is left.
/// If the connection is lost its entries are in doubt; after any other failure nothing was kept.
pub(super) async fn commit(
    connection: &Connection,
    core: &Core,
    group: &mut [Pending],
    committing: &OnceLock<Instant>,
) -> Result<Revision, Failure> {
    let error = match transact(connection, core, group, committing).await {
        Ok(first) => return Ok(first),
        Err(error) => error,
    };
    let failure = Failure::of(&error);
    if matches!(failure, Failure::Lost(_)) {
        group.iter_mut().for_each(|entry| entry.in_doubt = true);
    }
    Err(failure)
}

async fn transact(
    connection: &Connection,
    core: &Core,
    group: &[Pending],
    committing: &OnceLock<Instant>,
) -> Result<Revision, Error> {
    let mut calls: Vec<Call<'_>> = fences(connection, group).await?.into_iter().collect();
    for (segment, records) in tables(&core.layout, group) {
        write(connection, &core.layout, segment, &records, &mut calls).await?;
    }
    // Behind the records, so that a group of the same tenants is written while the one before it commits.
    calls.push(advance(connection, group).await?);
    calls.push(append(connection, &core.host, group).await?);
    let mut pipeline = Pipeline::new();
    pipeline.push(control(connection, "BEGIN"));
    for call in &calls {
        pipeline.push(call.send(connection));
    }
    pipeline.push(control(connection, "COMMIT"));
    pipeline.all_but(1).await;
    committing.get_or_init(Instant::now);
    // The first error is the one that counts. COMMIT of a failed transaction is no error, but then one before it was.
    let answers: Vec<Vec<Row>> = pipeline.answers().await.into_iter().collect::<Result<_, _>>()?;
    let before: i64 = answers.iter().rev().find_map(|rows| rows.first()).map_or(0, |row| row.get(0));
    Ok(revision_of(before) + 1)
}

async fn control(connection: &Connection, word: &str) -> Result<Vec<Row>, Error> {
    connection.batch_execute(word).await.map(|()| Vec::new())
}

/// The first entry of each tenant says which head it must have, the last one which head it gets.
async fn advance(connection: &Connection, group: &[Pending]) -> Result<Call<'static>, Error> {
    let mut heads = BTreeMap::new();
    for entry in group {
        heads.entry(entry.tenant).or_insert((entry.follows, entry.head)).1 = entry.head;
    }
    let tenants: Vec<i64> = heads.keys().map(|tenant| i64::from(tenant.0)).collect();
    let numbers = |of: fn(&(Head, Head)) -> Head| heads.values().map(of).map(|head| number_of(head.number)).collect();
    let hashes = |of: fn(&(Head, Head)) -> Head| heads.values().map(of).map(|head| head.hash.0.to_vec()).collect();
    let (old, new): (Vec<i64>, Vec<i64>) = (numbers(|heads| heads.0), numbers(|heads| heads.1));
    let (old_hashes, new_hashes): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (hashes(|heads| heads.0), hashes(|heads| heads.1));
    Ok(Call {
        statement: connection.statement(ADVANCE).await?,
        parameters: vec![Box::new(tenants), Box::new(old), Box::new(old_hashes), Box::new(new), Box::new(new_hashes)],
    })
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

async fn append<'a>(connection: &Connection, host: &'a str, group: &'a [Pending]) -> Result<Call<'a>, Error> {
    let tenants: Vec<i64> = group.iter().map(|entry| i64::from(entry.tenant.0)).collect();
    let numbers: Vec<i64> = group.iter().map(|entry| number_of(entry.head.number)).collect();
    let prevs: Vec<&[u8]> = group.iter().map(|entry| &entry.follows.hash.0[..]).collect();
    let hashes: Vec<&[u8]> = group.iter().map(|entry| &entry.head.hash.0[..]).collect();
    let payloads: Vec<&[u8]> = group.iter().map(|entry| &entry.payload[..]).collect();
    Ok(Call {
        statement: connection.statement(APPEND).await?,
        parameters: vec![
            Box::new(tenants),
            Box::new(numbers),
            Box::new(prevs),
            Box::new(hashes),
            Box::new(payloads),
            Box::new(number_of(STRIDE)),
            Box::new(host),
            Box::new(notice(group)),
            Box::new(queues(group)),
        ],
    })
}

/// Whether a run is queued.
fn queues(group: &[Pending]) -> bool {
    group.iter().flat_map(|entry| &entry.rows).any(|row| {
        let space = split_key(&row.change.key).map(|(_, space, _)| space);
        space == Some(QueuePlace::SPACE) && row.change.value.is_some()
    })
}

/// The tenants with their new numbers, for the other hosts; nothing if that would be too long.
fn notice(group: &[Pending]) -> String {
    let last: BTreeMap<_, _> = group.iter().map(|entry| (entry.tenant, entry.head.number)).collect();
    let words: Vec<_> = last.iter().map(|(tenant, number)| format!("{tenant}:{number}")).collect();
    let notice = words.join(",");
    if notice.len() > NOTICE { String::new() } else { notice }
}
