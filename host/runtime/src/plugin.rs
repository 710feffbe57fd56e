//! A plugin that is ready to run: inspected, compiled, its imports resolved.

use wasmtime::component::Component;

use crate::bindings::WorkflowPre;
use crate::engine::Runtime;
use crate::error::PluginError;
use crate::inspect::{Inspection, inspect};
use crate::manifest::Manifest;
use crate::state::RunState;

/// A compiled plugin. Making an instance of it takes microseconds.
pub struct Plugin {
    digest: String,
    inspected: Inspection,
    size: usize,
    pub(crate) component: Component,
    pub(crate) pre: WorkflowPre<RunState>,
}

impl Plugin {
    pub(crate) fn compile(runtime: &Runtime, digest: String, bytes: &[u8]) -> Result<Self, PluginError> {
        let inspected = inspect(bytes)?;
        let component =
            Component::from_binary(&runtime.engine, bytes).map_err(|why| PluginError::Compile(format!("{why:#}")))?;
        let contract = |why: wasmtime::Error| PluginError::Contract(format!("{why:#}"));
        let pre = runtime.linker.instantiate_pre(&component).map_err(contract)?;
        let pre = WorkflowPre::new(pre).map_err(contract)?;
        Ok(Self { digest, inspected, size: bytes.len(), component, pre })
    }

    /// BLAKE3 of its bytes, as 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inspected.manifest
    }

    /// The interfaces that it imports functions from, such as `backroom:ledger/journal@0.1.0`, in order.
    pub fn imports(&self) -> &[String] {
        &self.inspected.imports
    }

    /// The functions of them that it imports, such as `journal.post`, in order.
    pub fn functions(&self) -> &[String] {
        &self.inspected.functions
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.digest).field("manifest", &self.inspected.manifest).finish()
    }
}
