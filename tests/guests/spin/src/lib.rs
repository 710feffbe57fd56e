//! Computes for ever. Only fuel or the epoch can end it: it never calls the host.

use std::hint::black_box;

use backroom_sdk::{Error, Workflow, workflow};

struct Spin;

impl Workflow for Spin {
    type Input = ();
    type Output = ();

    fn run((): ()) -> Result<(), Error> {
        let mut round = 0_u64;
        loop {
            round = black_box(round.wrapping_add(1));
        }
    }
}

workflow!(Spin);
