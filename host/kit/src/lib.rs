//! What plugin authors use: makes a new plugin, builds it into a component, and finds or installs
//! the toolchain that this takes.
//!
//! The way of a build is one line of calls: [`build()`] reads `plugin.toml` ([`manifest`]), sees which [`Language`] it is, lets
//! the module of that language compile it (`guest` is Rust's, with [`toolchain`]; the others have `tools`), and wraps
//! the result ([`component`]). [`scaffold`] makes what [`build()`] expects.
//!
//! The crate never prints and never reads the process environment but in [`Machine::current`];
//! whoever calls it shows the steps that it reports through [`Progress`].

pub mod build;
mod c;
pub mod component;
mod declarations;
mod error;
mod go;
mod guest;
mod initialised;
mod install;
mod kept;
mod language;
mod lock;
mod machine;
pub mod manifest;
mod progress;
mod project;
mod python;
mod quick;
mod run;
pub mod scaffold;
mod script;
mod sources;
pub mod toolchain;
mod tools;
mod watch;
mod wit;

pub use build::{Built, Options, build, pack};
pub use component::{attach, build_core_to_component};
pub use error::KitError;
pub use language::Language;
pub use machine::Machine;
pub use manifest::Manifest;
pub use progress::{Progress, Quiet};
pub use quick::{Quick, quick};
pub use scaffold::new;
pub use toolchain::Toolchain;
pub use watch::Seen;
pub use wit::document;

/// The custom section of a component that holds its `plugin.toml`.
pub const MANIFEST_SECTION: &str = "backroom:plugin";

/// The target that guests are compiled for: no system interface at all, so nothing to refuse.
pub const TARGET: &str = "wasm32-unknown-unknown";
