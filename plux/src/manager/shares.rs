//! The positions of a batch, shared out among its seats.
//!
//! Each seat has a stretch, and takes from its front: neighbours in the table are neighbours in memory,
//! and loaders that took turns would wait for each other's cache lines. A seat whose stretch is used up
//! takes the back half of another's, so nothing waits behind a load that keeps its thread.
//!
//! Trap: first and end of a stretch are one word. Were they two, a position could be taken twice.

use std::sync::atomic::{AtomicU64, Ordering};

/// A stretch, alone on its cache lines: the first position above, the end below.
#[repr(align(128))]
struct Stretch(AtomicU64);

const FIRST: u64 = 1 << 32;

fn packed(first: u32, end: u32) -> u64 {
    u64::from(first) << 32 | u64::from(end)
}

fn unpacked(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

fn middle(first: u32, end: u32) -> u32 {
    first + (end - first) / 2
}

/// Positions that nobody has looked at yet.
pub(super) struct Shares {
    stretches: Box<[Stretch]>,
}

impl Shares {
    pub(super) fn new(count: usize, seats: usize) -> Self {
        let border = |seat: usize| (count * seat / seats) as u32;
        let stretch = |seat| Stretch(AtomicU64::new(packed(border(seat), border(seat + 1))));
        Self { stretches: (0..seats).map(stretch).collect() }
    }

    /// The next position for who has the seat.
    #[inline]
    pub(super) fn next(&self, seat: usize) -> Option<u32> {
        let own = &self.stretches[seat].0;
        let (first, end) = unpacked(own.fetch_add(FIRST, Ordering::Relaxed));
        if first < end { Some(first) } else { self.steal(own) }
    }

    /// Whether there is a position left.
    pub(super) fn any(&self) -> bool {
        self.stretches.iter().any(|Stretch(word)| {
            let (first, end) = unpacked(word.load(Ordering::Relaxed));
            first < end
        })
    }

    /// Fills a stretch that is used up from the back of another, and takes its first position.
    #[cold]
    fn steal(&self, own: &AtomicU64) -> Option<u32> {
        let front_half = |word: u64| {
            let (first, end) = unpacked(word);
            (first < end).then(|| packed(first, middle(first, end)))
        };
        let before = self.stretches.iter().find_map(|Stretch(word)| {
            word.try_update(Ordering::Relaxed, Ordering::Relaxed, front_half).ok()
        });
        let (first, end) = unpacked(before?);
        let first = middle(first, end);
        // Nobody else writes to a stretch that is used up.
        own.store(packed(first + 1, end), Ordering::Relaxed);
        Some(first)
    }
}
