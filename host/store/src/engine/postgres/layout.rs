//! Which key stands in which table, and the statements that read it.

use std::fmt::Write as _;
use std::ops::Bound;

use crate::engine::KeyRange;
use crate::index::SYSTEM_SPACE;
use crate::key::split_key;
use crate::records::sql::{Kind, Table};
use crate::types::TenantNo;

/// The tables in key order: each holds a run of record spaces.
pub(super) struct Layout {
    segments: Vec<Segment>,
}

/// A table and its place in the order of keys.
pub(super) struct Segment {
    first: u8,
    last: u8,
    name: String,
    /// Whether the space byte is part of the key, in the table that several spaces share.
    shared: bool,
    pub(super) typed: Option<&'static Table>,
    pub(super) sql: Sql,
}

/// Says whose rows may be seen, before anything else of the same statement is looked at: whatever is joined to it is the
/// inner side of a loop. With the head of the chain beside it. Were it told too late, there would be no head to be seen.
const TOLD: &str = "(SELECT set_config('backroom.tenant', $1::bigint::text, false)) AS told(tenant) \
     LEFT JOIN backroom.chain_head h ON h.tenant = $1 AND told.tenant IS NOT NULL";

/// The same for several tenants, one after the other, in a statement that has `k(tenant, n)` in front.
macro_rules! each_told {
    () => {
        "CROSS JOIN LATERAL (SELECT set_config('backroom.tenant', k.tenant::text, false)) AS told(tenant) \
         LEFT JOIN LATERAL (SELECT number, hash FROM backroom.chain_head \
             WHERE told.tenant IS NOT NULL AND tenant = k.tenant LIMIT 1) AS h ON true"
    };
}

/// The heads of chains: for each of the tenants its place among them, and number and hash.
pub(super) const HEADS: &str = concat!(
    "SELECT k.n, h.number, h.hash, NULL::bytea FROM unnest($1::bigint[]) WITH ORDINALITY AS k(tenant, n) ",
    each_told!()
);

/// What a group of entries does first; whatever reads from it comes after it.
pub(super) const ADVANCED: &str = "advanced";

/// The statements of one table.
pub(super) struct Sql {
    /// Records of several tenants: for each its place among those that are asked for, the head of its chain, and the body if
    /// there is one.
    pub(super) read: String,
    /// One record.
    pub(super) get_at: String,
    /// What a group of entries does to the table, once the heads were moved on.
    pub(super) upsert: Template,
    pub(super) delete: Template,
}

/// A query within a statement. Its parameters are the columns of the rows that it is about, one array for each.
pub(super) struct Template {
    before: String,
    types: Vec<&'static str>,
    after: String,
}

impl Template {
    /// Its text, with parameters from number `first` on.
    pub(super) fn text(&self, first: usize) -> String {
        let numbered = (first..).zip(&self.types).map(|(number, kind)| format!("${number}::{kind}[]"));
        [&self.before, &*numbered.collect::<Vec<_>>().join(", "), &self.after].concat()
    }
}

/// Which part of a table a scan reads.
pub(super) struct Piece<'a> {
    pub(super) segment: &'a Segment,
    /// Inclusive.
    pub(super) from: Vec<u8>,
    /// Exclusive; none is the end of the table.
    pub(super) to: Option<Vec<u8>>,
}

impl Layout {
    pub(super) fn new(tables: &'static [Table]) -> Self {
        let mut typed: Vec<&'static Table> = tables.iter().collect();
        typed.sort_by_key(|table| table.space);
        let mut segments = vec![Segment::new(SYSTEM_SPACE, SYSTEM_SPACE, "chain", None)];
        let mut next = SYSTEM_SPACE + 1;
        for table in typed {
            if next < table.space {
                segments.push(Segment::new(next, table.space - 1, "record", None));
            }
            segments.push(Segment::new(table.space, table.space, table.name, Some(table)));
            next = table.space.saturating_add(1);
        }
        if segments.last().is_some_and(|segment| segment.last < u8::MAX) {
            segments.push(Segment::new(next, u8::MAX, "record", None));
        }
        Self { segments }
    }

    /// The tables beside the one of the chains, each once: for statements over all of them.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.segments.iter().skip(1).map(|segment| segment.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Tenant, place of the segment and the key as it stands in that table.
    pub(super) fn locate<'k>(&self, full: &'k [u8]) -> Option<(TenantNo, usize, &'k [u8])> {
        let (tenant, space, within) = split_key(full)?;
        let at = self.segments.iter().position(|segment| space >= segment.first && space <= segment.last)?;
        let shared = self.segments.get(at)?.shared;
        Some((tenant, at, if shared { full.get(4..)? } else { within }))
    }

    pub(super) fn segment(&self, at: usize) -> Option<&Segment> {
        self.segments.get(at)
    }

    /// The tenant of a range, and what is to be read of each table that it touches, in key order.
    pub(super) fn pieces(&self, range: &KeyRange) -> Option<(TenantNo, Vec<Piece<'_>>)> {
        // As bounds that include their beginning and exclude their end.
        let behind = |key: &[u8]| [key, &[0]].concat();
        let from = match &range.0 {
            Bound::Included(key) => key.clone(),
            Bound::Excluded(key) => behind(key),
            Bound::Unbounded => return None,
        };
        let (tenant, within) = from.split_first_chunk::<4>()?;
        let tenant = TenantNo(u32::from_be_bytes(*tenant));
        let to = match &range.1 {
            Bound::Included(key) => Some(behind(key)),
            Bound::Excluded(key) => Some(key.clone()),
            Bound::Unbounded => None,
        };
        // The end of the tenant is the end of every table. A bound of another tenant can only be that of the next one.
        let end = to.as_deref().and_then(|to| to.strip_prefix(&tenant.0.to_be_bytes()));
        let pieces = self.segments.iter().filter_map(|segment| segment.piece(within, end)).collect();
        Some((tenant, pieces))
    }
}

