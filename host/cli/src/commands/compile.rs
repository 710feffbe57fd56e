//! `backroom compile` and `backroom run-apart`: what the service starts to have a component compiled, and to run those of a tenant
//! that has a process of its own. Not for people.

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

/// Run components for one tenant of the service that started this, locked in.
#[derive(Debug, Args)]
pub(crate) struct RunApart {
    /// How, as the service says it.
    opening: String,
}

impl RunApart {
    /// Does it.
    pub(crate) fn run(&self) -> ExitCode {
        backroom_runtime::run_as_child(&self.opening)
    }
}
