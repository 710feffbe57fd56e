//! Groups of commits on their way to PostgreSQL: what becomes of each when one of them, or the one before, fails; and what a
//! host may say about what it has found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use backroom_domain::Instant;
use backroom_store::backup::{Made, Making};
use backroom_store::{Committed, PostgresOptions, Store, StoreError, TenantNo, Ticket};
use common::server::{Server, Session};
use common::vault::SimVault;
use common::*;

/// Whatever holds this lock keeps commits from ending that [`FAIL_AT_COMMIT`] looks at.
const GATE: &str = "SELECT pg_advisory_lock(7)";
const OPEN_THE_GATE: &str = "SELECT pg_advisory_unlock(7)";

/// A record with the word `poison` in it is refused when it is written.
const REFUSE: &str = "
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF position('poison'::bytea IN NEW.body) > 0 THEN RAISE EXCEPTION 'this is poison'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON backroom.record FOR EACH ROW EXECUTE FUNCTION refuse()";

/// A record with the word `gate` in it is looked at only when the transaction ends: it waits for the gate, and then fails if
/// the word `poison` is in it as well.
const FAIL_AT_COMMIT: &str = "
CREATE FUNCTION wait_and_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF position('gate'::bytea IN NEW.body) > 0 THEN
        PERFORM pg_advisory_xact_lock(7);
        IF position('poison'::bytea IN NEW.body) > 0 THEN RAISE EXCEPTION 'this is poison'; END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wait_and_refuse AFTER INSERT OR UPDATE ON backroom.record
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_and_refuse()";

fn hand_in(store: &Store, tenant: TenantNo, page: u32, text: &str) -> Ticket {
    commit(store.write(tenant).unwrap(), &[note("a", page, text)]).ticket
}

/// Until everything handed in has been sent.
fn all_sent(store: &Store) {
    while store.status().pending_bytes > 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Until a backend of the database waits for a lock.
fn somebody_waits(server: &Server, database: &str) {
    let sql =
        format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'");
    while server.sql(database, &sql) == "0" {
        thread::sleep(Duration::from_millis(1));
    }
}

fn refused(ticket: &Ticket, how: &str) {
    let outcome = ticket.wait();
    assert!(matches!(&outcome, Err(StoreError::Unavailable(why)) if why.contains(how)), "{outcome:?}");
}

fn pages(store: &Store, tenant: TenantNo) -> Vec<u32> {
    notes(&store.read(tenant).unwrap()).into_iter().map(|note| note.page).collect()
}

#[test]
fn an_entry_that_is_refused_takes_only_its_own_tenant_with_it() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = postgres(&server.url(&database));
    server.sql(&database, REFUSE);
    let mut holder = server.session(&database);
    holder.sql("BEGIN");
    holder.sql("SELECT revision FROM backroom.log_end FOR UPDATE");
    let first = hand_in(&store, ACME, 1, "good");
    somebody_waits(server, &database);
    // One is sent behind it at once; the others gather, and go as one group.
    let good = [hand_in(&store, BOLT, 1, "good"), hand_in(&store, ACME, 2, "good"), hand_in(&store, COPY, 1, "good")];
    let (poison, behind) = (hand_in(&store, COPY, 2, "poison"), hand_in(&store, COPY, 3, "good"));
    let last = hand_in(&store, BOLT, 2, "good");
    holder.sql("COMMIT");
    first.wait().unwrap();
    good.iter().for_each(|ticket| ticket.wait().unwrap());
    last.wait().unwrap();
    refused(&poison, "this is poison");
    refused(&poison, "Nothing was kept");
    refused(&behind, "a commit before it failed");
    assert_eq!((pages(&store, ACME), pages(&store, BOLT), pages(&store, COPY)), (vec![1, 2], vec![1, 2], vec![1]));
    put(&store, COPY, &[note("a", 4, "good")]);
    assert_eq!(pages(&store, COPY), [1, 4]);
    assert_sound(&store);
}

/// A store whose commit of `text` is held at the gate with only its end left, and who holds it.
fn held_at_its_end(server: &Server, database: &str, text: &str) -> (Store, Session, Ticket) {
    let store = postgres(&server.url(database));
    server.sql(database, FAIL_AT_COMMIT);
    put(&store, ACME, &[note("a", 1, "good")]);
    let mut gate = server.session(database);
    gate.sql(GATE);
    let held = hand_in(&store, ACME, 2, text);
    somebody_waits(server, database);
    (store, gate, held)
}

#[test]
fn the_next_group_is_sent_while_one_is_committed() {
    let Some(server) = Server::shared() else { return };
    let (store, mut gate, held) = held_at_its_end(server, &server.database(), "gate");
    let behind = hand_in(&store, ACME, 3, "good");
    all_sent(&store);
    let waits = hand_in(&store, BOLT, 1, "good");
    thread::sleep(Duration::from_millis(20));
    assert!(store.status().pending_bytes > 0, "two at most");
    gate.sql(OPEN_THE_GATE);
    for ticket in [held, behind, waits] {
        ticket.wait().unwrap();
    }
    assert_eq!((pages(&store, ACME), pages(&store, BOLT)), (vec![1, 2, 3], vec![1]));
    assert_eq!(store.status().durable, 4);
    assert_sound(&store);
}

