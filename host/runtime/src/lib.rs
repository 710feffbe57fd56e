//! Runs workflow components in a sandbox: fresh instance, grants, limits; WIT types in, domain types out.
//!
//! ```text
//! Runner::upload   bytes -> inspect -> compile -> releases/<digest>.wasm -> Release record
//! Runner::run      request -> unit of work -> Runtime::execute -> seal -> commit or plan -> RunReport
//! Runtime::execute fresh store and instance -> `run` of the component -> Execution
//! api::*           one WIT interface each: count, convert, call the use case, convert back
//! apart::*         the same with the guest in a process of its tenant's own, which asks for every call
//! ```
//!
//! A guest can reach what `api` has and nothing else: no files, no sockets, no clock, no randomness of the machine. Where the
//! runtime of its language insists on a system, and it may `observe`, `wasi` makes one up.
//! Requests to the outside go through [`HttpOptions`] and stand in the run's record.
//! Everything here is synchronous: a run blocks its thread, so give it one of its own (with 2 MiB of stack).
//! [`bare`] runs the same components without the service around them, for comparison.

mod admission;
mod apart;
mod api;
pub mod bare;
mod bindings;
mod compile;
mod confine;
mod convert;
mod engine;
mod error;
mod exec;
#[cfg(fuzzing)]
pub mod fuzz;
mod grants;
mod guest;
mod inspect;
mod limits;
mod manifest;
mod outbound;
mod plugin;
mod profile;
mod queue;
mod releases;
mod replay;
mod report;
mod run;
mod slices;
mod state;
mod tally;
mod ticker;
mod wasi;

pub use apart::run_as_child;
pub use backroom_office::runs::{Fault, FaultKind, LogLevel, LogLine};
pub use compile::{CacheKey, CacheOptions, CompileFigures, CompileLimits, CompileOptions, Compiler, compile_as_child};
pub use engine::{Capacity, Runtime, RuntimeOptions};
pub use error::{PluginError, RunnerError, RuntimeError};
pub use exec::{Execution, Outcome, Setup};
pub use grants::RightsReport;
pub use inspect::{Class, Inspection, digest, inspect};
pub use manifest::{MANIFEST_SECTION, Manifest};
pub use outbound::{Held, HttpOptions, OwnAuthority, PrivateTarget};
pub use plugin::Plugin;
pub use queue::Enqueued;
pub use replay::{ErasedField, ReplayReport};
pub use report::{Mode, RunReport, Status};
pub use run::{MAX_INPUT, RunHandle, RunRequest, Runner};
pub use tally::RunFigures;
