//! The work itself, the same wherever it is done.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::convert::clean_lines;
use crate::error::PluginError;
use crate::inspect::{Inspection, inspect};

/// What bytes are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// A component with a manifest.
    Plugin,
    /// A core module of the service's own.
    Module,
}

/// What was found out about the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum About {
    Plugin {
        inspected: Inspection,
        /// Bytes of the component.
        size: usize,
    },
    Module,
}

/// What became of the bytes.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) about: About,
    /// What an engine of the same settings can load.
    pub(crate) code: Vec<u8>,
}

/// Inspects and compiles. This may take all the time, memory and stack there is.
pub(super) fn job(what: What, engine: &Engine, bytes: &[u8]) -> Result<Made, PluginError> {
    // A mistake of the compiler is no reason to end a service that compiles by itself.
    let made = catch_unwind(AssertUnwindSafe(|| inspect_and_compile(what, engine, bytes)));
    made.unwrap_or_else(|_panic| Err(PluginError::Compile("the compiler made a mistake".into())))
}

fn inspect_and_compile(what: What, engine: &Engine, bytes: &[u8]) -> Result<Made, PluginError> {
    let (about, code) = match what {
        What::Plugin => {
            let inspected = inspect(bytes)?;
            (About::Plugin { inspected, size: bytes.len() }, engine.precompile_component(bytes))
        }
        What::Module => (About::Module, engine.precompile_module(bytes)),
    };
    Ok(Made { about, code: code.map_err(|why| PluginError::Compile(clean_lines(&format!("{why:#}"))))? })
}
