//! `backroom compile`: what the service starts to have a component compiled. Not for people.

use std::process::ExitCode;

use clap::Args;

/// Compile the component on standard input, locked in, for the service that started this.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// What to compile and within which limits, as the service says it.
    order: String,
}

impl Compile {
    /// Does it.
    pub(crate) fn run(&self) -> ExitCode {
        backroom_runtime::compile_as_child(&self.order)
    }
}