impl Segment {
    fn new(first: u8, last: u8, name: &str, typed: Option<&'static Table>) -> Self {
        Self {
            first,
            last,
            name: name.to_owned(),
            shared: typed.is_none() && first != SYSTEM_SPACE,
            typed,
            sql: Sql::new(name, typed),
        }
    }

    /// What of this table lies between the two, both beginning with the space byte.
    fn piece(&self, from: &[u8], end: Option<&[u8]>) -> Option<Piece<'_>> {
        let begins: &[u8] = &[self.first];
        let ends = self.last.checked_add(1);
        if ends.is_some_and(|ends| from >= &[ends][..]) || end.is_some_and(|end| end <= begins) {
            return None;
        }
        let from = if from > begins { from } else { begins };
        let to = match (end, ends) {
            (Some(end), Some(ends)) if end >= &[ends][..] => Some(vec![ends]),
            (Some(end), _) => Some(end.to_vec()),
            (None, ends) => ends.map(|ends| vec![ends]),
        };
        if self.shared {
            return Some(Piece { segment: self, from: from.to_vec(), to });
        }
        // Without the space byte, which all keys of the table share.
        let to = to.filter(|to| to.first() == Some(&self.first)).map(|to| to.get(1..).unwrap_or_default().to_vec());
        Some(Piece { segment: self, from: from.get(1..).unwrap_or_default().to_vec(), to })
    }

    /// How many columns are promoted.
    pub(super) fn columns(&self) -> usize {
        self.typed.map_or(0, |table| table.columns.len())
    }

    /// The full key of a key as it stands in this table.
    pub(super) fn full_key(&self, tenant: TenantNo, key: &[u8]) -> Vec<u8> {
        let mut full = Vec::with_capacity(5 + key.len());
        full.extend_from_slice(&tenant.0.to_be_bytes());
        if !self.shared {
            full.push(self.first);
        }
        full.extend_from_slice(key);
        full
    }

    /// The statement for a scan: tenant, from, limit, and the end if there is one. With the head of the chain in front of
    /// each row if that is wanted; then there is one row even if nothing was found.
    pub(super) fn scan(&self, bounded: bool, reverse: bool, with_head: bool) -> String {
        let table = &self.name;
        let end = if bounded { " AND key < $4" } else { "" };
        let order = if reverse { "DESC" } else { "ASC" };
        let rows = format!(
            "SELECT key, body FROM backroom.{table} WHERE tenant = $1 AND key >= $2{end} ORDER BY key {order} LIMIT $3"
        );
        if !with_head {
            return rows;
        }
        format!(
            "SELECT r.key, r.body, h.number, h.hash FROM {TOLD} \
             LEFT JOIN LATERAL ({rows}) AS r ON told.tenant IS NOT NULL ORDER BY r.key {order}"
        )
    }
}

impl Sql {
    fn new(table: &str, typed: Option<&Table>) -> Self {
        let (mut names, mut values, mut sets) = (String::new(), String::new(), String::new());
        let mut types = vec!["bigint", "bytea", "bytea"];
        for column in typed.map_or(&[][..], |table| table.columns) {
            let name = column.name;
            let (array, value) = match column.kind {
                Kind::Text => ("text", format!("u.{name}")),
                Kind::Number => ("text", format!("u.{name}::numeric")),
                Kind::Int => ("bigint", format!("u.{name}")),
                Kind::Bool => ("bigint", format!("u.{name} <> 0")),
                Kind::Date => ("text", format!("u.{name}::date")),
                Kind::Json => ("text", format!("u.{name}::jsonb")),
                Kind::Time => ("bigint", format!("'epoch'::timestamptz + u.{name} * interval '1 microsecond'")),
            };
            types.push(array);
            // Writing to a string cannot fail.
            let _written = write!(names, ", {name}");
            let _written = write!(values, ", {value}");
            let _written = write!(sets, ", {name} = excluded.{name}");
        }
        Self {
            // The inner side looks each key up by itself, whatever plan is thought best.
            read: format!(
                "SELECT k.n, h.number, h.hash, r.body \
                 FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS k(tenant, key, n) {} \
                 LEFT JOIN LATERAL (SELECT body FROM backroom.{table} \
                     WHERE told.tenant IS NOT NULL AND tenant = k.tenant AND key = k.key LIMIT 1) AS r ON true",
                each_told!()
            ),
            get_at: format!("SELECT body FROM backroom.{table} WHERE tenant = $1 AND key = $2"),
            upsert: Template {
                before: format!(
                    "INSERT INTO backroom.{table} (tenant, key, body{names}) SELECT u.tenant, u.key, u.body{values} \
                     FROM {ADVANCED}, unnest("
                ),
                types,
                after: format!(
                    ") AS u(tenant, key, body{names}) \
                     ON CONFLICT (tenant, key) DO UPDATE SET body = excluded.body{sets} RETURNING 1"
                ),
            },
            delete: Template {
                before: format!("DELETE FROM backroom.{table} t USING {ADVANCED}, unnest("),
                types: vec!["bigint", "bytea"],
                after: ") AS d(tenant, key) WHERE t.tenant = d.tenant AND t.key = d.key RETURNING 1".to_owned(),
            },
        }
    }
}
