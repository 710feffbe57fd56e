//! What a run costs in Extism, beside what `backroom bench run` says of the same work at the same time on the same machine.
//!
//! The work is that of `tests/guests/order` in its mode `read`: 1 KiB of JSON in, five host calls, JSON out. Both give every run a fresh
//! instance, and both run with fuel and a deadline: Extism's own (`with_fuel_limit`, `timeout_ms`). Extism gets a pooling allocator as
//! Backroom has one, since without it it is slower. Its host function answers from memory; Backroom's looks into the books, checks
//! rights, and charges what it does. The two are measured in turns.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use extism::{CompiledPlugin, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, convert::Json, host_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const ORDER: &str = include_str!("../../guests/order/order.json");
/// As a run of Backroom has by default.
const FUEL: u64 = 10_000_000_000;
const TIMEOUT: Duration = Duration::from_secs(30);
const MEMORY_PAGES: u32 = 1024;
/// How often the two take turns.
const TURNS: u64 = 3;
const WARM_UP: usize = 200;

#[derive(Deserialize)]
struct Asked {
    account: String,
}

#[derive(Serialize)]
struct Balance {
    account: String,
    currency: String,
    debits: u64,
    credits: u64,
}

host_fn!(balance(asked: Json<Asked>) -> Json<Balance> {
    let Json(Asked { account }) = asked;
    Ok(Json(Balance { account, currency: "USD".to_owned(), debits: 0, credits: 0 }))
});

/// Median and the slowest of a hundred, in microseconds.
struct Spread {
    p50: f64,
    p99: f64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let backroom = arguments.next().map_or_else(|| root.join("target/release/backroom"), PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(10), |text| text.parse()).context("usage: [BACKROOM] [SECONDS]")?;
    ensure!(backroom.is_file(), "there is no {}: cargo build --release, or name the binary", backroom.display());
    let guest = std::fs::read(build_guest()?)?;
    for (name, pooled) in [("as it comes", false), ("with a pool", true)] {
        let compiled = compile(&guest, pooled)?;
        check(&compiled)?;
        println!("\nExtism {name}, and Backroom, {TURNS} turns of {seconds} s each; microseconds a run");
        println!("| turn | Extism p50 | p99 | Backroom p50 | p99 | ratio of p50 |\n|{}", " --- |".repeat(6));
        for turn in 1..=TURNS {
            let (theirs, ours) = (measure(&compiled, Duration::from_secs(seconds))?, ask(&backroom, &root, seconds)?);
            let ratio = theirs.p50 / ours.p50;
            println!(
                "| {turn} | {:.1} | {:.1} | {:.1} | {:.1} | {ratio:.1} |",
                theirs.p50, theirs.p99, ours.p50, ours.p99
            );
        }
    }
    Ok(())
}

/// Compiles the guest beside this and says where it is.
fn build_guest() -> Result<PathBuf> {
    let (dir, target) = (Path::new(env!("CARGO_MANIFEST_DIR")), "wasm32-unknown-unknown");
    let out = std::env::current_exe()?.ancestors().nth(2).context("no target folder")?.to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(dir).args(["build", "--locked", "--profile", "guest", "--package", "extism-order"]);
    cargo.args(["--target", target, "--target-dir"]).arg(&out);
    ensure!(cargo.status()?.success(), "the guest does not build; rustup target add {target}");
    Ok(out.join(target).join("guest/extism_order.wasm"))
}

fn compile(guest: &[u8], pooled: bool) -> Result<CompiledPlugin> {
    let manifest =
        Manifest::new([Wasm::data(guest)]).with_timeout(TIMEOUT).with_memory_max(MEMORY_PAGES).disallow_all_hosts();
    let mut builder = PluginBuilder::new(manifest)
        .with_wasi(false)
        .with_cache_disabled()
        .with_fuel_limit(FUEL)
        .with_function("balance", [PTR], [PTR], UserData::new(()), balance);
    if pooled {
        let mut pool = wasmtime::PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(1 << 20).max_memory_size(64 << 20);
        let mut config = wasmtime::Config::new();
        config.allocation_strategy(pool);
        builder = builder.with_wasmtime_config(config);
    }
    builder.compile()
}

/// One run in a fresh instance.
fn run(compiled: &CompiledPlugin) -> Result<String> {
    Plugin::new_from_compiled(compiled)?.call::<&str, String>("run", ORDER)
}

/// It does what it should: else something else would be measured.
fn check(compiled: &CompiledPlugin) -> Result<()> {
    let output: Value = serde_json::from_str(&run(compiled)?)?;
    let total = output["total_minor"].as_u64();
    let balances = output["balances"].as_array().map(Vec::len);
    if (total, balances) != (Some(348_430), Some(5)) {
        bail!("the guest answers {output}");
    }
    Ok(())
}

fn measure(compiled: &CompiledPlugin, time: Duration) -> Result<Spread> {
    for _ in 0..WARM_UP {
        run(compiled)?;
    }
    let (mut times, began) = (Vec::new(), Instant::now());
    while began.elapsed() < time {
        let one = Instant::now();
        run(compiled)?;
        times.push(one.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    Ok(Spread { p50: at(50), p99: at(99) })
}

/// What Backroom says of its full run without effects.
fn ask(backroom: &Path, root: &Path, seconds: u64) -> Result<Spread> {
    let mut bench = Command::new(backroom);
    bench.current_dir(root).args(["bench", "run", "--json", "--seconds"]).arg((seconds * 2).to_string());
    let output = bench.output().with_context(|| format!("cannot start {}", backroom.display()))?;
    ensure!(output.status.success(), "backroom bench run: {}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let full = &told["no_effects"]["full"];
    let figure = |name: &str| full[name].as_f64().with_context(|| format!("backroom bench run tells no {name}"));
    Ok(Spread { p50: figure("p50_us")?, p99: figure("p99_us")? })
}
