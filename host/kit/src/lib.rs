//! What plugin authors use: makes a new plugin, builds it into a component, and finds or installs
//! the compiler that this takes.
//!
//! The way of a build is one line of calls: [`build()`] reads `plugin.toml` ([`manifest`]), asks
//! [`toolchain`] for a compiler, lets cargo compile the guest (`guest`), wraps the result
//! ([`component`]) and writes it. [`scaffold`] makes what [`build()`] expects.
//!
//! The crate never prints and never reads the process environment but in [`Machine::current`];
//! whoever calls it shows the steps that it reports through [`Progress`].

pub mod build;
pub mod component;
mod error;
mod guest;
mod install;
mod lock;
mod machine;
pub mod manifest;
mod progress;
mod project;
mod run;
pub mod scaffold;
pub mod toolchain;

pub use build::{Built, Options, build};
pub use component::build_core_to_component;
pub use error::KitError;
pub use machine::Machine;
pub use manifest::Manifest;
pub use progress::{Progress, Quiet};
pub use scaffold::new;
pub use toolchain::Toolchain;

/// The custom section of a component that holds its `plugin.toml`.
pub const MANIFEST_SECTION: &str = "backroom:plugin";

/// The target that guests are compiled for: no system interface at all, so nothing to refuse.
pub const TARGET: &str = "wasm32-unknown-unknown";
