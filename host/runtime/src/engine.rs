//! The engine: one for the process, with a fixed feature profile, a pool of instances, and its ticker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::admission::Admission;
use crate::apart::Apart;
use crate::bindings::Workflow;
use crate::compile::{CompileFigures, CompileOptions, Reason, What, Workshop};
use crate::error::{PluginError, RunnerError, RuntimeError};
use crate::outbound::{Client, HttpOptions};
use crate::plugin::Plugin;
use crate::profile::{Layout, config};
use crate::slices::{Slices, TURN};
use crate::state::RunState;
use crate::tally::{RunFigures, Tally};
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
    /// How components are compiled.
    pub compile: CompileOptions,
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
            compile: CompileOptions::default(),
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

/// Has plugins compiled, and runs them. Share it in an [`Arc`].
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<RunState>,
    pub(crate) admission: Admission,
    /// Processors among runs that take long.
    pub(crate) slices: Arc<Slices>,
    pub(crate) ticker: Ticker,
    /// For tenants that have processes of their own.
    pub(crate) apart: Apart,
    /// For requests to the outside.
    pub(crate) client: Arc<Client>,
    capacity: Capacity,
    pub(crate) tally: Tally,
    workshop: Workshop,
    plugins: Plugins,
    /// What is being made ready, by digest: whoever comes for the same waits for it.
    coming: Mutex<HashMap<String, Arc<Coming>>>,
}

/// What becomes of a plugin that is being made ready.
type Coming = OnceLock<Result<Arc<Plugin>, RunnerError>>;

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
    /// [`RuntimeError`] if there is no WebAssembly engine for this machine, if its wall-time limit does not work, or if there is no
    /// compiler.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let (engine, capacity, layout) = build(&options)?;
        let apart = Apart::new(&options.compile.compiler, layout, options.max_memory);
        let workshop = Workshop::new(options.compile, layout, &engine);
        let ticker = Ticker::start(&engine, &workshop)?;
        let mut linker = Linker::new(&engine);
        Workflow::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(|why| RuntimeError::Engine(why.to_string()))?;
        crate::wasi::add_to_linker(&mut linker).map_err(|why| RuntimeError::Engine(why.to_string()))?;
        tracing::info!(capacity.concurrency, capacity.pooled, "runtime ready");
        let admission = Admission::new(capacity.concurrency, options.patience);
        let (plugins, coming, tally) = (Plugins::new(options.cached_plugins), Mutex::default(), Tally::default());
        let client = Arc::new(Client::new(&options.http));
        let slices = Slices::new(std::thread::available_parallelism().map_or(1, usize::from), TURN);
        Ok(Self {
            engine,
            linker,
            admission,
            slices,
            ticker,
            apart,
            client,
            capacity,
            tally,
            workshop,
            plugins,
            coming,
        })
    }

    /// What this machine gave.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Whether the kernel tells which pages of a memory were written, so that only those are reset.
    pub fn has_pagemap_scan() -> bool {
        PoolingAllocationConfig::is_pagemap_scan_available()
    }

    /// Whether limits of wall time work at the moment; for health checks. No run begins while they do not.
    pub fn is_alive(&self) -> bool {
        self.ticker.is_alive()
    }

    /// Starts a process as tenants have that may not share one, and ends it again.
    ///
    /// # Errors
    /// Why there can be none here: the runs of such tenants would be refused.
    pub fn probe_own_process(&self) -> Result<(), String> {
        self.apart.probe()
    }

    /// The plugin in `bytes`: inspected and compiled, or as it was when the same bytes came before. Compiling takes from
    /// 50 milliseconds to several seconds and both cores: call it when something is uploaded, not when it runs.
    ///
    /// # Errors
    /// [`PluginError`] says what is wrong with the bytes.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Plugin>, PluginError> {
        let digest = blake3::hash(bytes).to_hex().to_string();
        let loaded = self.ready(&digest, Reason::Upload, || Ok(bytes.to_vec()));
        loaded.map_err(|error| match error {
            RunnerError::Plugin(error) => error,
            other => PluginError::Compiler(other.to_string()),
        })
    }

    /// The plugin with this digest, as soon as it can be had: at once, from the cache of compiled code, or compiled from its
    /// bytes, which are not asked for otherwise. However many ask at a time, it is made ready once.
    pub(crate) fn ready(
        &self,
        digest: &str,
        reason: Reason,
        bytes: impl FnOnce() -> Result<Vec<u8>, RunnerError>,
    ) -> Result<Arc<Plugin>, RunnerError> {
        if let Some(plugin) = self.plugin(digest) {
            return Ok(plugin);
        }
        let coming = Arc::clone(self.coming.lock().entry(digest.to_owned()).or_default());
        let ready = coming.get_or_init(|| self.make(digest, reason, bytes)).clone();
        let mut all = self.coming.lock();
        if all.get(digest).is_some_and(|current| Arc::ptr_eq(current, &coming)) {
            all.remove(digest);
        }
        ready
    }

    fn make(
        &self,
        digest: &str,
        reason: Reason,
        bytes: impl FnOnce() -> Result<Vec<u8>, RunnerError>,
    ) -> Result<Arc<Plugin>, RunnerError> {
        // Somebody may have been through between the look and the place in line.
        if let Some(plugin) = self.plugin(digest) {
            return Ok(plugin);
        }
        let hash = blake3::Hash::from_hex(digest).map_err(|_| PluginError::no_digest(digest))?;
        let plugin = self.workshop.make(What::Plugin, reason, &hash, bytes, |made| Plugin::load(self, digest, made))?;
        self.plugins.keep(Arc::clone(&plugin));
        Ok(plugin)
    }

    /// How executions ended so far.
    pub fn run_figures(&self) -> RunFigures {
        self.tally.figures(self.apart.waiting())
    }

    /// What was compiled so far.
    pub fn compile_figures(&self) -> CompileFigures {
        self.workshop.figures()
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
fn build(options: &RuntimeOptions) -> Result<(Engine, Capacity, Layout), RuntimeError> {
    let duty = options.compile.compiler.duty();
    let mut concurrency = options.concurrency.clamp(1, MOST_CONCURRENCY);
    loop {
        let mut config = config(Layout::Reserved, duty);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(concurrency, options.max_memory)));
        match Engine::new(&config) {
            Ok(engine) => return Ok((engine, Capacity { concurrency, pooled: true }, Layout::Reserved)),
            Err(why) => tracing::warn!(concurrency, %why, "no room for the pool of instances; trying a smaller one"),
        }
        if concurrency <= LEAST_CONCURRENCY {
            break;
        }
        concurrency = (concurrency / 2).max(LEAST_CONCURRENCY);
    }
    let engine = Engine::new(&config(Layout::Growing, duty)).map_err(|why| RuntimeError::Engine(why.to_string()))?;
    Ok((engine, Capacity { concurrency, pooled: false }, Layout::Growing))
}

pub(crate) fn pool(concurrency: u32, max_memory: u64) -> PoolingAllocationConfig {
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
