//! Returns or passes as many bytes at once as it is told; returns 2 MiB, more than the service takes, if it is told nothing.

use backroom_sdk::{Error, Workflow, host, workflow};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Input {
    /// Return so many bytes.
    Output(usize),
    /// Pass so many bytes to a call.
    Argument(usize),
}

struct Oversize;

impl Workflow for Oversize {
    type Input = Option<Input>;
    type Output = String;

    fn run(input: Option<Input>) -> Result<String, Error> {
        match input.unwrap_or(Input::Output(2 << 20)) {
            Input::Output(bytes) => Ok("x".repeat(bytes)),
            Input::Argument(bytes) => {
                host::state::set("oversize", &vec![b'x'; bytes])?;
                Ok("passed".to_owned())
            }
        }
    }
}

workflow!(Oversize);
