//! Writes as many lines of as many bytes to its log as it is told, and ends well.

use backroom_sdk::host::log::{Level, write};
use backroom_sdk::{Error, Workflow, workflow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    lines: u32,
    /// Of each line; 100 if not said.
    bytes: Option<usize>,
}

struct LogFlood;

impl Workflow for LogFlood {
    type Input = Input;
    type Output = u32;

    fn run(input: Input) -> Result<u32, Error> {
        let line = "x".repeat(input.bytes.unwrap_or(100));
        for _ in 0..input.lines {
            write(Level::Info, &line);
        }
        Ok(input.lines)
    }
}

workflow!(LogFlood);
