//! Repeatable chance: `SplitMix64` (Steele, Lea, Flood 2014). Good enough to choose moments and orders with.

use std::time::Duration;

/// A stream of numbers that a seed determines.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("usize is at most 64 bits");
        usize::try_from(self.next() % limit).expect("smaller than a usize")
    }

    pub fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    /// A time up to `longest`.
    pub fn duration(&mut self, longest: Duration) -> Duration {
        let micros = usize::try_from(longest.as_micros()).expect("seconds, not ages");
        Duration::from_micros(u64::try_from(self.below(micros)).expect("usize is at most 64 bits"))
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_determines_the_stream() {
        let mut chance = Chance::new(0);
        assert_eq!(chance.next(), 0xe220_a839_7b1d_cdaf, "the generator's published first output for seed 0");
        let mut again = Chance::new(0);
        again.next();
        assert_eq!(chance.next(), again.next());
    }

    #[test]
    fn within_the_limit() {
        let mut chance = Chance::new(7);
        assert!((0..1000).all(|_| chance.below(3) < 3));
    }
}
