//! The PostgreSQL engine where it differs: several hosts over one database, connections and servers that go away, the wall
//! between tenants, the schema and its views.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use backroom_store::records::sql::{Kind, TABLES};
use backroom_store::{Hash, Options, PostgresOptions, Store, StoreError, TenantNo, Tx};
use common::server::Server;
use common::*;

/// What became of what was asked for.
#[derive(Default)]
struct Outcomes {
    /// Tenant and number to hash and page.
    acknowledged: BTreeMap<(TenantNo, u64), (Hash, u32)>,
    /// Pages of commits that may or may not be there.
    doubtful: BTreeSet<u32>,
    conflicts: u32,
}

static PAGES: AtomicU32 = AtomicU32::new(1);

/// One more page in two books, and a count of them: all or nothing.
fn one_more(store: &Store, tenant: TenantNo, page: u32, outcomes: &mut Outcomes) -> Result<(), StoreError> {
    let mut tx = store.write(tenant)?;
    let pages = tx.get::<Count>(&"pages".into())?.map_or(0, |count| count.value);
    tx.put(&count("pages", pages + 1))?;
    tx.put(&note("left", page, "x"))?;
    tx.put(&note("right", page, "x"))?;
    let committed = tx.commit(meta("page"))?;
    match committed.ticket.wait() {
        Ok(()) => {
            let place = (tenant, committed.number);
            let before = outcomes.acknowledged.insert(place, (committed.hash, page));
            assert!(before.is_none(), "{place:?} was acknowledged twice");
            Ok(())
        }
        Err(StoreError::Conflict) => Err(StoreError::Conflict),
        Err(error) => {
            outcomes.doubtful.insert(page);
            Err(error)
        }
    }
}

/// Commits `rounds` pages, each until it is acknowledged or in doubt.
fn work(store: &Store, tenants: &[TenantNo], rounds: usize) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for round in 0..rounds {
        let (tenant, page) = (tenants[round % tenants.len()], PAGES.fetch_add(1, Ordering::SeqCst));
        loop {
            match one_more(store, tenant, page, &mut outcomes) {
                Ok(()) => break,
                Err(StoreError::Unavailable(_)) if outcomes.doubtful.contains(&page) => break,
                Err(StoreError::Conflict) => outcomes.conflicts += 1,
                Err(error) => {
                    assert!(error.retriable() || matches!(error, StoreError::Unavailable(_)), "{error}");
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }
    outcomes
}

fn together(all: impl IntoIterator<Item = Outcomes>) -> Outcomes {
    let mut sum = Outcomes::default();
    for mut one in all {
        let before = sum.acknowledged.len() + one.acknowledged.len();
        sum.acknowledged.append(&mut one.acknowledged);
        assert_eq!(sum.acknowledged.len(), before, "a place was given to two");
        sum.doubtful.append(&mut one.doubtful);
        sum.conflicts += one.conflicts;
    }
    sum
}

/// Ends the work when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Everything acknowledged is there, nothing that was not asked for, and nothing half.
fn check(store: &Store, tenants: &[TenantNo], outcomes: &Outcomes) {
    let mut hashes = BTreeMap::new();
    store
        .entries(1, &mut |entry| {
            hashes.insert((entry.tenant, entry.number), entry.hash);
            ControlFlow::Continue(())
        })
        .unwrap();
    for (place, (hash, _)) in &outcomes.acknowledged {
        assert_eq!(hashes.get(place), Some(hash), "{place:?} was acknowledged and is lost");
    }
    for tenant in tenants {
        let tx = store.read(*tenant).unwrap();
        let pages = |book: &str| -> BTreeSet<u32> {
            tx.scan::<Note>(&book, None, usize::MAX).unwrap().into_iter().map(|(_, note)| note.page).collect()
        };
        let (left, right) = (pages("left"), pages("right"));
        assert_eq!(left, right, "half of a commit");
        let counted = tx.get::<Count>(&"pages".into()).unwrap().map_or(0, |count| count.value);
        assert_eq!(counted, left.len() as u64, "a commit that did not see the one before it");
        let ours = outcomes.acknowledged.iter().filter(|((whose, _), _)| whose == tenant);
        let acknowledged: BTreeSet<u32> = ours.map(|(_, (_, page))| *page).collect();
        assert!(acknowledged.is_subset(&left), "lost pages: {:?}", acknowledged.difference(&left));
        let extra: Vec<_> = left.difference(&acknowledged).filter(|page| !outcomes.doubtful.contains(page)).collect();
        assert!(extra.is_empty(), "pages that were refused are there: {extra:?}");
    }
    assert_sound(store);
}

#[test]
fn two_hosts_race_and_every_commit_is_there_once() {
    let Some(server) = Server::shared() else { return };
    let url = server.url(&server.database());
    let hosts = [postgres(&url), postgres(&url)];
    let tenants = [ACME, BOLT];
    let outcomes = thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|worker| {
                let host = &hosts[worker % 2];
                // Some with one tenant, some with the other first.
                let mine = if worker < 3 { [ACME, BOLT] } else { [BOLT, ACME] };
                scope.spawn(move || work(host, &mine, 60))
            })
            .collect();
        together(workers.into_iter().map(|worker| worker.join().unwrap()))
    });
    assert!(outcomes.doubtful.is_empty());
    assert_eq!(outcomes.acknowledged.len(), 360);
    assert!(outcomes.conflicts > 0, "they never met: this proves nothing");
    for host in &hosts {
        check(host, &tenants, &outcomes);
        assert_eq!(host.read(ACME).unwrap().revision(), 360);
    }
    let [one, other] = hosts;
    one.close().unwrap();
    assert_eq!(put(&other, ACME, &[]).revision, 361, "the places are without gaps, whoever gave them");
}

