//! From a component's bytes to code that an engine can load: where that is done, within which limits, and what is kept of it.
//!
//! ```text
//! Workshop::make   cache -> one compilation at a time -> job, in a child or here -> cache
//! job              inspect -> compile: everything that looks deeply into bytes from outside
//! child            what the child process does: locks itself in, then the job
//! parent           starts it, feeds it, bounds time and output, says what became of it
//! cache            compiled code in files that are believed only if a keyed checksum says that this service wrote them
//! ```
//!
//! A component can be made to take any amount of time, memory and stack from whoever parses, validates or compiles it, so a service
//! has that done in a process that may die of it. What the child hands back is trusted: it is code. It comes from Cranelift, in
//! a process that could read nothing but the component and talk to nobody but its parent.

mod cache;
mod child;
mod frame;
mod job;
mod parent;
mod workshop;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::cache::{CacheKey, CacheOptions};
pub use self::child::compile_as_child;
pub(crate) use self::job::{About, Made, What};
pub use self::workshop::CompileFigures;
pub(crate) use self::workshop::{Reason, Workshop};

/// Who compiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process: for tests and measurements, where the components are one's own. A component that is made for it can end the
    /// process.
    #[default]
    InProcess,
    /// A child process for each component, which this process' engine has no compiler beside.
    Child {
        /// What to start. Called with `compile` and one more argument, it has to call [`compile_as_child`] with that argument
        /// first of all.
        program: PathBuf,
    },
}

/// How components are compiled.
#[derive(Debug, Clone, Default)]
pub struct CompileOptions {
    /// Who does it.
    pub compiler: Compiler,
    /// What a child may take.
    pub limits: CompileLimits,
    /// Where compiled code is kept from one start to the next; nowhere if none.
    pub cache: Option<CacheOptions>,
}

/// What one compilation may take. Every number has its reason beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Bytes of memory that the child may write to. What it only sets aside is not counted.
    pub memory: u64,
    /// Seconds of processor time, over all of its threads.
    pub cpu_seconds: u64,
    /// Time from start to end. Only a machine with too much to do makes a child reach this before the other limits.
    pub wall: Duration,
    /// Bytes of compiled code.
    pub code: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            // The largest guest there is takes 5 seconds, and 11 where the processors are contended.
            cpu_seconds: 60,
            // Four times as much: others go first.
            wall: Duration::from_secs(240),
            // Code has two to three and a half times the size of the component, of which there are 32 MiB at most.
            code: 256 << 20,
        }
    }
}
