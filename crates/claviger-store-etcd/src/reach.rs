//! How far every node has come: up to which commit all of them have applied, or cannot serve any more. Pure state; see
//! `docs/revocation.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_store::Version;

use crate::freshness::outlasts;

/// What came before a reading of all registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing: the cluster had not been founded, and no node registers before it is.
    None,
    /// There may have been nodes whose registrations are gone.
    Unknown,
}

/// What one node knows of the others, from its own watch.
#[derive(Debug)]
pub(crate) struct Reach {
    lease: Duration,
    peers: BTreeMap<String, Peer>,
    /// Until then, a node that this one has never heard of may still serve.
    strangers_until: Duration,
}

#[derive(Debug, Default)]
struct Peer {
    acknowledged: Version,
    /// Once its registration is gone: when its last lease has run out.
    gone: Option<Duration>,
}

impl Reach {
    /// Knowing of nobody, and that there is nobody. Call [`Reach::read_anew`] before what it says is believed.
    pub(crate) const fn new(lease: Duration) -> Self {
        Self { lease, peers: BTreeMap::new(), strangers_until: Duration::ZERO }
    }

    /// Starts over with what was read at `now`: those who are not registered any more have left no trace.
    pub(crate) fn read_anew(&mut self, past: Past, now: Duration) {
        self.peers.clear();
        self.strangers_until = match past {
            Past::None => now,
            Past::Unknown => now + outlasts(self.lease),
        };
    }

    /// A node was registered by `revision`. What was committed before, it applies before it serves at all.
    pub(crate) fn registered(&mut self, id: &str, revision: Version) {
        let peer = self.peers.entry(id.to_owned()).or_default();
        peer.gone = None;
        peer.acknowledged = peer.acknowledged.max(revision);
    }

    /// A node has said that it serves no more.
    pub(crate) fn left(&mut self, id: &str) {
        self.peers.remove(id);
    }

    /// A node's registration is gone, without its having said so.
    pub(crate) fn vanished(&mut self, id: &str, now: Duration) {
        let until = now + outlasts(self.lease);
        if let Some(peer) = self.peers.get_mut(id) {
            peer.gone.get_or_insert(until);
        }
    }

    /// A node has applied everything up to `version`.
    pub(crate) fn acknowledged(&mut self, id: &str, version: Version) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.acknowledged = peer.acknowledged.max(version);
        }
    }

    /// Up to which commit everybody but `me` has applied, or cannot serve any more.
    pub(crate) fn settled(&mut self, me: &str, now: Duration) -> Version {
        self.peers.retain(|_, peer| peer.gone.is_none_or(|until| now < until));
        if now < self.strangers_until {
            return 0;
        }
        let others = self.peers.iter().filter(|(id, _)| *id != me);
        others.map(|(_, peer)| peer.acknowledged).min().unwrap_or(Version::MAX)
    }

    /// When `settled` may change without any news.
    pub(crate) fn changes_at(&self, now: Duration) -> Option<Duration> {
        let gone = self.peers.values().filter_map(|peer| peer.gone);
        gone.chain([self.strangers_until]).filter(|at| now < *at).min()
    }

    /// Registered nodes other than `me`.
    pub(crate) fn others(&self, me: &str) -> usize {
        self.peers.iter().filter(|(id, peer)| *id != me && peer.gone.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(2);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_slowest_node_decides() {
        let mut reach = Reach::new(LEASE);
        assert_eq!(reach.settled("me", at(0)), Version::MAX, "nobody else");
        reach.registered("me", 1);
        reach.registered("a", 2);
        reach.registered("b", 3);
        assert_eq!(reach.settled("me", at(0)), 2, "what was before it, a node has");
        reach.acknowledged("a", 7);
        reach.acknowledged("b", 9);
        assert_eq!(reach.settled("me", at(0)), 7);
        reach.acknowledged("a", 5);
        assert_eq!(reach.settled("me", at(0)), 7, "an old acknowledgement takes nothing back");
        reach.left("a");
        assert_eq!(reach.settled("me", at(0)), 9);
        assert_eq!(reach.others("me"), 1);
        reach.acknowledged("a", 99);
        assert_eq!(reach.settled("me", at(0)), 9, "a stranger's word counts nothing");
    }

    #[test]
    fn who_vanished_may_serve_until_its_lease_has_run_out() {
        let mut reach = Reach::new(LEASE);
        reach.registered("a", 0);
        reach.vanished("a", at(100));
        assert_eq!(reach.others("me"), 0);
        assert_eq!(reach.changes_at(at(100)), Some(at(2500)));
        reach.vanished("a", at(900));
        assert_eq!(reach.settled("me", at(2499)), 0);
        assert_eq!(reach.settled("me", at(2500)), Version::MAX);
        assert_eq!(reach.changes_at(at(2500)), None);
    }

    #[test]
    fn a_fresh_reader_waits_for_those_it_never_heard_of() {
        let mut reach = Reach::new(LEASE);
        reach.read_anew(Past::Unknown, at(1000));
        reach.registered("a", 0);
        reach.acknowledged("a", 5);
        assert_eq!(reach.settled("me", at(3399)), 0);
        assert_eq!(reach.settled("me", at(3400)), 5);
    }
}
