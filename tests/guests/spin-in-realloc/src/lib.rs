//! Computes for ever in the allocator, which the host calls to pass the input: between instantiation and `run`.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;

use backroom_sdk::{Error, Workflow, workflow};

struct Endless;

// SAFETY: it hands out no memory.
unsafe impl GlobalAlloc for Endless {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        // The compiler leaves out allocations that nobody uses: it must believe that this ends, and with a block.
        while black_box(true) {}
        black_box(std::ptr::null_mut())
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
