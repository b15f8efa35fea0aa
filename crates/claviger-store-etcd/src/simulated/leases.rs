//! Leases: a name, a span of time, and the keys that go when it has run out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::refusal::Refusal;

/// The shortest lease: one and a half election timeouts, in whole seconds.
pub(super) const TTL_SECONDS_MIN: i64 = 2;

/// All leases by their id.
#[derive(Debug, Default)]
pub(super) struct Leases {
    leases: BTreeMap<i64, Lease>,
    granted: i64,
}

/// A lease that has not run out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) ttl_seconds: i64,
    pub(super) ends: Duration,
}

impl Leases {
    /// Grants a lease under `id`, or under an id of its own for 0.
    pub(super) fn grant(
        &mut self,
        id: i64,
        ttl_seconds: i64,
        now: Duration,
    ) -> Result<(i64, Lease), Refusal> {
        let id = match id {
            0 => self.own_id(),
            id => id,
        };
        if self.leases.contains_key(&id) {
            return Err(Refusal::LeaseExists);
        }
        let ttl_seconds = ttl_seconds.max(TTL_SECONDS_MIN);
        let lease = Lease { ttl_seconds, ends: now + span(ttl_seconds) };
        self.leases.insert(id, lease);
        Ok((id, lease))
    }

    fn own_id(&mut self) -> i64 {
        loop {
            self.granted += 1;
            let id = 0x6c65_6173_6500_0000 + self.granted;
            if !self.leases.contains_key(&id) {
                return id;
            }
        }
    }

    /// The lease, if it has not run out.
    pub(super) fn find(&self, id: i64) -> Option<Lease> {
        self.leases.get(&id).copied()
    }

    /// Whether keys may be attached to `id`; 0 is no lease.
    pub(super) fn check(&self, id: i64) -> Result<(), Refusal> {
        match id {
            0 => Ok(()),
            id => self.find(id).map(|_| ()).ok_or(Refusal::LeaseNotFound),
        }
    }

    /// Starts the lease's time anew.
    pub(super) fn keep_alive(&mut self, id: i64, now: Duration) -> Option<Lease> {
        let lease = self.leases.get_mut(&id)?;
        lease.ends = now + span(lease.ttl_seconds);
        Some(*lease)
    }

    /// Starts all times anew, as a new leader does.
    pub(super) fn extend_all(&mut self, now: Duration) {
        for lease in self.leases.values_mut() {
            lease.ends = now + span(lease.ttl_seconds);
        }
    }

    /// Ends it, and answers whether there was one.
    pub(super) fn remove(&mut self, id: i64) -> bool {
        self.leases.remove(&id).is_some()
    }

    /// When the next one runs out.
    pub(super) fn next_end(&self) -> Option<Duration> {
        self.leases.values().map(|lease| lease.ends).min()
    }

    /// Those that have run out.
    pub(super) fn ended(&self, now: Duration) -> Vec<i64> {
        self.leases.iter().filter(|(_, lease)| lease.ends <= now).map(|(id, _)| *id).collect()
    }

    /// All ids.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.leases.keys().copied().collect()
    }
}

fn span(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}
