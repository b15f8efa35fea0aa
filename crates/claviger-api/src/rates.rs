//! Rate limits: requests per second of one account for one action, over all nodes.

use std::collections::HashMap;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::action::Action;

/// What the operator wants of rates.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// No limits at all.
    pub off: bool,
    /// Requests per second by `service.Action`; 0: no limit for that one.
    pub overrides: HashMap<String, u32>,
}

impl Rates {
    /// The limit of an action; none if it has none.
    pub fn limit(&self, action: &Action) -> Option<NonZeroU32> {
        if self.off {
            return None;
        }
        let name = format!("{}.{}", action.service, action.name);
        NonZeroU32::new(self.overrides.get(&name).copied().unwrap_or(action.rate))
    }
}

/// The limiter of one action, on one of the nodes that serve.
///
/// A bucket holds one second's worth of the whole cluster's rate, and a request takes as much out of it as there are nodes: so
/// each node allows its share, nodes that come and go change the price and no bucket, and together they allow the rate.
/// Where there are more nodes than requests per second, each still allows one per second, which is more than its share:
/// a limit that no request can meet would be none that anybody asked for.
#[derive(Debug)]
pub(crate) struct Limiter<C: Clock = DefaultClock> {
    per_second: NonZeroU32,
    limiter: RateLimiter<u64, DefaultKeyedStateStore<u64>, C, NoOpMiddleware<C::Instant>>,
}

impl Limiter {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self::timed(per_second, DefaultClock::default())
    }
}

impl<C: Clock> Limiter<C> {
    /// Keys remembered before those at rest are forgotten.
    const MOST_KEYS: usize = 10_000;

    fn timed(per_second: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second);
        Self { per_second, limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock) }
    }

    /// Takes one of `key`'s requests from this node's share among `nodes`; the cluster's limit if there is none left.
    pub(crate) fn take(&self, key: u64, nodes: u32) -> Result<(), u32> {
        if self.limiter.len() > Self::MOST_KEYS {
            self.limiter.retain_recent();
        }
        let price = NonZeroU32::new(nodes).unwrap_or(NonZeroU32::MIN).min(self.per_second);
        match self.limiter.check_key_n(&key, price) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.per_second.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const SECONDS: u32 = 10;

    fn limiters(per_second: u32, nodes: u32) -> (FakeRelativeClock, Vec<Limiter<FakeRelativeClock>>) {
        let clock = FakeRelativeClock::default();
        let rate = NonZeroU32::new(per_second).expect("a rate");
        let limiters = (0..nodes).map(|_| Limiter::timed(rate, clock.clone())).collect();
        (clock, limiters)
    }

    /// Asks every limiter every millisecond for a while; how many requests were let in.
    fn granted(
        clock: &FakeRelativeClock,
        asked: &[Limiter<FakeRelativeClock>],
        nodes: u32,
        seconds: u32,
    ) -> u32 {
        let mut granted = 0;
        for _ in 0..seconds * 1000 {
            granted += asked.iter().map(|limiter| u32::from(limiter.take(1, nodes).is_ok())).sum::<u32>();
            clock.advance(Duration::from_millis(1));
        }
        granted
    }

    /// What all nodes together let in, in the second that begins with full buckets and in those after it.
    #[test]
    fn nodes_share_the_rate() {
        for (per_second, nodes, first, each_after) in [
            (300, 1, 599, 300),
            (300, 3, 597, 300),
            (100, 1, 199, 100),
            (100, 3, 198, 100),
            (100, 7, 196, 100),
            (20, 3, 39, 20),
            (5, 3, 9, 5),
            (5, 5, 5, 5),
            (1, 1, 1, 1),
            // More nodes than requests per second: one each.
            (5, 7, 7, 7),
            (1, 3, 3, 3),
        ] {
            let (clock, asked) = limiters(per_second, nodes);
            let what = format!("{per_second} per second on {nodes} nodes");
            assert_eq!(granted(&clock, &asked, nodes, 1), first, "{what}, first second");
            let after = granted(&clock, &asked, nodes, SECONDS);
            // A node's share may fall between two requests at the end.
            assert!(after.abs_diff(each_after * SECONDS) <= nodes, "{what}: {after} in {SECONDS} seconds");
        }
    }

    #[test]
    fn nodes_that_come_and_go_change_the_share_at_once() {
        let (clock, asked) = limiters(100, 3);
        granted(&clock, &asked, 3, 2);
        let [one, ..] = asked.as_slice() else { panic!("three") };
        let alone = std::slice::from_ref(one);
        for (nodes, expected) in [(3, 33), (1, 100), (2, 50), (1, 100), (10, 10), (0, 100)] {
            let let_in = granted(&clock, alone, nodes, 1);
            assert!(let_in.abs_diff(expected) <= 1, "{nodes} nodes: {let_in}");
        }
    }

    #[test]
    fn keys_have_buckets_of_their_own_and_refusals_name_the_whole_limit() {
        let (_, asked) = limiters(2, 1);
        let limiter = asked.first().expect("one");
        for (key, outcome) in [(1, Ok(())), (1, Ok(())), (1, Err(2)), (2, Ok(())), (1, Err(2))] {
            assert_eq!(limiter.take(key, 1), outcome, "{key}");
        }
    }
}
