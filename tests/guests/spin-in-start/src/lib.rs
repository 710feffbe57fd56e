//! Computes for ever before `run` is called: instantiation runs guest code too.

use std::hint::black_box;

use backroom_sdk::{Error, Workflow, workflow};

/// Run by the component's instantiation.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    let mut round = 0_u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

struct Never;

impl Workflow for Never {
    type Input = ();
    type Output = ();

    fn run((): ()) -> Result<(), Error> {
        Ok(())
    }
}

workflow!(Never);
