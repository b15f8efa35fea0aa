//! An etcd in memory, for simulation and tests. It speaks etcd's own gRPC contract over any connection, and answers as the real
//! one does: `tests/contract` holds both against one table.
//!
//! All members share one state that is always consistent; what a cluster does to its clients when members lose each other is
//! played: elections, members that are cut off, watches that lag. Nothing here asks for the time or for chance by itself, and
//! nothing iterates over anything unordered: with a given clock the same calls give the same answers.

mod auth;
mod cluster;
mod kv;
mod lease;
mod leases;
mod maintenance;
mod range;
mod refusal;
mod serve;
mod span;
mod store;
mod txn;
mod watch;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::world::LeaseClock;

use cluster::State;
pub use cluster::{ELECTION, REQUEST_TIMEOUT};
pub use store::Tombstones;

/// One request, as a [`Delays`] hook sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The member that was asked, from 1.
    pub member: u64,
    /// The method, as in `KV/Txn`.
    pub method: &'static str,
}

/// How long one request takes: before it takes effect, and from then until it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// From its arrival until it takes effect.
    pub before: Duration,
    /// From its effect to its answer.
    pub after: Duration,
}

/// Decides how long each request takes. It happens although its client hangs up meanwhile, as in a real cluster.
pub type Delays = Arc<dyn Fn(Call) -> Delay + Send + Sync>;

/// The cluster: control of it for tests. Clones share one state.
#[derive(Clone)]
pub struct Etcd {
    shared: Arc<Shared>,
}

struct Shared {
    cluster_id: u64,
    clock: LeaseClock,
    state: Mutex<State>,
    changed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Changes the state and tells everyone who waits for that.
    fn change<T>(&self, change: impl FnOnce(&mut State, Duration) -> T) -> T {
        let now = self.now();
        let outcome = change(&mut self.state(), now);
        self.changed.notify_waiters();
        outcome
    }
}

impl Etcd {
    /// A cluster of one member.
    pub fn new(cluster_id: u64) -> Self {
        let start = tokio::time::Instant::now();
        Self::cluster(cluster_id, 1, Arc::new(move || start.elapsed()))
    }

    /// A cluster of so many members, whose leases run by `clock`. Under `turmoil` give the simulation's clock: every host has an
    /// `Instant` of its own.
    pub fn cluster(cluster_id: u64, members: u64, clock: LeaseClock) -> Self {
        let state = Mutex::new(State::new(members));
        Self { shared: Arc::new(Shared { cluster_id, clock, state, changed: Notify::new() }) }
    }

    /// The member of this number, from 1.
    pub fn member(&self, number: u64) -> Member {
        assert!(self.shared.state().cluster.has(number), "there is no member {number}");
        Member { shared: Arc::clone(&self.shared), number }
    }

    /// The newest revision.
    pub fn revision(&self) -> i64 {
        self.shared.state().store.revision()
    }

    /// When a revision came about, by the cluster's clock; `None` if that was compacted or has not come about.
    pub fn stored_at(&self, revision: i64) -> Option<Duration> {
        let state = self.shared.state();
        state
            .store
            .since(revision)
            .next()
            .filter(|(found, _)| *found == revision)
            .map(|(_, happened)| happened.at)
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let state = self.shared.state();
        state.store.at(key.as_ref(), state.store.revision()).map(|kv| kv.value.clone())
    }

    /// All keys that start with `prefix`.
    pub fn keys(&self, prefix: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        let (prefix, state) = (prefix.as_ref(), self.shared.state());
        let found = state.store.span_at(&span::Span::new(prefix, b"\0"), state.store.revision());
        found.into_iter().map(|kv| kv.key.clone()).filter(|key| key.starts_with(prefix)).collect()
    }

    /// Puts a value and answers its revision.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> i64 {
        self.shared.change(|state, now| {
            let mut writing = state.store.write();
            writing.put(key.as_ref(), value.as_ref(), 0);
            writing.finish(now)
        })
    }

    /// Deletes a key and answers the newest revision.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> i64 {
        self.shared.change(|state, now| {
            let mut writing = state.store.write();
            writing.delete(&span::Span::new(key.as_ref(), b""));
            writing.finish(now)
        })
    }

    /// Compacts up to `revision`, if it lies ahead of what is compacted and is not in the future.
    pub fn compact(&self, revision: i64) -> bool {
        self.shared.change(|state, _| state.store.compact(revision, state.tombstones).is_ok())
    }

    /// What becomes of deletions at the revision that is compacted from now on.
    pub fn set_tombstones(&self, tombstones: Tombstones) {
        self.shared.state().tombstones = tombstones;
    }

    /// Raises the alarm that the quota is used up.
    pub fn raise_no_space(&self) {
        self.shared.state().no_space = true;
    }

    /// Disarms it.
    pub fn disarm_no_space(&self) {
        self.shared.state().no_space = false;
    }

    /// What the members say their version is.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut self.shared.state().version);
    }

    /// Turns access control on: only this user is let in.
    pub fn require_login(&self, user: &str, password: &str) {
        self.shared.state().access.require(user, password);
    }

    /// Makes all tokens worthless that were given out so far.
    pub fn forget_tokens(&self) {
        self.shared.state().access.forget();
    }

    /// Lets one lease run out now; answers whether there was one.
    pub fn expire_lease(&self, id: i64) -> bool {
        self.shared.change(|state, now| state.end_lease(id, now))
    }

    /// Lets all leases run out now.
    pub fn expire_all_leases(&self) {
        self.shared.change(|state, now| {
            for id in state.leases.ids() {
                state.end_lease(id, now);
            }
        });
    }

    /// From now on watches tell nothing.
    pub fn hold_watches(&self) {
        self.shared.change(|state, _| state.watches.held = true);
    }

    /// Watches tell again, beginning with what they held back.
    pub fn release_watches(&self) {
        self.shared.change(|state, _| state.watches.held = false);
    }

    /// A watch that catches up tells at most so many revisions at once.
    pub fn set_catch_up(&self, revisions: usize) {
        self.shared.state().watches.catch_up = revisions.max(1);
    }

    /// Asks `delays` about every request from now on.
    pub fn set_delays(&self, delays: Delays) {
        self.shared.state().delays = Some(delays);
    }

    /// The leader, if there is one.
    pub fn leader(&self) -> Option<u64> {
        self.shared.state().cluster.leader()
    }
}

impl fmt::Debug for Etcd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Etcd").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

/// One member of the cluster. Clones are the same member.
#[derive(Clone)]
pub struct Member {
    shared: Arc<Shared>,
    number: u64,
}

impl Member {
    /// Cuts the member off from the others, not from its clients. What needs the cluster waits for [`REQUEST_TIMEOUT`] and
    /// fails; where the client asked for a leader it fails as soon as the member knows, after [`ELECTION`]. Watches fall silent.
    /// Without a majority nobody serves; without their leader the others elect a new one first.
    pub fn isolate(&self) {
        self.shared.change(|state, now| state.isolate(self.number, now));
    }

    /// Joins it to the others again.
    pub fn rejoin(&self) {
        self.shared.change(|state, now| state.rejoin(self.number, now));
    }

    /// From now on this member's watches tell everything so much later.
    pub fn lag_watches(&self, lag: Duration) {
        self.shared.change(|state, _| state.watches.lag.insert(self.number, lag));
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Member").field("number", &self.number).finish_non_exhaustive()
    }
}
