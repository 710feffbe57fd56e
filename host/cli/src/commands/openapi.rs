//! `backroom openapi`: what the HTTP API is, for programs.

use clap::Args;

use crate::exit::Result;
use crate::output::Out;

/// Print what the HTTP API is, as OpenAPI 3.1: every route with its parameters, its answers and an example. Needs no server.
#[derive(Debug, Args)]
#[command(after_help = "\
A server answers the same at /v1/openapi.json, without a key.

Example:
  backroom openapi")]
pub(crate) struct OpenApi {}

impl OpenApi {
    /// Does it. It is JSON in any case.
    pub(crate) fn run(&self) -> Result {
        Out::new(true).value(&backroom_server::openapi());
        Ok(())
    }
}