#[test]
fn what_a_conflict_takes_with_it_ends_as_a_conflict() {
    let Some(server) = Server::shared() else { return };
    let url = server.url(&server.database());
    let (here, there) = (postgres(&url), postgres(&url));
    put(&here, ACME, &[note("a", 1, "old")]);
    let mut behind = here.write(ACME).unwrap();
    assert_eq!(behind.get(&("a".into(), 1)).unwrap(), Some(note("a", 1, "old")));
    put(&there, ACME, &[note("a", 1, "new")]);
    // Whether it hears of it before or at its commit: nothing of it is kept.
    let outcome = behind.put(&note("a", 2, "from old")).and_then(|()| behind.commit(meta("late"))?.ticket.wait());
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
    let again = here.write(ACME).unwrap();
    assert_eq!(notes(&again), [note("a", 1, "new")]);
    assert_eq!(commit(again, &[note("a", 2, "from new")]).number, 3);
    put(&here, ACME, &[]);
    assert_eq!(notes(&there.read(ACME).unwrap()).len(), 2);
    assert_sound(&there);
}

/// Read ahead on one host, and then another one commits: whoever read is refused, and what it read is not kept.
#[test]
fn what_was_read_at_once_is_of_one_head() {
    let Some(server) = Server::shared() else { return };
    let url = server.url(&server.database());
    let (here, there) = (postgres(&url), postgres(&url));
    put(&here, ACME, &[note("a", 1, "one"), note("a", 2, "one"), note("b", 1, "one")]);
    let read = |tx: &Tx| -> Vec<Option<String>> {
        let keys = [("a", 1), ("a", 2), ("a", 3), ("b", 1)].map(|(book, page)| (book.to_owned(), page));
        let mut wanted = tx.wanted().unwrap();
        keys.iter().for_each(|key| wanted.add::<Note>(key));
        wanted.read().unwrap();
        keys.iter().map(|key| tx.get::<Note>(key).unwrap().map(|note| note.text)).collect()
    };
    let one = || Some("one".to_owned());
    let mut tx = there.write(ACME).unwrap();
    assert_eq!(read(&tx), [one(), one(), None, one()]);
    put(&here, ACME, &[note("a", 1, "two"), note("a", 3, "two")]);
    tx.put(&note("c", 1, "on what was")).unwrap();
    let refused = tx.commit(meta("late")).and_then(|committed| committed.ticket.wait());
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let tx = there.write(ACME).unwrap();
    let two = || Some("two".to_owned());
    assert_eq!(read(&tx), [two(), one(), two(), one()]);
    assert!(there.read(ACME).unwrap().wanted().is_none(), "a reader's snapshot is a transaction of its own");
}

