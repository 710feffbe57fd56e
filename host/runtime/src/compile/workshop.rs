//! Where components become code: from the cache, or by a compiler, each once at a time.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use super::cache::{Cache, Found};
use super::child::Order;
use super::job::{About, Made, What, job};
use super::{CompileOptions, Compiler, parent};
use crate::error::PluginError;
use crate::inspect::MAX_COMPONENT;
use crate::profile::{Duty, Layout, fingerprint};

/// Why something is to be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody brings something new.
    Upload,
    /// It was compiled before, and is to run now.
    Use,
}

/// What was compiled, and how, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CompileFigures {
    /// Compilations begun.
    pub begun: u64,
    /// Those that ended because a component was no good.
    pub refused: u64,
    /// Those that were ended because they took too much.
    pub over_limit: u64,
    /// Those that the compiler failed at for reasons of its own.
    pub failed: u64,
    /// Those by a child that was held by its limits alone, because the kernel has no filter of system calls.
    #[serde(default)]
    pub unfiltered: u64,
    /// Components that were compiled before and taken from the cache.
    pub from_cache: u64,
    /// Files of the cache that were changed, cut or moved, and not loaded.
    pub cache_damaged: u64,
    /// Compiled code that could not be written to the cache.
    pub cache_not_written: u64,
}

/// The compiler and the cache of one engine.
pub(crate) struct Workshop {
    options: CompileOptions,
    layout: Layout,
    /// Compiles, if this process does.
    engine: Engine,
    fingerprint: [u8; 32],
    cache: Option<Cache>,
    /// Each held while one thing is compiled, so that two children are the most there are, and whoever uploads is never in the way
    /// of whoever runs.
    uploads: Mutex<()>,
    uses: Mutex<()>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    begun: AtomicU64,
    refused: AtomicU64,
    over_limit: AtomicU64,
    failed: AtomicU64,
    unfiltered: AtomicU64,
    from_cache: AtomicU64,
    cache_damaged: AtomicU64,
    cache_not_written: AtomicU64,
}

impl Compiler {
    /// What the engine of the process has to be.
    pub(crate) fn duty(&self) -> Duty {
        match self {
            Self::InProcess => Duty::Compile,
            Self::Child { .. } => Duty::Run,
        }
    }
}

impl Workshop {
    /// A cache that cannot be opened is done without.
    pub(crate) fn new(options: CompileOptions, layout: Layout, engine: &Engine) -> Self {
        let cache = options.cache.as_ref().and_then(|cache| {
            let opened = Cache::open(cache, options.limits.code);
            let folder = cache.folder.display();
            opened
                .inspect_err(|why| tracing::warn!(%why, %folder, "compiled code is not kept: each start compiles anew"))
                .ok()
        });
        let (engine, fingerprint) = (engine.clone(), fingerprint(engine));
        let (uploads, uses, counts) = Default::default();
        Self { options, layout, engine, fingerprint, cache, uploads, uses, counts }
    }

    pub(crate) fn figures(&self) -> CompileFigures {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        CompileFigures {
            begun: of(&counts.begun),
            refused: of(&counts.refused),
            over_limit: of(&counts.over_limit),
            failed: of(&counts.failed),
            unfiltered: of(&counts.unfiltered),
            from_cache: of(&counts.from_cache),
            cache_damaged: of(&counts.cache_damaged),
            cache_not_written: of(&counts.cache_not_written),
        }
    }

    /// The code of the bytes with this digest, ready to use: `load` makes something of it. The bytes are asked for only if they
    /// have to be compiled.
    pub(crate) fn make<T, E: From<PluginError>>(
        &self,
        what: What,
        reason: Reason,
        digest: &blake3::Hash,
        bytes: impl FnOnce() -> Result<Vec<u8>, E>,
        load: impl Fn(&Made) -> Result<T, PluginError>,
    ) -> Result<T, E> {
        let name = self.name(what, digest);
        if let Some(loaded) = self.find(&name, &load) {
            return Ok(loaded);
        }
        let bytes = bytes()?;
        let made = {
            let _one = match reason {
                Reason::Upload => self.uploads.lock(),
                Reason::Use => self.uses.lock(),
            };
            self.compile(what, &bytes)?
        };
        drop(bytes);
        let loaded = load(&made)?;
        self.keep(&name, &made);
        Ok(loaded)
    }

    /// Names compiled code by everything that it comes from.
    fn name(&self, what: What, digest: &blake3::Hash) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("backroom 2026 compiled code: name");
        hasher.update(&self.fingerprint).update(&[what as u8]).update(digest.as_bytes());
        hasher.finalize()
    }

    fn find<T>(&self, name: &blake3::Hash, load: impl Fn(&Made) -> Result<T, PluginError>) -> Option<T> {
        let cache = self.cache.as_ref()?;
        match cache.read(name) {
            Found::Code(made) => match load(&made) {
                Ok(loaded) => {
                    count(&self.counts.from_cache);
                    Some(loaded)
                }
                Err(why) => {
                    // Such as code for a processor that this one is not.
                    tracing::warn!(%why, "kept code cannot be loaded here: it is compiled again");
                    cache.forget(name);
                    None
                }
            },
            Found::Nothing => None,
            Found::Damaged => {
                count(&self.counts.cache_damaged);
                None
            }
        }
    }

    fn compile(&self, what: What, bytes: &[u8]) -> Result<Made, PluginError> {
        count(&self.counts.begun);
        let made = self.compiled(what, bytes);
        match &made {
            Ok(_) => {}
            Err(PluginError::CompileLimit(_)) => count(&self.counts.over_limit),
            Err(PluginError::Compiler(_)) => count(&self.counts.failed),
            Err(_) => count(&self.counts.refused),
        }
        made
    }

    fn compiled(&self, what: What, bytes: &[u8]) -> Result<Made, PluginError> {
        if bytes.len() > MAX_COMPONENT {
            return Err(PluginError::TooLarge { size: bytes.len(), limit: MAX_COMPONENT });
        }
        let made = match &self.options.compiler {
            Compiler::InProcess => job(what, &self.engine, bytes)?,
            Compiler::Child { program } => {
                let order = Order { what, layout: self.layout, limits: self.options.limits };
                let (made, filtered) = parent::run(program, &order, bytes)?;
                if !filtered {
                    count(&self.counts.unfiltered);
                }
                made
            }
        };
        if (what == What::Module) == (made.about == About::Module) {
            return Ok(made);
        }
        Err(PluginError::Compiler("it compiled something else".into()))
    }

    /// A cache that cannot be written is slow and nothing else.
    fn keep(&self, name: &blake3::Hash, made: &Made) {
        if let Some(Err(why)) = self.cache.as_ref().map(|cache| cache.keep(name, made)) {
            count(&self.counts.cache_not_written);
            tracing::warn!(%why, "compiled code was not kept: the next start compiles it anew");
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
