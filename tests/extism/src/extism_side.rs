//! The work under Extism.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use backroom_kit::{Machine, Quiet, TARGET, Toolchain};
use extism::convert::Json;
use extism::{CompiledPlugin, PTR, Plugin, PluginBuilder, UserData, host_fn};
use serde::{Deserialize, Serialize};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::here;

/// What the plugin asks.
#[derive(Deserialize)]
struct Asked {
    account: String,
}

/// What it is told: all that our contract's `balance` has.
#[derive(Clone, Serialize)]
pub(crate) struct Told {
    pub(crate) account: String,
    pub(crate) currency: String,
    pub(crate) debits: u64,
    pub(crate) credits: u64,
}

host_fn!(balance(accounts: HashMap<String, Told>; asked: Json<Asked>) -> String {
    let accounts = accounts.get()?;
    let accounts = accounts.lock().map_err(|_| anyhow::anyhow!("another call panicked"))?;
    let told = accounts.get(&asked.0.account).context("not found")?;
    Ok(serde_json::to_string(told)?)
});

/// The plugin, compiled.
pub(crate) struct Extism {
    compiled: CompiledPlugin,
}

impl Extism {
    pub(crate) fn new(module: &[u8], balances: &[Told], pooling: bool) -> anyhow::Result<Self> {
        let accounts: HashMap<String, Told> =
            balances.iter().map(|told| (told.account.clone(), told.clone())).collect();
        let builder = PluginBuilder::new(module)
            // Files below the user's home, for compiling alone.
            .with_cache_disabled()
            .with_function("balance", [PTR], [PTR], UserData::new(accounts), balance);
        let builder = if pooling { builder.with_wasmtime_config(pool()) } else { builder };
        Ok(Self { compiled: builder.compile().context("Extism compiles its plugin")? })
    }

    pub(crate) fn plugin(&self) -> anyhow::Result<Plugin> {
        Plugin::new_from_compiled(&self.compiled)
    }

    pub(crate) fn run(&self, input: &str) -> anyhow::Result<String> {
        call(&mut self.plugin()?, input)
    }
}

pub(crate) fn call(plugin: &mut Plugin, input: &str) -> anyhow::Result<String> {
    plugin.call("run", input)
}

/// As large as these plugins need it, and what is kept resident as it is in our own pool. Measured: with what wasmtime sets by itself, with
/// more kept resident, or without the look at which pages were written, Extism is slower than with this.
fn pool() -> Config {
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(64)
        .total_memories(64)
        .total_tables(64)
        .total_gc_heaps(64)
        .max_memory_size(256 << 20)
        .linear_memory_keep_resident(if scan { 1 << 20 } else { 64 << 10 })
        .table_keep_resident(64 << 10)
        .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No })
        .max_unused_warm_slots(32);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Has Extism's plugin compiled, beside this program.
pub(crate) fn guest() -> anyhow::Result<Vec<u8>> {
    let (machine, dir, target) =
        (Machine::current(), here().join("guest"), std::env::current_exe()?.with_file_name("guest"));
    let toolchain = Toolchain::find(&machine, &dir, true, &mut Quiet)?;
    let mut cargo = toolchain.cargo(&machine, &dir);
    cargo.args(["build", "--quiet", "--release", "--lib", "--locked", "--target", TARGET]);
    cargo.args(toolchain.build_arguments()).arg("--target-dir").arg(&target);
    ensure!(cargo.status()?.success(), "{} does not build", dir.display());
    let module = target.join(TARGET).join("release/extism_order.wasm");
    std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
}
