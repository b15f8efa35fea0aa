//! An engine that forgets everything when it is dropped, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::{self, Pager};
use crate::{
    Answer, Batch, Change, Direction, Engine, Entry, Observer, Observers, Page, Read, Scan, Stats,
    StoreError, Stored, Version,
};

/// Records in a map under a lock.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    /// Held through a commit and its observers, so that they see commits in order and may read meanwhile.
    committing: Mutex<()>,
    state: Mutex<State>,
    observers: Observers,
}

impl MemoryEngine {
    /// An empty engine.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, batch: Batch) -> Result<Version, StoreError> {
        limits::check(&batch)?;
        let _committing = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Vec<u8>> = batch.put.iter().map(|(key, _)| key.clone()).collect();
        let version = self.state().apply(batch)?;
        if !keys.is_empty() {
            self.observers.tell(&Change::Committed { version, keys: &keys });
        }
        Ok(version)
    }
}

impl Engine for MemoryEngine {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(async move {
            let mut state = self.state();
            state.stats.gets += 1;
            Ok(Read { stored: state.records.get(key).cloned(), at: state.at })
        })
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(async move {
            let mut state = self.state();
            state.stats.scans += 1;
            Ok(state.page(&scan))
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(async move { self.apply(batch) })
    }

    fn observe(&self, observer: Observer) {
        self.observers.add(observer);
    }

    fn stats(&self) -> Stats {
        self.state().stats
    }
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Vec<u8>, Stored>,
    at: Version,
    stats: Stats,
}

impl State {
    fn apply(&mut self, batch: Batch) -> Result<Version, StoreError> {
        let met = |(key, expect): &(Vec<u8>, crate::Expect)| {
            expect.holds(self.records.get(key).map(|stored| stored.version))
        };
        if !batch.expect.iter().all(met) {
            self.stats.conflicts += 1;
            return Err(StoreError::Conflict);
        }
        if batch.put.is_empty() {
            return Ok(self.at);
        }
        self.at += 1;
        self.stats.commits += 1;
        self.stats.flushes += 1;
        self.stats.bytes_committed += limits::bytes_put(&batch) as u64;
        for (key, value) in batch.put {
            match value {
                Some(value) => self.records.insert(key, Stored { value, version: self.at }),
                None => self.records.remove(&key),
            };
        }
        Ok(self.at)
    }

    fn page(&self, scan: &Scan<'_>) -> Page {
        let mut pager = Pager::new(scan.limit);
        let Some(range) = scan.range() else { return pager.finish(self.at) };
        let records = self.records.range::<[u8], _>(range.bounds());
        match scan.direction {
            Direction::Backward => fill(&mut pager, records.rev()),
            Direction::Forward => fill(&mut pager, records),
        }
        pager.finish(self.at)
    }
}

fn fill<'a>(pager: &mut Pager, records: impl Iterator<Item = (&'a Vec<u8>, &'a Stored)>) {
    for (key, stored) in records {
        if !pager.wants_more() {
            return;
        }
        pager.push(Entry { key: key.clone(), value: stored.value.clone(), version: stored.version });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryEngine;
    use crate::{Engine, suite};

    #[test]
    fn passes_the_suite() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts");
        runtime.block_on(suite::run(|| async { Arc::new(MemoryEngine::new()) as Arc<dyn Engine> }));
    }
}
