//! A group of entries as one statement: move the heads on, write the records, append to the log.
//!
//! READ COMMITTED, and serializable all the same: the heads are locked and compared first, every change of a tenant's
//! records moves its head, and a run read everything at the head that its entry follows. A stricter level would only make
//! hosts fail where they wait for each other at the end of the log.
//!
//! What is part of one statement sees what was committed when it began. That is enough, as a statement is sent only once what
//! it follows is committed, or behind that on the same connection: of the tenants that are written, nobody has committed
//! anything since if their heads are found unmoved. Only the end of the log belongs to all, so what appends is a function, which
//! sees what is committed by then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::block::{Pipeline, Sent};
use super::core::{number_of, revision_of};
use super::layout::{ADVANCED, Layout, Segment, Template};
use super::pool::Connection;
use super::queue::Pending;
use crate::index::STRIDE;
use crate::records::sql::Datum;
use crate::types::{Head, Revision, TenantNo};

/// All statements are by primary key. A plan made while a table was small must not outlive that.
pub(super) const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET plan_cache_mode = force_generic_plan;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// NOTIFY takes less than 8,000 bytes.
const NOTICE: usize = 7_000;

type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// The statement that is put together.
struct Writing<'a> {
    /// Its queries, each with its name.
    with: Vec<String>,
    /// What the last one waits for: queries of one row each, and those whose rows it does not need.
    checks: Vec<&'static str>,
    changes: Vec<String>,
    parameters: Vec<Parameter<'a>>,
}

/// The newest state of each record that a group changes: by table, then by tenant and key.
type Tables<'a> = BTreeMap<usize, BTreeMap<(TenantNo, &'a [u8]), Newest<'a>>>;

struct Newest<'a> {
    body: Option<&'a [u8]>,
    columns: &'a [Datum],
}

/// Commits the group; gives the revision of its first entry. After an error whose [`Failure`](super::failure::Failure) is
/// not that the connection was lost, nothing was kept. Everything is sent when it is polled for the first time, unless the
/// statement is new; `written` is set when nothing is left but to commit it, and never if that is not told apart.
pub(super) async fn commit(
    connection: &Connection,
    layout: &Layout,
    host: &str,
    group: &[Pending],
    written: &AtomicBool,
) -> Result<Revision, Error> {
    let (sql, parameters) = statement(layout, host, group);
    let statement = connection.statement(&sql).await?;
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|p| &**p as &(dyn ToSql + Sync)).collect();
    let rows = if group.len() == 1 {
        // A transaction by itself. Most likely there was nobody to share it with, and so nobody waits behind it.
        connection.query(&statement, &parameters).await?
    } else {
        let mut pipeline = Pipeline::new();
        pipeline.push(control(connection, "BEGIN"));
        pipeline.push(connection.query(&statement, &parameters));
        let committing = Sent::new(control(connection, "COMMIT"));
        // The first error is the one that counts. COMMIT of a failed transaction is no error, but then one before it was.
        let answers: Result<Vec<Vec<Row>>, Error> = pipeline.await.into_iter().collect();
        written.store(answers.is_ok(), Ordering::Relaxed);
        let committed = committing.await;
        let rows = answers?.pop().unwrap_or_default();
        committed?;
        rows
    };
    Ok(revision_of(rows.first().map_or(0, |row| row.get(0))) + 1)
}

async fn control(connection: &Connection, word: &str) -> Result<Vec<Row>, Error> {
    connection.batch_execute(word).await.map(|()| Vec::new())
}

/// What commits the group. The same tables give the same text.
fn statement<'a>(layout: &Layout, host: &'a str, group: &'a [Pending]) -> (String, Vec<Parameter<'a>>) {
    let mut writing = Writing { with: Vec::new(), checks: Vec::new(), changes: Vec::new(), parameters: Vec::new() };
    writing.advance(group);
    writing.check_fences(group);
    for (segment, records) in tables(layout, group) {
        if let Some(segment) = layout.segment(segment) {
            writing.write(segment, &records);
        }
    }
    let append = writing.append(host, group);
    let Writing { with, checks, changes, parameters } = writing;
    let mut sql = format!("WITH {} SELECT backroom.append({append}) FROM {}", with.join(", "), checks.join(", "));
    if !changes.is_empty() {
        // Nobody needs the number of rows, but who counts them waits for them. Were they joined, the planner would think about the
        // best order for them.
        let done = changes.iter().map(|name| format!("(SELECT count(*) FROM {name}) >= 0"));
        sql.push_str(" WHERE ");
        sql.push_str(&done.collect::<Vec<_>>().join(" AND "));
    }
    (sql, parameters)
}