#[test]
fn a_reader_of_one_host_sees_one_moment_of_all() {
    let Some(server) = Server::shared() else { return };
    let url = server.url(&server.database());
    let (here, there) = (postgres(&url), postgres(&url));
    put(&here, ACME, &[note("a", 1, "one")]);
    let before = there.read(ACME).unwrap();
    put(&here, ACME, &[note("a", 1, "two"), note("a", 2, "two")]);
    assert_eq!((notes(&before).len(), before.revision()), (1, 1));
    let after = there.read(ACME).unwrap();
    assert_eq!((notes(&after).len(), after.revision()), (2, 2), "what was acknowledged anywhere is seen everywhere");
}

#[test]
fn connections_that_are_cut_lose_nothing() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let hosts = [postgres(&url), postgres(&url)];
    let tenants = [ACME, BOLT, COPY];
    let working = AtomicBool::new(true);
    let outcomes = thread::scope(|scope| {
        let working = &working;
        let cutter = scope.spawn(move || {
            let mut cut = 0;
            while working.load(Ordering::SeqCst) {
                let sql = format!(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = '{database}' AND pid <> pg_backend_pid()"
                );
                cut += server.sql_as_superuser(&database, &sql).parse::<u32>().unwrap();
                thread::sleep(Duration::from_millis(30));
            }
            cut
        });
        let workers: Vec<_> =
            hosts.iter().chain(&hosts).map(|host| scope.spawn(move || work(host, &tenants, 100))).collect();
        let outcomes = together(workers.into_iter().map(|worker| worker.join().unwrap()));
        working.store(false, Ordering::SeqCst);
        assert!(cutter.join().unwrap() > 0, "nothing was cut: this proves nothing");
        outcomes
    });
    assert!(outcomes.doubtful.is_empty(), "the database was there: every doubt can be settled");
    assert_eq!(outcomes.acknowledged.len(), 400);
    for host in &hosts {
        check(host, &tenants, &outcomes);
        assert_eq!(host.status().failed, None);
    }
}

/// Every so many commits' answers are lost on the way, with the connection.
const LOSES: u32 = 9;

/// A way to the server on which answers to commits get lost; counts them.
fn lossy(server: &Server, lost: &Arc<AtomicU32>) -> tempfile::TempDir {
    let (folder, real) = (tempfile::tempdir().unwrap(), server.socket());
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let (lost, seen) = (Arc::clone(lost), Arc::new(AtomicU32::new(0)));
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let upstream = UnixStream::connect(&real).unwrap();
            let (mut asking, mut asked) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            let committer = Arc::<AtomicBool>::default();
            let commits = Arc::clone(&committer);
            thread::spawn(move || {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = asking.read(&mut bytes) {
                    if bytes[..count].windows(15).any(|word| word == b"backroom.append") {
                        commits.store(true, Ordering::SeqCst);
                    }
                    if asked.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                // Whatever ends it: the other side is to see the end as well.
                let _closed = asked.shutdown(Shutdown::Both);
            });
            let (lost, seen) = (Arc::clone(&lost), Arc::clone(&seen));
            thread::spawn(move || {
                let (mut client, mut upstream, mut bytes) = (client, upstream, [0; 4096]);
                while let Ok(count @ 1..) = upstream.read(&mut bytes) {
                    // Of a group, or of an entry that is alone.
                    let has = |answer: &[u8]| bytes[..count].windows(answer.len()).any(|word| word == answer);
                    let commits = has(b"COMMIT\0") || (committer.load(Ordering::SeqCst) && has(b"SELECT 1\0Z"));
                    if commits && seen.fetch_add(1, Ordering::SeqCst) % LOSES == LOSES - 1 {
                        lost.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    if client.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _closed = client.shutdown(Shutdown::Both);
                let _closed = upstream.shutdown(Shutdown::Both);
            });
        }
    });
    folder
}

