//! A check that allows takes no memory: counted by an allocator of this test alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what these tests set up is valid by construction")]
#![expect(unsafe_code, reason = "an allocator that counts has to be one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

mod rights_calls;

use rights_calls::{Calls, allowed};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

#[test]
fn a_check_that_allows_allocates_nothing() {
    let calls = Calls::new();
    assert!(allocations(|| drop(black_box(Box::new(1)))) > 0, "the allocator counts");
    for (name, check) in allowed() {
        let count = allocations(|| assert!(black_box(check(&calls)), "{name} is allowed"));
        assert_eq!(count, 0, "{name}");
    }
}
