//! Calls itself as deep as it is told, or without end. It keeps nothing in its linear memory, so that only the host's stack can run out.

use backroom_sdk::{Error, Workflow, workflow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    depth: u64,
}

struct DeepStack;

impl Workflow for DeepStack {
    type Input = Option<Input>;
    type Output = u64;

    fn run(input: Option<Input>) -> Result<u64, Error> {
        Ok(down(0, input.map_or(u64::MAX, |input| input.depth)))
    }
}

/// What is done with the result keeps the compiler from making a loop of it.
#[inline(never)]
fn down(level: u64, depth: u64) -> u64 {
    if level == depth { level } else { down(level + 1, depth).rotate_left(3) ^ level }
}

workflow!(DeepStack);