#[test]
fn commits_whose_answers_are_lost_are_found_again() {
    let Some(server) = Server::shared() else { return };
    let tenants = [ACME, BOLT, COPY];
    // One alone has no groups of several.
    for workers in [6, 1] {
        let database = server.database();
        let lost = Arc::new(AtomicU32::new(0));
        let way = lossy(server, &lost);
        let host = postgres(&server.url_by(way.path(), &database));
        let outcomes = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers)
                .map(|first| {
                    // Each begins with another tenant, so that groups have several and follow each other.
                    let (host, tenants) = (&host, [tenants[first % 3], tenants[(first + 1) % 3]]);
                    scope.spawn(move || work(host, &tenants, 60))
                })
                .collect();
            together(workers.into_iter().map(|worker| worker.join().unwrap()))
        });
        assert!(lost.load(Ordering::SeqCst) > 5, "hardly an answer was lost: this proves nothing");
        assert!(outcomes.doubtful.is_empty(), "the database was there: every doubt can be settled");
        let conflicts = outcomes.conflicts;
        assert_eq!(
            (outcomes.acknowledged.len(), conflicts),
            (60 * workers, 0),
            "nobody else was there to conflict with"
        );
        check(&postgres(&server.url(&database)), &tenants, &outcomes);
    }
}

#[test]
fn a_head_that_was_moved_already_is_told_apart_from_an_error() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let host = postgres(&server.url(&database));
    put(&host, ACME, &[note("a", 1, "one")]);
    let again = format!(
        "DO $$ BEGIN
            PERFORM backroom.advance(ARRAY[{ACME}::bigint], ARRAY[0::bigint], ARRAY[decode(repeat('00', 32), 'hex')],
                ARRAY[number], ARRAY[hash]) FROM backroom.chain_head WHERE tenant = {ACME};
            RAISE 'it went through';
         EXCEPTION WHEN SQLSTATE 'BR001' THEN NULL; END $$"
    );
    server.sql(&database, &again);
}

#[test]
fn a_server_that_is_killed_loses_nothing() {
    let Some(server) = Server::own() else { return };
    let url = server.url(&server.database());
    let hosts = [postgres(&url), postgres(&url)];
    let tenants = [ACME, BOLT, COPY];
    let working = AtomicBool::new(true);
    let outcomes = thread::scope(|scope| {
        let (working, server) = (&working, &server);
        scope.spawn(move || {
            // Also if the server does not come back.
            let _end = Ending(working);
            for round in 0..4 {
                thread::sleep(Duration::from_millis(300));
                if round % 2 == 0 {
                    server.kill();
                } else {
                    server.stop_immediately();
                }
                server.start();
            }
        });
        let until = move |host: &Store| {
            let mut outcomes = Vec::new();
            // As long as there is a server: without one, this is over when the last doubt is.
            while working.load(Ordering::SeqCst) {
                outcomes.push(work(host, &tenants, 3));
            }
            together(outcomes)
        };
        let workers: Vec<_> = hosts.iter().chain(&hosts).map(|host| scope.spawn(move || until(host))).collect();
        together(workers.into_iter().map(|worker| worker.join().unwrap()))
    });
    assert!(!outcomes.acknowledged.is_empty());
    for host in &hosts {
        check(host, &tenants, &outcomes);
        assert_eq!(host.status().failed, None, "it goes on by itself");
    }
}

