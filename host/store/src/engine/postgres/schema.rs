//! The schema: numbered migrations, each run once by whichever host comes first.
//!
//! They are only ever added to: columns that may be null, tables, views, functions. So a host of the release before goes on working
//! while hosts of the new one start, and one that meets a schema from the future refuses.

use std::time::Duration;

use super::block::block_on;
use super::failure::{Failure, unavailable, words};
use super::pool::Connection;
use crate::error::StoreError;

const MIGRATIONS: &[(&str, &str)] = &[
    ("tables", include_str!("migrations/0001_tables.sql")),
    ("views", include_str!("migrations/0002_views.sql")),
    ("releases", include_str!("migrations/0003_releases.sql")),
    ("person keys", include_str!("migrations/0004_person_keys.sql")),
    ("queue", include_str!("migrations/0005_queue.sql")),
    ("day totals", include_str!("migrations/0006_day_totals.sql")),
    ("files and secrets", include_str!("migrations/0007_files_secrets.sql")),
    ("ledger", include_str!("migrations/0008_ledger.sql")),
    ("periods, rates, budgets", include_str!("migrations/0009_periods.sql")),
    ("months", include_str!("migrations/0010_months.sql")),
    ("open items", include_str!("migrations/0011_items.sql")),
    ("tenant limits", include_str!("migrations/0012_tenant_limits.sql")),
    ("heads in one step", include_str!("migrations/0013_advance.sql")),
    ("end of the log", include_str!("migrations/0014_append.sql")),
];

/// Whoever holds it migrates. The number says nothing; it must only be the same in all releases.
const LOCK: i64 = 0x6261_636b_726f_6f6d;

/// Roles belong to the whole server, where another database may be making them at the same moment.
const ROLES: &str = "
DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['backroom_reader', 'backroom_bi'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', r);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT pg_has_role(r, 'member') THEN
            EXECUTE format('GRANT %I TO current_user', r);
        END IF;
    END LOOP;
END
$$;
CREATE SCHEMA IF NOT EXISTS backroom;
CREATE TABLE IF NOT EXISTS backroom.migration (
    version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
";

/// Whoever holds it restores, as long as its connection lasts.
const RESTORING: i64 = 0x6261_636b_7265_7374;

/// How often is tried again when another database of the same server changed the same role.
const ATTEMPTS: u32 = 5;

/// Brings the schema up to this release.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let version = known(connection)?;
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    check(version)?;
    let mut attempt = 1;
    loop {
        match block_on(run(connection)) {
            Ok(()) => return check(known(connection)?),
            Err(error) => {
                // The transaction is open and has failed; the error that counts is the one above.
                let _rolled_back = block_on(connection.batch_execute("ROLLBACK"));
                let passing = words(&error).contains("concurrently updated");
                if attempt >= ATTEMPTS || !passing {
                    return Err(refused(&error));
                }
                attempt += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Marks a database without a schema of ours as one that is being restored into: before it has tables, so that no host can have it
/// open. One that has the mark is emptied. False if there is a schema without it.
///
/// # Errors
/// [`StoreError::Busy`] if somebody else restores into it; [`StoreError::Unavailable`].
pub(super) fn begin_restore(connection: &Connection) -> Result<bool, StoreError> {
    let begun = block_on(mark(connection)).map_err(|error| refused(&error))?;
    begun.ok_or_else(|| StoreError::Busy("another restore into the database is under way; wait for it".into()))
}

async fn mark(connection: &Connection) -> Result<Option<bool>, tokio_postgres::Error> {
    if !connection.query_one("SELECT pg_try_advisory_lock($1)", &[&RESTORING]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    connection.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await?;
    connection.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    // A schema `bi` that is there before is somebody else's: it would go with ours.
    let there = "SELECT to_regnamespace('backroom') IS NULL AND to_regnamespace('bi') IS NULL, \
                 to_regclass('backroom.restoring') IS NOT NULL";
    let there = connection.query_one(there, &[]).await?;
    let (empty, marked): (bool, bool) = (there.get(0), there.get(1));
    if marked {
        connection.batch_execute("DROP SCHEMA IF EXISTS backroom, bi CASCADE").await?;
    }
    if empty || marked {
        // A sequence, as migrations have something to do with every table.
        connection.batch_execute("CREATE SCHEMA IF NOT EXISTS backroom; CREATE SEQUENCE backroom.restoring").await?;
    }
    connection.batch_execute("COMMIT").await?;
    Ok(Some(empty || marked))
}

/// How many migrations have been run.
fn known(connection: &Connection) -> Result<usize, StoreError> {
    let there = "SELECT to_regclass('backroom.migration') IS NOT NULL";
    let row = block_on(connection.query_one(there, &[])).map_err(|error| Failure::read(&error))?;
    if !row.get::<_, bool>(0) {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(version), 0) FROM backroom.migration";
    let row = block_on(connection.query_one(last, &[])).map_err(|error| Failure::read(&error))?;
    Ok(usize::try_from(row.get::<_, i32>(0)).unwrap_or(0))
}

fn check(version: usize) -> Result<(), StoreError> {
    let newest = MIGRATIONS.len();
    if version > newest {
        return Err(unavailable(&format!(
            "its schema has version {version}, this release knows {newest}. Start a release that is at least as new as \
             the one that migrated it"
        )));
    }
    Ok(())
}

async fn run(connection: &Connection) -> Result<(), tokio_postgres::Error> {
    connection.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await?;
    connection.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    connection.batch_execute(ROLES).await?;
    let last = "SELECT coalesce(max(version), 0) FROM backroom.migration";
    let done: i32 = connection.query_one(last, &[]).await?.get(0);
    for (version, (name, sql)) in (1_i32..).zip(MIGRATIONS) {
        if version <= done {
            continue;
        }
        connection.batch_execute(sql).await?;
        let mark = "INSERT INTO backroom.migration (version, name) VALUES ($1, $2)";
        connection.execute(mark, &[&version, name]).await?;
    }
    connection.batch_execute("COMMIT").await
}

fn refused(error: &tokio_postgres::Error) -> StoreError {
    unavailable(&format!(
        "its schema cannot be brought up to date: {}. The user of the URL must own the schema `backroom`, or be allowed to \
         create it, and must be a member of the roles `backroom_reader` and `backroom_bi`, or be allowed to create them",
        words(error)
    ))
}
