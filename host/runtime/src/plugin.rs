//! A plugin that is ready to run: inspected, compiled, its imports resolved.

use std::sync::Arc;

use backroom_office::observes;
use wasmtime::component::Component;

use crate::bindings::WorkflowPre;
use crate::compile::{About, Made};
use crate::convert::clean_lines;
use crate::engine::Runtime;
use crate::error::PluginError;
use crate::inspect::{Class, Inspection};
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
    /// Takes what was made of its bytes, and resolves its imports.
    pub(crate) fn load(runtime: &Runtime, digest: &str, made: &Made) -> Result<Arc<Self>, PluginError> {
        let About::Plugin { inspected, size } = &made.about else {
            return Err(PluginError::Compiler("it compiled no component".into()));
        };
        #[expect(unsafe_code, reason = "the only way from compiled code to a component")]
        // SAFETY: the bytes are what the compiler made, in this process or in a child of it that spoke through its own pipe, or what
        // the cache found unchanged by a keyed checksum since; the settings are the same by the name in the cache and by the
        // one function that makes them. They are copied, so nobody can change them afterwards.
        let component = unsafe { Component::deserialize(&runtime.engine, &made.code) };
        let component = component.map_err(|why| PluginError::Compile(said(&why)))?;
        let contract = |why: wasmtime::Error| PluginError::Contract(said(&why));
        let pre = runtime.linker.instantiate_pre(&component).map_err(contract)?;
        let pre = WorkflowPre::new(pre).map_err(contract)?;
        let (digest, inspected) = (digest.to_owned(), inspected.clone());
        Ok(Arc::new(Self { digest, inspected, size: *size, component, pre }))
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

    /// How far it can reach.
    pub fn class(&self) -> Class {
        self.inspected.class()
    }

    /// Whether it needs a system, real or not.
    pub(crate) fn observes(&self) -> bool {
        observes(&self.inspected.imports)
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

/// The engine's words, which may have the plugin's own in them.
fn said(why: &wasmtime::Error) -> String {
    clean_lines(&format!("{why:#}"))
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.digest).field("manifest", &self.inspected.manifest).finish()
    }
}
