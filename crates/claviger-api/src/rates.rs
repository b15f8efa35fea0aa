//! Rate limits: requests per second of one account for one action.

use std::collections::HashMap;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

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

/// The limiter of one action.
#[derive(Debug)]
pub(crate) struct Limiter {
    per_second: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<u64>,
}

impl Limiter {
    /// Keys remembered before those at rest are forgotten.
    const MOST_KEYS: usize = 10_000;

    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { per_second, limiter: RateLimiter::keyed(Quota::per_second(per_second)) }
    }

    /// Takes one of `key`'s requests; the limit if there is none left.
    pub(crate) fn take(&self, key: u64) -> Result<(), u32> {
        if self.limiter.len() > Self::MOST_KEYS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key).map_err(|_| self.per_second.get())
    }
}