#[test]
fn what_was_sent_behind_a_commit_that_fails_is_sent_again_or_fails_with_it() {
    let Some(server) = Server::shared() else { return };
    for (behind, other) in [(true, true), (true, false), (false, true)] {
        let (store, mut gate, held) = held_at_its_end(server, &server.database(), "gate and poison");
        // The first one handed in is sent at once, the other one gathers behind it.
        let mut handed_in = Vec::new();
        if other {
            handed_in.push(hand_in(&store, BOLT, 1, "good"));
            all_sent(&store);
        }
        let follows = behind.then(|| hand_in(&store, ACME, 3, "good"));
        if !other {
            all_sent(&store);
        }
        gate.sql(OPEN_THE_GATE);
        refused(&held, "this is poison");
        if let Some(ticket) = follows {
            refused(&ticket, "a commit before it failed");
        }
        handed_in.iter().for_each(|ticket| ticket.wait().unwrap());
        put(&store, ACME, &[note("a", 4, "good")]);
        assert_eq!((pages(&store, ACME), pages(&store, BOLT)), (vec![1, 4], if other { vec![1] } else { vec![] }));
        assert_sound(&store);
    }
}

#[test]
fn connections_that_end_with_two_groups_on_their_way_lose_neither() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let (store, gate, held) = held_at_its_end(server, &database, "gate");
    let mut behind = vec![hand_in(&store, ACME, 3, "good")];
    all_sent(&store);
    behind.push(hand_in(&store, ACME, 4, "good"));
    let cut = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(server.sql_as_superuser(&database, cut), "1");
    drop(gate);
    held.wait().unwrap();
    behind.iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(pages(&store, ACME), [1, 2, 3, 4]);
    assert_eq!(store.status().failed, None);
    assert_sound(&store);
}

#[test]
fn what_was_read_from_the_database_waits_for_nobody() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let (here, there) = (postgres(&url), postgres(&url));
    put(&there, ACME, &[note("a", 1, "x")]);
    let mut holder = server.session(&database);
    holder.sql("BEGIN");
    holder.sql("SELECT revision FROM backroom.log_end FOR UPDATE");
    // Another tenant's entry is on its way, and may never be durable.
    let stuck = hand_in(&here, BOLT, 1, "x");
    let tx = here.write(ACME).unwrap();
    assert_eq!(notes(&tx).len(), 1);
    let status = here.status();
    assert!(status.sequenced > status.durable);
    let told = Arc::new(AtomicBool::new(false));
    let tells = Arc::clone(&told);
    let found = here.sequenced(ACME).expect("there is something to wait for that ends");
    found.on_durable(Box::new(move |outcome| tells.store(outcome.is_ok(), Ordering::SeqCst)));
    assert!(told.load(Ordering::SeqCst), "it is durable: nothing has to be waited for");
    drop(tx);
    holder.sql("COMMIT");
    stuck.wait().unwrap();
}

fn back_up(store: &Store, vault: &SimVault) -> Made {
    let now = Instant(1_700_000_000_000_000);
    let components = &mut |digest: &str| Err(format!("no component {digest}"));
    store.backup(Making { vault, now, components, progress: &mut |_, _| {} }).unwrap()
}

#[test]
fn a_host_that_hears_of_nothing_goes_on_with_the_backup_of_another() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let url = server.url(&database);
    let deaf = PostgresOptions { poll_every: Duration::from_secs(3600), tables: &[], ..PostgresOptions::default() };
    let here = Store::open_postgres(&format!("{url} application_name=deaf"), &options(), &deaf).unwrap();
    let there = postgres(&url);
    let vault = SimVault::default();
    put(&there, ACME, &[note("a", 1, "x")]);
    // So that both have the connections that they need: from here on they get no new ones.
    assert_eq!(back_up(&here, &vault).revision, 1);
    assert_eq!(back_up(&there, &vault).entries, 0);
    server.sql_as_superuser("postgres", &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"));
    let listener = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'deaf' \
         AND query = 'SELECT revision FROM backroom.log_end'";
    assert_eq!(server.sql_as_superuser("postgres", listener), "1");
    let Committed { revision, ticket, .. } = commit(there.write(BOLT).unwrap(), &[note("a", 1, "x")]);
    ticket.wait().unwrap();
    assert_eq!(back_up(&there, &vault).revision, revision);
    assert!(here.status().durable < revision, "it has heard of it: this proves nothing");
    let made = back_up(&here, &vault);
    assert_eq!((made.revision, made.entries), (revision, 0));
    server.sql_as_superuser("postgres", &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"));
}

/// A connection stops reading while an answer that came in several pieces is not taken: whoever waits for a later answer
/// must take this one as well.
#[test]
fn a_server_that_says_more_than_it_must_is_listened_to() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    // What it says about each step comes between the pieces of its answer.
    for setting in ["client_min_messages = log", "log_duration = on"] {
        server.sql_as_superuser("postgres", &format!("ALTER DATABASE {database} SET {setting}"));
    }
    let url = server.url(&database);
    let (done, told) = mpsc::channel();
    // On threads of their own: a hang is a failure, too.
    thread::spawn(move || {
        let (here, there) = (postgres(&url), postgres(&url));
        for page in 1..=20 {
            put(&here, ACME, &[note("a", page, "x")]);
            put(&there, BOLT, &[note("a", page, "x")]);
        }
        let mut behind = here.write(ACME).unwrap();
        assert_eq!(notes(&behind).len(), 20);
        put(&there, ACME, &[]);
        let outcome = behind.put(&note("b", 1, "x")).and_then(|()| behind.commit(meta("late"))?.ticket.wait());
        assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
        assert_sound(&here);
        done.send(()).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(()), "it hangs, or has failed");
}
