//! Whole histories, with everything that can go wrong, beside a plain model.
//!
//! Several hosts serve several tenants over one database. Clients ask for runs of scripts, imports and installations, ask again when
//! they hear nothing, and ask a second host while the first still works on it. Hosts crash before and after their commits reach the
//! database, freeze and go on later, lose their snapshots, and have engines that fail. A scheduler with a seed decides what
//! happens next; no thread, no clock.
//!
//! ```text
//! cargo test --release -p backroom-office --test simulation                                    1,000 histories of 1,000 commands
//! BACKROOM_SIM_SEED=17 cargo test --release -p backroom-office --test simulation histories     that one, and made smaller if it fails
//! BACKROOM_SIM_HISTORIES=100000 BACKROOM_SIM_COMMANDS=2000 cargo test ...                      more of them, longer ones
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a panic is a failed test, and shows what was seen"
)]

mod audit;
mod execution;
mod faults;
mod files;
mod host;
mod metamorphic;
mod model;
mod plan;
mod random;
mod script;
mod shrink;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use backroom_store::engine::Memory;

use crate::plan::Command;
use crate::world::{Counts, World};

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
        Err(_) => otherwise,
    }
}

/// One history from its beginning to its end, with all checks; the world that it made.
fn live(seed: u64, commands: &[Command], engine: Arc<dyn backroom_store::Engine>) -> World {
    let mut world = World::new(seed, engine);
    world.run(commands);
    world.audit_end(commands);
    world
}

fn in_memory(seed: u64, commands: &[Command]) -> World {
    live(seed, commands, Arc::new(Memory::new()))
}

/// Runs the seeds from 0 on, on as many threads as there are processors; each history is on one thread alone.
fn each_seed(histories: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let run = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= histories {
                    return;
                }
                work(seed);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

#[test]
fn histories_agree_with_the_model_whatever_goes_wrong() {
    let count = number("BACKROOM_SIM_COMMANDS", 1_000) as usize;
    let single = std::env::var("BACKROOM_SIM_SEED").is_ok();
    if single {
        let seed = number("BACKROOM_SIM_SEED", 0);
        let world = shrink::or_shrink(seed, count);
        eprintln!("history {seed}: {:#?}", world.books.counts);
        return;
    }
    let histories = number("BACKROOM_SIM_HISTORIES", 1_000);
    let sum = Mutex::new((Counts::default(), 0));
    each_seed(histories, |seed| {
        let commands = plan::commands(seed, count);
        let world = shrink::or_name(seed, count, || in_memory(seed, &commands));
        if seed % 20 == 0 {
            shrink::or_name(seed, count, || metamorphic::check(&world));
        }
        let mut sum = sum.lock().unwrap();
        sum.0.add(&world.books.counts);
        sum.1 += world.answers.len();
    });
    let (counts, answers) = sum.into_inner().unwrap();
    eprintln!("{histories} histories, {answers} commands: {counts:#?}");
    assert_eq!(answers, histories as usize * count);
    if histories * count as u64 >= 100_000 {
        everything_happened(&counts);
    }
}

/// The property above says little if its commands never get far: they reach every outcome, and every fault strikes.
fn everything_happened(counts: &Counts) {
    let told: BTreeMap<_, _> = counts.told.iter().map(|(code, count)| (code.as_str(), *count)).collect();
    let expected = [
        "account-is-header",
        "account-not-found",
        "administer-denied",
        "amount-zero",
        "benefit-denied",
        "chart-denied",
        "cost-missing",
        "cost-not-allowed",
        "currency-mismatch",
        "done",
        "exists-with-different",
        "insufficient-stock",
        "item-not-found",
        "ledger-amount-denied",
        "ledger-post-denied",
        "location-not-found",
        "lot-not-allowed",
        "lot-required",
        "move-denied",
        "not-employed",
        "not-found",
        "overflow",
        "overlapping-benefit",
        "overlapping-employment",
        "parent-is-posting",
        "parent-not-found",
        "period-invalid",
        "quantity-zero",
        "same-location",
        "serial-in-stock",
        "state-denied",
        "too-few-lines",
        "type-differs-from-parent",
        "unbalanced",
        "worker-not-found",
    ];
    for code in expected {
        assert!(told.contains_key(code), "no call was told {code}: {told:?}");
    }
    let Counts {
        refused,
        retried,
        asked_again,
        crashes,
        lost_answers,
        conflicts,
        frozen,
        expired,
        faults,
        plans_kept,
        ..
    } = *counts;
    let faults = [refused, retried, asked_again, crashes, lost_answers, conflicts, frozen, expired, faults, plans_kept];
    assert!(faults.iter().all(|count| *count > 100), "{counts:#?}");
}
