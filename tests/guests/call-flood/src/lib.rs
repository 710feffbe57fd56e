//! Calls the host for ever, or as often as it is told.

use std::hint::black_box;

use backroom_sdk::{Error, Workflow, host, workflow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    /// How many calls; without end if there is no number.
    count: Option<u64>,
}

struct CallFlood;

impl Workflow for CallFlood {
    type Input = Option<Input>;
    type Output = u64;

    fn run(input: Option<Input>) -> Result<u64, Error> {
        let count = input.and_then(|input| input.count).unwrap_or(u64::MAX);
        for _ in 0..count {
            black_box(host::clock::now());
        }
        Ok(count)
    }
}

workflow!(CallFlood);
