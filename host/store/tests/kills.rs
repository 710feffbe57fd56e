//! `kill -9` at random moments: the store's own test binary commits from several threads as a child process and tells each commit
//! that it was told is durable; the parent kills it, opens the directory, and looks for everything that it was told.
//!
//! ```text
//! BACKROOM_KILLS=1000 cargo test --release -p backroom-store --test kills      more than the usual 100
//! BACKROOM_SEED=7 ...                                                          the same delays again
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use backroom_store::{Hash, Options, Store, StoreError, TenantNo};
use common::*;

const TENANTS: [TenantNo; 3] = [ACME, BOLT, COPY];
/// More than one for each tenant, so that one sync answers several.
const THREADS: usize = 6;
/// Kills of one directory. What is checked after each is all of it, so a long life would cost its square.
const LIFE: u64 = 50;
/// The name of the test that is the child, and the variable that says to it where.
const CHILD: (&str, &str) = ("a_life_of_commits_is_whole", "BACKROOM_KILLS_CHILD");

/// What it says when the state was written anew.
const ANEW: &str = "\nanew\n";

/// Which commits the child was told are durable: tenant and number, and the entry's hash.
type Told = BTreeMap<(TenantNo, u64), Hash>;

fn small_segments() -> Options {
    Options { segment_bytes: 64 << 10, ..options() }
}

/// One commit: two counters together, and a page more.
fn one(store: &Store, tenant: TenantNo, size: usize) -> Result<(u64, Hash), StoreError> {
    let mut tx = store.write(tenant)?;
    let next = tx.get::<Count>(&"left".into())?.map_or(1, |count| count.value + 1);
    tx.put(&count("left", next))?;
    tx.put(&note("n", next as u32, &"x".repeat(size)))?;
    tx.put(&count("right", next))?;
    let committed = tx.commit(meta("work"))?;
    committed.ticket.wait()?;
    Ok((committed.number, committed.hash))
}

/// Commits from all threads until `enough` were made by each. Meanwhile the state is copied and written anew all the time.
fn commit_all(dir: &Path, enough: usize, tell: impl Fn(TenantNo, u64, Hash) + Sync) -> Store {
    let store = Store::open(dir, small_segments()).unwrap();
    let at_work = &AtomicUsize::new(THREADS);
    thread::scope(|scope| {
        scope.spawn(|| {
            while at_work.load(Ordering::Relaxed) > 0 {
                store.compact().unwrap();
                std::io::stdout().write_all(ANEW.as_bytes()).unwrap();
                store.checkpoint().unwrap();
            }
        });
        for number in 0..THREADS {
            let (store, tell) = (&store, &tell);
            scope.spawn(move || {
                for n in 0..enough {
                    let tenant = TENANTS[number % TENANTS.len()];
                    let (number, hash) = one(store, tenant, (n * 37 + number * 101) % 2_000).unwrap();
                    tell(tenant, number, hash);
                }
                at_work.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    store
}

/// By itself a short life with all checks; as the child of the test below, one that only ends by a kill.
#[test]
fn a_life_of_commits_is_whole() {
    if let Some(dir) = std::env::var_os(CHILD.1) {
        drop(commit_all(Path::new(&dir), usize::MAX, |tenant, number, hash| {
            // One write for a line: what arrives was whole.
            let line = format!("\ntold {tenant} {number} {hash}\n");
            std::io::stdout().write_all(line.as_bytes()).unwrap();
        }));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let told = std::sync::Mutex::new(Told::new());
    let tell = |tenant, number, hash| {
        told.lock().unwrap().insert((tenant, number), hash);
    };
    drop(commit_all(dir.path(), 50, tell));
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), THREADS * 50);
    assert_eq!(check(dir.path(), &told), THREADS as u64 * 50);
}

fn start(dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", CHILD.0, "--nocapture", "--test-threads=1"]).env(CHILD.1, dir);
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lets a child commit for a while, kills it, and notes what it was told. A child that ends by itself is a failure. How often
/// the state was written anew.
fn round(dir: &Path, length: Duration, told: &mut Told) -> usize {
    let mut child = start(dir);
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
    thread::sleep(length);
    let ended = child.try_wait().unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(ended.is_none(), "the child ended by itself: {ended:?}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines = reader.join().unwrap();
    for line in &lines {
        // The last one may be cut, if the kill came in the middle of it.
        let words: Vec<&str> = line.split(' ').collect();
        if let ["told", tenant, number, hash] = words[..]
            && hash.len() == 64
        {
            let tenant = TenantNo(tenant.parse().unwrap());
            let bytes = (0..32).map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).unwrap());
            let hash = Hash(bytes.collect::<Vec<_>>().try_into().unwrap());
            assert_eq!(told.insert((tenant, number.parse().unwrap()), hash), None, "a number was given twice");
        }
    }
    lines.iter().filter(|line| *line == ANEW.trim()).count()
}

/// Opens the directory: everything told is there, nothing is half there, log and state agree. How many entries there are.
fn check(dir: &Path, told: &Told) -> u64 {
    let store = Store::open(dir, small_segments()).unwrap();
    assert_sound(&store);
    let mut found = Told::new();
    let add = &mut |entry: &backroom_store::Entry| {
        found.insert((entry.tenant, entry.number), entry.hash);
        ControlFlow::Continue(())
    };
    store.entries(1, add).unwrap();
    for (at, hash) in told {
        assert_eq!(found.get(at), Some(hash), "told to be durable: entry {} of tenant {}", at.1, at.0);
    }
    for tenant in TENANTS {
        let tx = store.read(tenant).unwrap();
        let number = store.head(tenant).unwrap().number;
        let values = ["left", "right"].map(|name| tx.get::<Count>(&name.to_owned()).unwrap().map_or(0, |c| c.value));
        assert_eq!(values, [number; 2], "tenant {tenant}");
        let pages: Vec<u64> = notes(&tx).iter().map(|note| u64::from(note.page)).collect();
        assert!(pages.into_iter().eq(1..=number), "tenant {tenant}: a page is missing");
    }
    found.len() as u64
}

#[test]
fn kills_at_any_moment_lose_nothing_that_was_told_to_be_durable() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let kills = number("BACKROOM_KILLS").unwrap_or(100);
    let mut chance = number("BACKROOM_SEED").unwrap_or(0x9e37_79b9) | 1;
    let mut below = |bound: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % bound
    };
    let (mut dir, mut told, mut sum, mut anew) = (tempfile::tempdir().unwrap(), Told::new(), 0, 0);
    for kill in 1..=kills {
        // Every fifth one while it opens, every fifth one after the state was written anew some times.
        let length = match kill % 5 {
            0 => below(15),
            1 => 150 + below(250),
            _ => 15 + below(120),
        };
        anew += round(dir.path(), Duration::from_millis(length), &mut told);
        // Every third time the index is lost as well: the log must be enough.
        if below(3) == 0 && dir.path().join("state").exists() {
            remove_state(dir.path());
        }
        check(dir.path(), &told);
        if kill % LIFE == 0 || kill == kills {
            sum += told.len();
            (dir, told) = (tempfile::tempdir().unwrap(), Told::new());
        }
    }
    eprintln!(
        "{kills} kills, {sum} commits that were told to be durable, all there; the state was written anew {anew} times"
    );
    assert!(anew > 0, "no state was ever whole again: the kills met only the beginning of it");
    assert!(sum as u64 > kills, "only {sum} commits were durable before the kills: the test was no load");
}
