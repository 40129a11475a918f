//! What is drawn from a seed.

/// A small generator (splitmix64): the same seed draws the same.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Draws from this seed on.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From zero to below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    /// From 0 to `most`, in milliseconds; often nothing at all.
    pub fn time(&mut self, most: usize) -> u64 {
        if self.one_in(3) { 0 } else { self.roll(most + 1) as u64 }
    }
}
