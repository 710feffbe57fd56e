//! Computes for ever in the allocator, which the host calls to pass the input: between instantiation and `run`.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;

use backroom_sdk::{Error, Workflow, workflow};

struct Endless;

// SAFETY: it never returns, so that no memory is ever handed out.
unsafe impl GlobalAlloc for Endless {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        let mut round = 0_u64;
        loop {
            round = black_box(round.wrapping_add(1));
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Endless = Endless;

struct Never;

impl Workflow for Never {
    type Input = ();
    type Output = ();

    fn run((): ()) -> Result<(), Error> {
        Ok(())
    }
}

workflow!(Never);
