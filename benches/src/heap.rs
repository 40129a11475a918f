//! What is on the heap, counted by the allocator itself.
//!
//! Trap: it counts for a bench only that has made [`stats_alloc::INSTRUMENTED_SYSTEM`] its global
//! allocator; those that measure time have not.

use std::ops::Sub;

use stats_alloc::INSTRUMENTED_SYSTEM;

/// Bytes as they were asked for, and how often memory was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heap {
    /// Bytes that are not given back.
    pub live: i64,
    /// Calls so far that got memory, or more of it.
    pub calls: i64,
}

impl Heap {
    /// As it is now.
    pub fn now() -> Self {
        let stats = INSTRUMENTED_SYSTEM.stats();
        Self {
            live: stats.bytes_allocated as i64 - stats.bytes_deallocated as i64,
            calls: (stats.allocations + stats.reallocations) as i64,
        }
    }
}

impl Sub for Heap {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { live: self.live - before.live, calls: self.calls - before.calls }
    }
}
