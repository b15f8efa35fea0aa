//! All that happened, in the order in which it did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::operation::{Operation, Outcome};

/// The record of one run.
#[derive(Default)]
pub(crate) struct History {
    world: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    trace: Vec<String>,
    calls: Vec<Call>,
    tally: Tally,
    breaches: Vec<String>,
}

/// An operation that a node has begun. Times are places in the trace: what stands further down came later.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) node: u64,
    pub(crate) start: usize,
    /// Where the node answered; none if it never did.
    pub(crate) end: Option<(usize, Outcome)>,
}

/// How often something happened, to be sure that it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) commits: u64,
    /// Commits that waited for a lease to run out.
    pub(crate) slow: u64,
    /// Requests that a node refused because it did not know whether it was up to date.
    pub(crate) stale: u64,
    /// Registrations beyond the first of a node's life.
    pub(crate) registered_again: u64,
    /// Watches that were behind a compaction.
    pub(crate) lost: u64,
    pub(crate) unknown: u64,
    /// Due keys that sweeps say they have settled.
    pub(crate) settled: u64,
    /// Sweeps whose outcome nobody knows.
    pub(crate) sweeps_unknown: u64,
    pub(crate) uses: u64,
    pub(crate) denied: u64,
    pub(crate) crashes: u64,
    pub(crate) stops: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { commits, slow, stale, registered_again, lost, unknown, settled, .. } = other;
        self.commits += commits;
        self.slow += slow;
        self.stale += stale;
        self.registered_again += registered_again;
        self.lost += lost;
        self.unknown += unknown;
        self.settled += settled;
        self.sweeps_unknown += other.sweeps_unknown;
        self.uses += other.uses;
        self.denied += other.denied;
        self.crashes += other.crashes;
        self.stops += other.stops;
    }
}

impl History {
    /// The time in the simulated world; the same for everybody.
    pub(crate) fn now(&self) -> Duration {
        turmoil::sim_elapsed().unwrap_or_else(|| Duration::from_micros(self.world.load(Ordering::SeqCst)))
    }

    /// What time it is for those who are on no host.
    pub(crate) fn set_now(&self, now: Duration) {
        self.world.store(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Writes one line; answers its place.
    pub(crate) fn note(&self, line: &str) -> usize {
        let line = format!("{:>10.3} {line}", self.now().as_secs_f64());
        let mut inner = self.inner();
        inner.trace.push(line);
        inner.trace.len()
    }

    /// A node begins an operation; answers the call's number.
    pub(crate) fn begin(&self, node: u64, operation: Operation) -> usize {
        let start = self.note(&format!("node {node} begins {operation:?}"));
        let mut inner = self.inner();
        inner.calls.push(Call { operation, node, start, end: None });
        inner.calls.len() - 1
    }

    /// It answers.
    pub(crate) fn end(&self, call: usize, outcome: &Outcome) {
        let (node, operation, start) = {
            let inner = self.inner();
            let call = inner.calls.get(call).expect("calls are never removed");
            (call.node, call.operation, call.start)
        };
        let end = self.note(&format!("node {node} ends {operation:?} of line {start}: {outcome:?}"));
        let mut inner = self.inner();
        if let Some(call) = inner.calls.get_mut(call) {
            call.end = Some((end, outcome.clone()));
        }
    }

    /// Something that must not be.
    pub(crate) fn breach(&self, what: String) {
        self.note(&format!("BREACH {what}"));
        self.inner().breaches.push(what);
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.inner().tally);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.inner().tally
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    pub(crate) fn breaches(&self) -> Vec<String> {
        self.inner().breaches.clone()
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.inner().trace.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
