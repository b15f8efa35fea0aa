//! An engine that fails on demand, for testing what callers make of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Answer, Batch, Change, Engine, Observer, Observers, Page, Read, Scan, Stats, StoreError, Version,
};

/// The switches of a [`FaultyEngine`], all off at first. Set one and the next call sees it.
#[derive(Debug, Default)]
pub struct Faults {
    /// Commits are not applied and answer `Unavailable`.
    pub refuse: AtomicBool,
    /// Commits are applied, but answer `OutcomeUnknown`, and observers hear [`Change::Lost`] in their place.
    pub lose_answer: AtomicBool,
    /// `get` and `scan` answer `Unavailable`.
    pub fail_reads: AtomicBool,
    /// `settle` answers `Unavailable`: what others committed is not law everywhere yet.
    pub unsettled: AtomicBool,
    /// The engine is not [`Engine::fresh`]: this node may have missed what others committed.
    pub stale: AtomicBool,
    /// The next `get`, `scan` or `commit` does what it should and sets `stale`: the node stops in the middle of a request.
    pub stale_after_use: AtomicBool,
}

/// Another engine behind switches that make it fail.
#[derive(Clone)]
pub struct FaultyEngine {
    inner: Arc<dyn Engine>,
    faults: Arc<Faults>,
    observers: Arc<Observers>,
}

impl FaultyEngine {
    /// `inner`, failing as `faults` says.
    pub fn new(inner: Arc<dyn Engine>, faults: Arc<Faults>) -> Self {
        let observers = Arc::new(Observers::default());
        let (onward, switches) = (Arc::clone(&observers), Arc::clone(&faults));
        inner.observe(Arc::new(move |change| match *change {
            Change::Committed { version, .. } if is_on(&switches.lose_answer) => {
                onward.tell(&Change::Lost { at: version });
            }
            Change::Committed { .. } | Change::Lost { .. } => onward.tell(change),
        }));
        Self { inner, faults, observers }
    }

    fn used(&self) {
        if self.faults.stale_after_use.swap(false, Ordering::SeqCst) {
            self.faults.stale.store(true, Ordering::SeqCst);
        }
    }

    fn readable(&self) -> Result<(), StoreError> {
        if is_on(&self.faults.fail_reads) {
            return Err(StoreError::Unavailable("reads are switched off".into()));
        }
        Ok(())
    }
}

impl Engine for FaultyEngine {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(async move {
            self.readable()?;
            self.used();
            self.inner.get(key).await
        })
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(async move {
            self.readable()?;
            self.used();
            self.inner.scan(scan).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(async move {
            if is_on(&self.faults.refuse) {
                return Err(StoreError::Unavailable("commits are switched off".into()));
            }
            self.used();
            let lost = is_on(&self.faults.lose_answer);
            let version = self.inner.commit(batch).await?;
            if lost {
                return Err(StoreError::OutcomeUnknown("answers are switched off".into()));
            }
            Ok(version)
        })
    }

    fn observe(&self, observer: Observer) {
        self.observers.add(observer);
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn settle(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            if is_on(&self.faults.unsettled) {
                return Err(StoreError::Unavailable("settling is switched off".into()));
            }
            self.inner.settle().await
        })
    }

    fn join(&self) -> Answer<'_, ()> {
        self.inner.join()
    }

    fn fresh(&self) -> bool {
        !is_on(&self.faults.stale) && self.inner.fresh()
    }

    fn live_nodes(&self) -> u32 {
        self.inner.live_nodes()
    }

    fn leave(&self) -> Answer<'_, ()> {
        self.inner.leave()
    }
}

fn is_on(switch: &AtomicBool) -> bool {
    switch.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;
    use std::sync::{Arc, Mutex};

    use super::{Faults, FaultyEngine};
    use crate::{Batch, Change, Engine, MemoryEngine, Scan, StoreError, suite};

    #[test]
    fn passes_the_suite_without_faults() {
        let faulty = || FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::default());
        runtime().block_on(suite::run(|| async { Arc::new(faulty()) as Arc<dyn Engine> }));
    }

    #[test]
    fn each_switch_fails_what_it_says() {
        let faults: Arc<Faults> = Arc::default();
        let engine = FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::clone(&faults));
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let list = Arc::clone(&heard);
        engine.observe(Arc::new(move |change| {
            let news = match change {
                Change::Committed { version, .. } => format!("committed {version}"),
                Change::Lost { at } => format!("lost {at}"),
            };
            list.lock().expect("no panic").push(news);
        }));
        let put = |key: &[u8]| Batch { expect: vec![], put: vec![(key.to_vec(), Some(vec![]))] };

        runtime().block_on(async {
            engine.commit(put(b"a")).await.expect("all is well");
            faults.refuse.store(true, SeqCst);
            assert!(matches!(engine.commit(put(b"b")).await, Err(StoreError::Unavailable(_))));
            faults.refuse.store(false, SeqCst);
            faults.lose_answer.store(true, SeqCst);
            assert!(matches!(engine.commit(put(b"c")).await, Err(StoreError::OutcomeUnknown(_))));
            faults.lose_answer.store(false, SeqCst);
            faults.fail_reads.store(true, SeqCst);
            assert!(matches!(engine.get(b"a").await, Err(StoreError::Unavailable(_))));
            assert!(matches!(engine.scan(Scan::forward(b"", 1)).await, Err(StoreError::Unavailable(_))));
            faults.fail_reads.store(false, SeqCst);
            let page = engine.scan(Scan::forward(b"", 10)).await.expect("all is well");
            let keys: Vec<&[u8]> = page.entries.iter().map(|entry| entry.key.as_slice()).collect();
            assert_eq!(keys, [b"a", b"c"]);
        });
        assert_eq!(*heard.lock().expect("no panic"), ["committed 1", "lost 2"]);
    }

    #[test]
    fn a_stale_engine_says_so() {
        let faults: Arc<Faults> = Arc::default();
        let engine = FaultyEngine::new(Arc::new(MemoryEngine::new()), Arc::clone(&faults));
        runtime().block_on(async {
            assert!(engine.fresh());
            faults.stale_after_use.store(true, SeqCst);
            assert!(engine.fresh(), "not used yet");
            engine.get(b"a").await.expect("all is well");
            assert!(!engine.fresh());
            faults.stale.store(false, SeqCst);
            engine.get(b"a").await.expect("all is well");
            assert!(engine.fresh(), "once only");
        });
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts")
    }
}