#[test]
fn while_the_database_is_away_everything_says_so_and_then_goes_on() {
    let Some(server) = Server::own() else { return };
    let url = server.url(&server.database());
    let options = Options { turn_timeout: Duration::from_millis(300), ..options() };
    let quick =
        PostgresOptions { tables: &[], connect_timeout: Duration::from_millis(300), ..PostgresOptions::default() };
    let store = Store::open_postgres(&url, &options, &quick).unwrap();
    put(&store, ACME, &[note("a", 1, "x")]);
    let held = store.read(ACME).unwrap();
    let mut begun = store.write(ACME).unwrap();
    begun.put(&note("a", 2, "y")).unwrap();
    begun.commit_number().unwrap();
    server.stop_immediately();
    assert!(matches!(held.get::<Note>(&("a".into(), 1)), Err(StoreError::Expired)), "its moment is gone");
    let outcome = begun.commit(meta("x")).and_then(|committed| committed.ticket.wait());
    let Err(StoreError::Unavailable(why)) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("PostgreSQL"), "{why}");
    assert!(matches!(store.write(ACME), Err(StoreError::Unavailable(_))), "nobody waits for nothing");
    assert!(matches!(store.read(ACME), Err(StoreError::Unavailable(_))));
    assert!(store.status().failed.is_some());
    server.start();
    while store.status().failed.is_some() {
        thread::sleep(Duration::from_millis(10));
    }
    put(&store, ACME, &[note("a", 3, "z")]);
    let pages: Vec<_> = notes(&store.read(ACME).unwrap()).into_iter().map(|note| note.page).collect();
    assert_eq!(pages, [1, 3], "what was in doubt never came through");
    assert_sound(&store);
}

#[test]
fn hosts_that_start_at_once_make_one_schema() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let stores: Vec<Store> = thread::scope(|scope| {
        let hosts: Vec<_> = (0..6).map(|_| scope.spawn(|| postgres(&url))).collect();
        hosts.into_iter().map(|host| host.join().unwrap()).collect()
    });
    for store in &stores {
        put(store, ACME, &[]);
    }
    assert_eq!(stores[0].head(ACME).unwrap().number, 6);
    let versions =
        server.sql(&database, "SELECT string_agg(version::text, ' ' ORDER BY version) FROM backroom.migration");
    assert_eq!(versions, "1 2 3 4 5 6 7 8 9 10 11 12 13 14");
    server.sql(&database, "INSERT INTO backroom.migration (version, name) VALUES (99, 'from the future')");
    let refused = Store::open_postgres(&url, &options(), &PostgresOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("version 99"), "{refused}");
    put(&stores[0], ACME, &[]);
}

#[test]
fn without_its_rights_or_a_server_opening_says_what_to_do() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    server.sql_as_superuser("postgres", &format!("CREATE ROLE stranger_{database} LOGIN"));
    let url = server.url(&database).replace("user=backroom", &format!("user=stranger_{database}"));
    let refused = Store::open_postgres(&url, &options(), &PostgresOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("must own the schema"), "{refused}");
    for url in ["host=/nowhere user=x", "no url at all"] {
        let error = Store::open_postgres(url, &options(), &PostgresOptions::default()).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }
}

