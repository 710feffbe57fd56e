//! Memory of a run: first from a piece that the component has from the start, then from the system.
//!
//! An instance lives for one run, and most runs need little. Growing a linear memory makes the host change the protection
//! of its pages, and change it back for the next run: several microseconds, and a lock that all runs of a service share.
//! What lies in the arena is given back only if it was the last thing taken; what does not fit goes the usual way.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pages that are not touched cost nothing.
const SIZE: usize = 256 << 10;

#[repr(C, align(16))]
struct Arena {
    memory: UnsafeCell<[u8; SIZE]>,
    /// Bytes handed out, from the beginning. Only one thread ever runs in a component; atomic because statics must be.
    used: AtomicUsize,
}

// SAFETY: components have no threads (the host does not link them).
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

impl Arena {
    fn base(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Where in the arena `ptr` is, if it is.
    fn offset(&self, ptr: *mut u8) -> Option<usize> {
        let offset = (ptr as usize).wrapping_sub(self.base() as usize);
        (offset < SIZE).then_some(offset)
    }

    fn is_last(&self, offset: usize, size: usize) -> bool {
        offset + size == self.used.load(Ordering::Relaxed)
    }

    fn set_used(&self, used: usize) {
        self.used.store(used, Ordering::Relaxed);
    }
}

// SAFETY: a piece of the arena is handed out once, from `used` on, aligned and within bounds, and is the caller's until it
// is given back; everything else is the system allocator's. Which of the two a pointer belongs to, its address says.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.load(Ordering::Relaxed);
        let begin = (self.base() as usize + used).next_multiple_of(layout.align()) - self.base() as usize;
        match begin.checked_add(layout.size()).filter(|end| *end < SIZE) {
            Some(end) => {
                self.set_used(end);
                self.base().wrapping_add(begin)
            }
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        match self.offset(ptr) {
            Some(offset) if self.is_last(offset, layout.size()) => self.set_used(offset),
            Some(_) => {}
            None => unsafe { System.dealloc(ptr, layout) },
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(ptr) else { return unsafe { System.realloc(ptr, layout, size) } };
        if self.is_last(offset, layout.size()) && offset.checked_add(size).is_some_and(|end| end < SIZE) {
            self.set_used(offset + size);
            return ptr;
        }
        if size <= layout.size() {
            return ptr;
        }
        // The caller promises that `size` rounded up to the alignment fits, as for `alloc`.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            unsafe { ptr.copy_to_nonoverlapping(moved, layout.size()) };
        }
        moved
    }
}
