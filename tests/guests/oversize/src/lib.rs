//! Returns or passes more bytes at once than the service takes.

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
    type Input = Input;
    type Output = String;

    fn run(input: Input) -> Result<String, Error> {
        match input {
            Input::Output(bytes) => Ok("x".repeat(bytes)),
            Input::Argument(bytes) => {
                host::state::set("oversize", &vec![b'x'; bytes])?;
                Ok("passed".to_owned())
            }
        }
    }
}

workflow!(Oversize);
