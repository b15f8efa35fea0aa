//! All that is left to chance, from one number.

use std::ops::Range;
use std::time::Duration;

use claviger_core::Entropy;

/// A stream of decisions. Clones share it.
#[derive(Clone)]
pub(crate) struct Chance(Entropy);

/// Who decides. Each has a stream of its own, so that one more decision here does not change those there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Client(u64),
    Delays,
    Faults,
    Network,
    Node(u64),
    Setting,
}

impl Chance {
    pub(crate) fn new(seed: u64, who: Who) -> Self {
        let stream = match who {
            Who::Setting => 0,
            Who::Faults => 1,
            Who::Delays => 2,
            Who::Network => 3,
            Who::Client(number) => 10 + number,
            Who::Node(number) => 20 + number,
        };
        Self(Entropy::seeded(seed.wrapping_mul(64).wrapping_add(stream)))
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.0.below(end)
    }

    pub(crate) fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it came from a usize")
    }

    pub(crate) fn happens(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn millis(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.below(range.end - range.start))
    }

    pub(crate) fn entropy(&self) -> Entropy {
        self.0.clone()
    }
}
