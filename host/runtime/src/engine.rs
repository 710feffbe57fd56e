//! The engine: one for the process, with a fixed feature profile, a pool of instances, and its ticker.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::admission::Admission;
use crate::bindings::Workflow;
use crate::error::{PluginError, RuntimeError};
use crate::outbound::{Client, HttpOptions};
use crate::plugin::Plugin;
use crate::state::RunState;
use crate::ticker::Ticker;

/// How a runtime is set up.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Runs at the same time. The pool is made for so many; it becomes smaller where the address space is limited.
    pub concurrency: u32,
    /// The largest single memory of a guest, in bytes: the ceiling of what an installation can be allowed.
    pub max_memory: u64,
    /// How long a run waits for a place before it is told that the service is busy.
    pub patience: Duration,
    /// Compiled plugins that are kept. A compiled plugin takes two to four times its size.
    pub cached_plugins: usize,
    /// Bounds of requests to the outside.
    pub http: HttpOptions,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            concurrency: 64,
            max_memory: 256 << 20,
            patience: Duration::from_secs(10),
            cached_plugins: 128,
            http: HttpOptions::default(),
        }
    }
}

/// What this machine gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Runs at the same time.
    pub concurrency: u32,
    /// Whether instances come from a pool; without one a run costs some 30 microseconds more.
    pub pooled: bool,
}

/// Compiles and runs plugins. Share it in an [`Arc`].
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<RunState>,
    pub(crate) admission: Admission,
    pub(crate) ticker: Ticker,
    /// For requests to the outside.
    pub(crate) client: Arc<Client>,
    capacity: Capacity,
    plugins: Plugins,
}

/// Most guests have one memory; QuickJS components have three.
const MEMORIES: u32 = 4;
/// A component of a plain toolchain has 3 core instances; the adapters of interpreted languages make it up to 60.
const CORE_INSTANCES: u32 = 64;
const TABLES: u32 = 16;
/// Elements of one table: 100,000 functions are more than the largest guest (StarlingMonkey) has.
const TABLE_ELEMENTS: usize = 100_000;
/// The pool is not worth having below this.
const LEAST_CONCURRENCY: u32 = 4;
const MOST_CONCURRENCY: u32 = 1_024;

impl Runtime {
    /// Sets up the engine and proves that its limits work.
    ///
    /// # Errors
    /// [`RuntimeError`] if there is no WebAssembly engine for this machine, or if its wall-time limit does not work.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let (engine, capacity) = build(&options)?;
        let ticker = Ticker::start(&engine)?;
        let mut linker = Linker::new(&engine);
        Workflow::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(|why| RuntimeError::Engine(why.to_string()))?;
        tracing::info!(capacity.concurrency, capacity.pooled, "runtime ready");
        let admission = Admission::new(capacity.concurrency, options.patience);
        let (client, plugins) = (Arc::new(Client::new(&options.http)), Plugins::new(options.cached_plugins));
        Ok(Self { engine, linker, admission, ticker, client, capacity, plugins })
    }

    /// What this machine gave.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Whether limits of wall time work at the moment; for health checks. No run begins while they do not.
    pub fn is_alive(&self) -> bool {
        self.ticker.is_alive()
    }

    /// The plugin in `bytes`: inspected and compiled, or as it was when the same bytes came before. Compiling takes from
    /// 50 milliseconds to several seconds and both cores: call it when something is uploaded, not when it runs.
    ///
    /// # Errors
    /// [`PluginError`] says what is wrong with the bytes.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Plugin>, PluginError> {
        let digest = blake3::hash(bytes).to_hex().to_string();
        if let Some(plugin) = self.plugin(&digest) {
            return Ok(plugin);
        }
        let plugin = Arc::new(Plugin::compile(self, digest, bytes)?);
        self.plugins.keep(Arc::clone(&plugin));
        Ok(plugin)
    }

    /// The plugin with this digest, if it was loaded and is still kept.
    pub fn plugin(&self, digest: &str) -> Option<Arc<Plugin>> {
        self.plugins.get(digest)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Runtime").field(&self.capacity).finish()
    }
}

/// Takes the largest pool that the address space has room for, and none if it has room for none.
fn build(options: &RuntimeOptions) -> Result<(Engine, Capacity), RuntimeError> {
    let mut concurrency = options.concurrency.clamp(1, MOST_CONCURRENCY);
    loop {
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(concurrency, options.max_memory)));
        match Engine::new(&config) {
            Ok(engine) => return Ok((engine, Capacity { concurrency, pooled: true })),
            Err(why) => tracing::warn!(concurrency, %why, "no room for the pool of instances; trying a smaller one"),
        }
        if concurrency <= LEAST_CONCURRENCY {
            break;
        }
        concurrency = (concurrency / 2).max(LEAST_CONCURRENCY);
    }
    let mut config = config();
    // Memories that are moved as they grow, instead of 4 GiB of addresses for each.
    config.memory_reservation(0).memory_guard_size(1 << 16).memory_reservation_for_growth(1 << 20);
    let engine = Engine::new(&config).map_err(|why| RuntimeError::Engine(why.to_string()))?;
    Ok((engine, Capacity { concurrency, pooled: false }))
}

/// Deterministic, metered, interruptible, and without proposals that no supported guest language needs. Garbage
/// collection, threads, stack switching and the async ABI are not even compiled in.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .memory_init_cow(true);
    config
}

fn pool(concurrency: u32, max_memory: u64) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // Measured with small guests: keeping pages resident and resetting just those that were written makes a fresh
    // instance 1.6 times faster. Without PAGEMAP_SCAN (Linux before 6.7) all kept pages are cleared by hand, so fewer.
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let keep = if scan { 1 << 20 } else { 64 << 10 };
    pool.total_component_instances(concurrency)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_core_instances(concurrency * CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .total_memories(concurrency * MEMORIES)
        .max_memory_size(usize::try_from(max_memory).unwrap_or(usize::MAX))
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .total_tables(concurrency * TABLES)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(keep)
        .table_keep_resident(64 << 10)
        .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No })
        // An idle service keeps at most so many used memories, each with `keep` bytes resident.
        .max_unused_warm_slots(32);
    pool
}

/// Compiled plugins by digest; the one that was not used for longest makes room.
struct Plugins {
    kept: RwLock<HashMap<String, Kept>>,
    limit: usize,
    uses: AtomicU64,
}

struct Kept {
    plugin: Arc<Plugin>,
    last_use: AtomicU64,
}

impl Plugins {
    fn new(limit: usize) -> Self {
        Self { kept: RwLock::new(HashMap::new()), limit: limit.max(1), uses: AtomicU64::new(0) }
    }

    fn get(&self, digest: &str) -> Option<Arc<Plugin>> {
        let kept = self.kept.read();
        let found = kept.get(digest)?;
        found.last_use.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(&found.plugin))
    }

    fn keep(&self, plugin: Arc<Plugin>) {
        let mut kept = self.kept.write();
        if kept.len() >= self.limit && !kept.contains_key(plugin.digest()) {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.last_use.load(Ordering::Relaxed));
            if let Some(digest) = oldest.map(|(digest, _)| digest.clone()) {
                kept.remove(&digest);
            }
        }
        let last_use = AtomicU64::new(self.uses.fetch_add(1, Ordering::Relaxed));
        kept.insert(plugin.digest().to_owned(), Kept { plugin, last_use });
    }
}
