//! Takes memory, a mebibyte at a time, and touches every page of it, until it is refused more. Then it gives up, as
//! programs do that run out of memory; or it lives with that, if it is told so, and tells how much it got.

use backroom_sdk::{Error, Workflow, workflow};
use serde::{Deserialize, Serialize};

const MEBIBYTE: usize = 1 << 20;
const PAGE: usize = 4096;

#[derive(Deserialize)]
struct Input {
    /// Whether to live with a refusal.
    survive: bool,
}

#[derive(Serialize)]
struct Output {
    mebibytes: usize,
}

struct EatMemory;

impl Workflow for EatMemory {
    type Input = Option<Input>;
    type Output = Output;

    fn run(input: Option<Input>) -> Result<Output, Error> {
        let survive = input.is_some_and(|input| input.survive);
        // Room for the whole 4 GiB of a 32-bit memory: the list itself never has to grow.
        let mut taken: Vec<Vec<u8>> = Vec::with_capacity(4096);
        loop {
            let mut block = Vec::new();
            if !survive {
                block.reserve_exact(MEBIBYTE);
            } else if block.try_reserve_exact(MEBIBYTE).is_err() {
                break;
            }
            block.resize(MEBIBYTE, 1_u8);
            for byte in block.iter_mut().step_by(PAGE) {
                *byte = std::hint::black_box(2);
            }
            taken.push(block);
        }
        Ok(Output { mebibytes: taken.len() })
    }
}

workflow!(EatMemory);
