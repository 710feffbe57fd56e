//! One run of a plugin here beside the same work under Extism 1.41, in one process, in blocks that take turns.
//!
//! ```text
//! cargo +nightly run --release --manifest-path tests/extism/Cargo.toml [rounds]
//! ```
//!
//! (or any Rust from 1.96 on, which Extism's wasmtime asks for). It builds both plugins first, with the compiler that the kit finds and
//! the settings that the kit has.
//!
//! The work: read an order of 1 KiB of JSON, ask the host for five balances, add up the order's lines, give JSON back. The plugins are
//! `tests/guests/order` (mode `read`) and `guest`. Both sides are asked for the same output before anything is measured.
//!
//! What is in a measured run, of which nothing is shared between two runs but compiled code:
//!
//! - here: a unit of work on the store, a fresh store and instance of wasmtime, fuel, epochs, limits of memory and host calls, and for
//!   each balance three layers of rights and the look into the store, which is in memory; as a second row the same through the `Runner`,
//!   as the service plans a run: installation and release are looked up, what was returned is checked, a report is made.
//! - Extism: `Plugin::new_from_compiled`, `Plugin::call`, and the plugin's end. It has epochs, and neither fuel nor rights. Its host
//!   function looks the balance up in a map and gives JSON, as its users write it. Once as it is by default, and once with a pool
//!   of instances that is set up as ours is.
//!
//! A plugin of Extism that is kept and called again is measured, too: that is what its users do for speed. It is no equal of the other
//! rows: what one call leaves in the plugin's memory is there in the next one.

mod extism_side;
mod ours;
mod spread;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use extism_side::Extism;
use ours::Ours;
use spread::Spread;

/// That of the service. Both sides get it; Extism, which allocates more, gains more by it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of one side before it is the other's turn.
const BLOCK: usize = 500;
/// Unless another number is asked for.
const ROUNDS: usize = 20;
/// Runs of each side before anything is counted.
const WARM_UP: usize = 1_000;

/// One way to do the work.
struct Side<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> anyhow::Result<String> + 'a>,
    /// Times by round.
    rounds: Vec<Vec<Duration>>,
}

fn main() -> anyhow::Result<()> {
    let rounds = match std::env::args().nth(1) {
        None => ROUNDS,
        Some(text) => text.parse().context("the number of rounds")?,
    };
    ensure!(rounds >= 3, "at least 3 rounds");
    eprintln!("building the plugins");
    let input = std::fs::read_to_string(root().join("tests/guests/order/order.json"))?;
    let ours = Ours::new(&input)?;
    let balances = ours.balances()?;
    let guest = extism_side::guest()?;
    let plain = Extism::new(&guest, &balances, false)?;
    let pooling = Extism::new(&guest, &balances, true)?;
    let mut kept = plain.plugin()?;
    let mut sides = [
        side("Backroom, a run", || ours.run()),
        side("Backroom, a whole dry run", || ours.dry_run()),
        side("Extism, fresh plugin", || plain.run(&input)),
        side("Extism, fresh plugin, pooling", || pooling.run(&input)),
        side("Extism, one plugin kept", || extism_side::call(&mut kept, &input)),
    ];
    agree(&mut sides)?;
    for side in &mut sides {
        for _ in 0..WARM_UP {
            (side.run)()?;
        }
    }
    for _ in 0..rounds {
        for side in &mut sides {
            block(side)?;
        }
    }
    report(&sides);
    Ok(())
}

fn side<'a>(name: &'static str, run: impl FnMut() -> anyhow::Result<String> + 'a) -> Side<'a> {
    Side { name, run: Box::new(run), rounds: Vec::new() }
}

/// All do the same work, by what comes out.
fn agree(sides: &mut [Side<'_>]) -> anyhow::Result<()> {
    let mut first: Option<Value> = None;
    for side in sides {
        let text = (side.run)().with_context(|| side.name)?;
        let output: Value = serde_json::from_str(&text)?;
        match &first {
            None => first = Some(output),
            Some(first) if *first != output => bail!("{} gives {output}, and the first one {first}", side.name),
            Some(_) => {}
        }
    }
    Ok(())
}

fn block(side: &mut Side<'_>) -> anyhow::Result<()> {
    let mut times = Vec::with_capacity(BLOCK);
    for _ in 0..BLOCK {
        let began = Instant::now();
        let output = (side.run)()?;
        times.push(began.elapsed());
        drop(output);
    }
    side.rounds.push(times);
    Ok(())
}

/// The table, with each row's median as a multiple of our two; in brackets the least and the most of single rounds.
fn report(sides: &[Side<'_>]) {
    let [ours, whole, ..] = sides else { return };
    println!("| | p50 us | p99 us | p50 / a run | p50 / a whole dry run |\n|{}", " --- |".repeat(5));
    for side in sides {
        let Spread { p50, p99 } = Spread::of(side.rounds.iter().flatten());
        let (run, dry_run) = (times(side, ours), times(side, whole));
        println!("| {} | {p50:.1} | {p99:.1} | {run} | {dry_run} |", side.name);
    }
    println!("\n{} rounds of {BLOCK} runs each", ours.rounds.len());
}

fn times(above: &Side<'_>, below: &Side<'_>) -> String {
    let whole = Spread::of(above.rounds.iter().flatten()).p50 / Spread::of(below.rounds.iter().flatten()).p50;
    let each =
        above.rounds.iter().zip(&below.rounds).map(|(above, below)| Spread::of(above).p50 / Spread::of(below).p50);
    let (least, most) = each.fold((f64::MAX, 0.0_f64), |(least, most), one| (least.min(one), most.max(one)));
    format!("{whole:.2} ({least:.2} to {most:.2})")
}

/// The folder of this workspace.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The top folder of the project.
fn root() -> PathBuf {
    here().join("../..")
}