impl<'a> Writing<'a> {
    /// The number of the next parameter.
    fn next(&self) -> usize {
        self.parameters.len() + 1
    }

    /// Takes parameters; gives how they are named in the statement.
    fn give<const N: usize>(&mut self, parameters: [Parameter<'a>; N]) -> String {
        let names: Vec<_> = (self.next()..).take(N).map(|number| format!("${number}")).collect();
        self.parameters.extend(parameters);
        names.join(", ")
    }

    /// The first entry of each tenant says which head it must have, the last one which it gets.
    fn advance(&mut self, group: &'a [Pending]) {
        let mut heads = BTreeMap::<TenantNo, (&Head, &Head)>::new();
        for entry in group {
            heads.entry(entry.tenant).or_insert((&entry.follows, &entry.head)).1 = &entry.head;
        }
        let tenants: Vec<i64> = heads.keys().map(|tenant| i64::from(tenant.0)).collect();
        let (follows, last): (Vec<&Head>, Vec<&Head>) = heads.into_values().unzip();
        let numbers = |heads: &[&Head]| heads.iter().map(|head| number_of(head.number)).collect::<Vec<i64>>();
        let hashes = |heads: Vec<&'a Head>| heads.into_iter().map(|head| &head.hash.0[..]).collect::<Vec<&[u8]>>();
        let (from, to) = (numbers(&follows), numbers(&last));
        let given = self.give([
            Box::new(tenants),
            Box::new(from),
            Box::new(hashes(follows)),
            Box::new(to),
            Box::new(hashes(last)),
        ]);
        self.with.push(format!("{ADVANCED} AS MATERIALIZED (SELECT backroom.advance({given}))"));
        self.checks.push(ADVANCED);
    }

    /// A host that was frozen and lost its lease meanwhile keeps nothing.
    fn check_fences(&mut self, group: &[Pending]) {
        let fenced: Vec<_> = group.iter().filter_map(|entry| Some((entry.tenant, entry.fence?))).collect();
        if fenced.is_empty() {
            return;
        }
        let tenants: Vec<i64> = fenced.iter().map(|(tenant, _)| i64::from(tenant.0)).collect();
        let fences: Vec<i64> = fenced.iter().map(|(_, fence)| number_of(*fence)).collect();
        let given = self.give([Box::new(tenants), Box::new(fences)]);
        self.with.push(format!("fenced AS MATERIALIZED (SELECT backroom.check_fences({given}) FROM {ADVANCED})"));
        self.checks.push("fenced");
    }

    /// What is set in one table, and what is deleted.
    fn write(&mut self, segment: &Segment, records: &BTreeMap<(TenantNo, &'a [u8]), Newest<'a>>) {
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
            parameters.extend((0..segment.columns()).map(|at| column(&rows, at)));
            self.change(&segment.sql.upsert, parameters);
        }
        if !gone_keys.is_empty() {
            self.change(&segment.sql.delete, vec![Box::new(gone_tenants), Box::new(gone_keys)]);
        }
    }

    fn change(&mut self, template: &Template, parameters: Vec<Parameter<'a>>) {
        let name = format!("w{}", self.changes.len());
        self.with.push(format!("{name} AS ({})", template.text(self.next())));
        self.changes.push(name);
        self.parameters.extend(parameters);
    }

    /// What the last query is given, the only one that other hosts wait for: revisions, log and index. It answers with the revision
    /// before the first entry.
    fn append(&mut self, host: &'a str, group: &'a [Pending]) -> String {
        let tenants: Vec<i64> = group.iter().map(|entry| i64::from(entry.tenant.0)).collect();
        let numbers: Vec<i64> = group.iter().map(|entry| number_of(entry.head.number)).collect();
        let prevs: Vec<&[u8]> = group.iter().map(|entry| &entry.follows.hash.0[..]).collect();
        let hashes: Vec<&[u8]> = group.iter().map(|entry| &entry.head.hash.0[..]).collect();
        let payloads: Vec<&[u8]> = group.iter().map(|entry| &entry.payload[..]).collect();
        self.give([
            Box::new(tenants),
            Box::new(numbers),
            Box::new(prevs),
            Box::new(hashes),
            Box::new(payloads),
            Box::new(number_of(STRIDE)),
            Box::new(host),
            Box::new(notice(group)),
        ])
    }
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

/// The tenants with their new numbers, for the other hosts; nothing if that would be too long.
fn notice(group: &[Pending]) -> String {
    let last: BTreeMap<_, _> = group.iter().map(|entry| (entry.tenant, entry.head.number)).collect();
    let words: Vec<_> = last.iter().map(|(tenant, number)| format!("{tenant}:{number}")).collect();
    let notice = words.join(",");
    if notice.len() > NOTICE { String::new() } else { notice }
}
