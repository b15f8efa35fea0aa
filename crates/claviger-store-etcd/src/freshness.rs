//! The lease on freshness: until when this node may serve what it has cached. Pure state; see `docs/revocation.md`.

use std::collections::VecDeque;
use std::time::Duration;

use claviger_store::Version;

/// How much faster one node's clock may run than another's: 1 in 5. Quartz is far better than this, but a clock that chrony
/// corrects may run 8.3 % fast or slow until it is right, and two nodes may be corrected in opposite directions.
const DRIFT: u32 = 5;

/// How long anybody waits to be sure that a lease, measured by another clock, has run out.
pub(crate) fn outlasts(lease: Duration) -> Duration {
    lease + lease / DRIFT
}

/// Renewals that wait for their events; more are not of use.
const WAITING_MAX: usize = 16;

/// What this node knows of its own lease.
#[derive(Debug)]
pub(crate) struct Freshness {
    lease: Duration,
    applied: Version,
    waiting: VecDeque<Renewal>,
    until: Option<Duration>,
}

/// A question that etcd has answered: when it was asked, and the newest commit at that time or later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    pub(crate) asked: Duration,
    pub(crate) head: Version,
}

impl Freshness {
    pub(crate) const fn new(lease: Duration) -> Self {
        Self { lease, applied: 0, waiting: VecDeque::new(), until: None }
    }

    /// Takes a renewal. It counts from when it was asked, and only once everything up to its head has been applied.
    pub(crate) fn renewed(&mut self, renewal: Renewal) {
        if renewal.head <= self.applied {
            self.extend(renewal);
            return;
        }
        if self.waiting.len() >= WAITING_MAX {
            // The oldest would last the shortest.
            self.waiting.pop_front();
        }
        self.waiting.push_back(renewal);
    }

    /// Notes that observers have been told of everything up to `version`.
    pub(crate) fn applied(&mut self, version: Version) {
        self.applied = self.applied.max(version);
        let (ready, waiting): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|renewal| renewal.head <= self.applied);
        self.waiting = waiting.into();
        for renewal in ready {
            self.extend(renewal);
        }
    }

    /// Gives the lease up.
    pub(crate) fn lost(&mut self) {
        self.waiting.clear();
        self.until = None;
    }

    /// The moment from which the node may not serve any more, by the clock it asks with.
    pub(crate) const fn until(&self) -> Option<Duration> {
        self.until
    }

    /// The oldest renewal whose events have not come.
    pub(crate) fn overdue(&self) -> Option<Renewal> {
        self.waiting.front().copied()
    }

    fn extend(&mut self, renewal: Renewal) {
        let until = renewal.asked + self.lease;
        self.until = Some(self.until.map_or(until, |known| known.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(2);

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_lease_counts_from_the_question_and_only_once_its_head_is_applied() {
        let mut freshness = Freshness::new(LEASE);
        assert_eq!(freshness.until(), None);
        freshness.renewed(Renewal { asked: second(10), head: 5 });
        assert_eq!(freshness.until(), None, "commit 5 has not been seen");
        freshness.applied(4);
        assert_eq!(freshness.until(), None);
        freshness.applied(5);
        assert_eq!(freshness.until(), Some(second(12)));
        freshness.renewed(Renewal { asked: second(11), head: 9 });
        assert_eq!(freshness.until(), Some(second(12)), "the former lease goes on");
        freshness.applied(9);
        assert_eq!(freshness.until(), Some(second(13)));
        freshness.renewed(Renewal { asked: second(9), head: 1 });
        assert_eq!(freshness.until(), Some(second(13)), "an older renewal shortens nothing");
        freshness.lost();
        assert_eq!(freshness.until(), None);
    }

    #[test]
    fn a_wait_outlasts_a_lease_by_any_two_clocks_within_the_bound() {
        for lease in [LEASE, Duration::from_millis(101), Duration::from_secs(30)] {
            // How fast the node's clock runs that holds the lease, and the writer's that waits, in thousandths of true time.
            for (node, writer) in (500..1500).flat_map(|node| (500..1500).map(move |writer| (node, writer))) {
                let within = writer * DRIFT <= node * (DRIFT + 1);
                // A span by a clock lasts that span over the clock's rate; both sides are multiplied by both rates.
                let outlasted = outlasts(lease) * node >= lease * writer;
                assert_eq!(outlasted, within, "{lease:?}, rates {node} and {writer}");
            }
        }
    }

    #[test]
    fn what_waits_is_bounded_and_the_newest_is_kept() {
        let mut freshness = Freshness::new(LEASE);
        for n in 0..100 {
            freshness.renewed(Renewal { asked: second(n), head: 1000 });
        }
        assert_eq!(freshness.waiting.len(), WAITING_MAX);
        freshness.applied(1000);
        assert_eq!(freshness.until(), Some(second(101)));
        assert!(freshness.overdue().is_none());
    }
}