#[test]
fn a_reader_sees_the_tenant_that_is_set_and_nothing_else() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = postgres(&server.url(&database));
    for tenant in [ACME, BOLT] {
        put(&store, tenant, &[note("a", 1, "x"), note("a", 2, "x")]);
    }
    let tables = server.sql(
        &database,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'backroom' AND tablename NOT IN ('migration', 'log_end')",
    );
    assert!(tables.lines().count() > TABLES.len());
    for table in tables.lines() {
        let guarded = format!("SELECT relrowsecurity FROM pg_class WHERE oid = 'backroom.{table}'::regclass");
        assert_eq!(server.sql(&database, &guarded), "t", "{table} has no wall");
    }
    let seen = |tenant: &str, table: &str| {
        let sql = format!(
            "SET ROLE backroom_reader; SET backroom.tenant = '{tenant}'; \
             SELECT count(*), coalesce(min(tenant), -1), coalesce(max(tenant), -1) FROM backroom.{table}"
        );
        server.sql(&database, &sql)
    };
    for (table, rows) in [("record", 2), ("chain_head", 1), ("commit_log", 1), ("chain_index", 1), ("chain", 2)] {
        assert_eq!(seen("1", table), format!("{rows}|1|1"), "{table}");
        assert_eq!(seen("2", table), format!("{rows}|2|2"), "{table}");
        assert_eq!(seen("3", table), "0|-1|-1", "{table}");
        assert_eq!(seen("", table), "0|-1|-1", "{table}: nothing is set, nothing is seen");
    }
    for sql in ["DELETE FROM backroom.record", "INSERT INTO backroom.record VALUES (1, '', '')"] {
        let sql = format!("SET ROLE backroom_reader; SET backroom.tenant = '1'; {sql}");
        assert!(server.try_sql("backroom", &database, &sql).unwrap_err().contains("permission denied"));
    }
    let bi = "SET ROLE backroom_bi; SELECT count(*) FROM backroom.record";
    assert!(server.try_sql("backroom", &database, bi).unwrap_err().contains("permission denied"));
}

#[test]
fn the_tables_are_those_that_the_records_name() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    drop(postgres(&server.url(&database)));
    let mut spaces = BTreeSet::new();
    for table in TABLES {
        assert!(spaces.insert(table.space) && table.space != 0, "space {} twice", table.space);
        let sql = format!(
            "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) \
             FROM information_schema.columns WHERE table_schema = 'backroom' AND table_name = '{}'",
            table.name
        );
        let mut expected = "tenant bigint, key bytea, body bytea".to_owned();
        for column in table.columns {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Int => "bigint",
                Kind::Number => "numeric",
                Kind::Bool => "boolean",
                Kind::Date => "date",
                Kind::Time => "timestamp with time zone",
                Kind::Json => "jsonb",
            };
            expected.push_str(&format!(", {} {kind}", column.name));
        }
        assert_eq!(server.sql(&database, &sql), expected, "{}", table.name);
    }
}

#[test]
fn a_changed_bit_in_the_database_is_found() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = postgres(&server.url(&database));
    for page in 0..5 {
        put(&store, ACME, &[note("a", page, "text")]);
        put(&store, BOLT, &[note("b", page, "text")]);
    }
    store.close().unwrap();
    let flip = |column: &str| format!("{column} = set_byte({column}, 20, get_byte({column}, 20) # 1)");
    let rows = [
        format!("UPDATE backroom.commit_log SET {} WHERE revision = 3", flip("payload")),
        format!("UPDATE backroom.commit_log SET {} WHERE revision = 3", flip("hash")),
        "DELETE FROM backroom.commit_log WHERE revision = 4".into(),
        "UPDATE backroom.commit_log SET revision = 100 WHERE revision = 10".into(),
        "UPDATE backroom.record SET body = body || '\\x00' WHERE tenant = 1 AND key = (SELECT key FROM backroom.record ORDER BY key LIMIT 1)"
            .into(),
        "DELETE FROM backroom.record WHERE tenant = 2".into(),
        "INSERT INTO backroom.record VALUES (7, '\\x0161', '\\x01')".into(),
        format!("UPDATE backroom.chain_head SET {} WHERE tenant = 1", flip("hash")),
        "UPDATE backroom.chain_index SET revision = 2 WHERE tenant = 1".into(),
        "UPDATE backroom.log_end SET revision = 11".into(),
    ];
    for sql in rows {
        let copy = server.copy_of(&database);
        server.sql(&copy, &sql);
        let report = postgres(&server.url(&copy)).verify(&mut |_| {}).unwrap();
        assert!(!report.is_sound(), "not found: {sql}");
    }
    assert_sound(&postgres(&server.url(&database)));
}
