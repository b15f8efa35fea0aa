//! The engine as a node uses it: measured, and on purpose not quite right where a run asks for that.

use std::sync::Arc;
use std::time::Duration;

use claviger_store::{Answer, Batch, Change, Engine, Observer, Page, Read, Scan, Stats, StoreError, Version};
use claviger_store_etcd::EtcdEngine;
use claviger_store_etcd::simulated::Etcd;

use crate::history::History;

/// What is broken on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// Caches are not told of what others commit.
    Deaf,
    /// Nodes serve without looking at their leases.
    IgnoresFresh,
    #[default]
    None,
    /// Clocks run at rates further apart than the protocol allows for.
    WildClocks,
}

/// The engine of one node's life.
pub(crate) struct WatchedEngine {
    pub(crate) inner: Arc<EtcdEngine>,
    pub(crate) node: u64,
    pub(crate) sabotage: Sabotage,
    pub(crate) history: Arc<History>,
    pub(crate) etcd: Etcd,
    /// How long a commit may take once etcd has stored it.
    pub(crate) commit_limit: Duration,
    /// From when on a commit counts as slow.
    pub(crate) slow: Duration,
    /// How often the node was stopped.
    pub(crate) stops: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl WatchedEngine {
    async fn watched(&self, batch: Batch) -> Result<Version, StoreError> {
        let (began, stops) = (self.history.now(), (self.stops)());
        let outcome = self.inner.commit(batch).await;
        let now = self.history.now();
        let Ok(version) = outcome else { return outcome };
        let stored = self.etcd.stored_at(i64::try_from(version).unwrap_or(i64::MAX));
        let took = stored.map(|stored| now.saturating_sub(stored));
        let slow = took.unwrap_or(now.saturating_sub(began)) >= self.slow;
        self.history.count(|tally| {
            tally.commits += 1;
            tally.slow += u64::from(slow);
        });
        if let Some(took) = took.filter(|took| *took > self.commit_limit && (self.stops)() == stops) {
            self.history.breach(format!(
                "node {}: commit {version} returned {took:?} after it was stored",
                self.node
            ));
        }
        outcome
    }
}

impl Engine for WatchedEngine {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        self.inner.get(key)
    }

    fn guess<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        self.inner.guess(key)
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        self.inner.scan(scan)
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(self.watched(batch))
    }

    fn settle(&self) -> Answer<'_, ()> {
        self.inner.settle()
    }

    fn observe(&self, observer: Observer) {
        let (history, node) = (Arc::clone(&self.history), self.node);
        let deaf = self.sabotage == Sabotage::Deaf;
        self.inner.observe(Arc::new(move |change| {
            match change {
                Change::Committed { version, keys } => {
                    history.note(&format!("node {node} applies {version}, {} keys", keys.len()));
                }
                Change::Lost { at } => {
                    history.note(&format!("node {node} reads anew at {at}"));
                    history.count(|tally| tally.lost += 1);
                }
            }
            if !deaf {
                observer(change);
            }
        }));
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn join(&self) -> Answer<'_, ()> {
        self.inner.join()
    }

    fn fresh(&self) -> bool {
        self.sabotage == Sabotage::IgnoresFresh || self.inner.fresh()
    }

    fn live_nodes(&self) -> u32 {
        self.inner.live_nodes()
    }

    fn leave(&self) -> Answer<'_, ()> {
        self.inner.leave()
    }
}
