//! What the child does.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use super::CompileLimits;
use super::frame::{self, Answer};
use super::job::{Made, What, job};
use crate::confine::{die_with_parent, let_go, lock_in_compiler};
use crate::error::PluginError;
use crate::inspect::MAX_COMPONENT;
use crate::profile::{Duty, Layout, config};

/// What the parent says in the argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) what: What,
    pub(super) layout: Layout,
    pub(super) limits: CompileLimits,
}

/// More threads than this gain little: one large module takes most of the time.
const MAX_THREADS: usize = 4;
/// As a main thread has: what nests deeply in a component is followed by recursion in places.
const STACK: usize = 8 << 20;

/// Compiles what comes on standard input and answers on standard output, as a service's child: see [`super::Compiler::Child`]. The
/// process locks itself in for good, so it can be of no use for anything else.
///
/// It has to be called before anything is opened and before there is a second thread.
pub fn compile_as_child(order: &str) -> ExitCode {
    match answer(order) {
        Ok(()) => ExitCode::SUCCESS,
        // As every allocation ends that cannot report it, so the parent hears one thing of them all.
        Err(why) if why.kind() == io::ErrorKind::OutOfMemory => {
            drop(writeln!(io::stderr(), "memory allocation failed: {why}"));
            std::process::abort()
        }
        Err(why) => {
            drop(writeln!(io::stderr(), "{why}"));
            ExitCode::FAILURE
        }
    }
}

fn answer(order: &str) -> io::Result<()> {
    let order: Order = serde_json::from_str(order)?;
    die_with_parent()?;
    let_go()?;
    // Everything that needs files or threads of its own is there before the door is shut.
    let engine =
        Engine::new(&config(order.layout, Duty::Compile)).map_err(|why| io::Error::other(format!("{why:#}")))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK);
    pool.build_global().map_err(io::Error::other)?;
    let confined = lock_in_compiler(&order.limits)?;

    let most = u64::try_from(MAX_COMPONENT).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let (answer, code) = match job(order.what, &engine, &bytes) {
        Ok(Made { code, .. }) if u64::try_from(code.len()).is_ok_and(|size| size > order.limits.code) => {
            let why =
                format!("it would become {} MiB of code, the limit is {}", code.len() >> 20, order.limits.code >> 20);
            (Answer::Refused(PluginError::CompileLimit(why)), Vec::new())
        }
        Ok(Made { about, code }) => (Answer::Made { about, confined }, code),
        Err(why) => (Answer::Refused(why), Vec::new()),
    };
    // No reason is that long, unless the component says it.
    let short = || frame::head(&Answer::Refused(PluginError::Malformed("its names are too long to be told".into())));
    let head = frame::head(&answer).or_else(short).ok_or_else(|| io::Error::other("the answer has no frame"))?;
    let mut out = io::stdout().lock();
    out.write_all(&head)?;
    out.write_all(&code)?;
    out.flush()
}
