//! An optimistic transaction: read, decide, write, and commit only if what was read still holds.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Batch, Engine, Expect, Read, StoreError, Version};

/// Reads and writes that become one [`Batch`].
///
/// Every record read through it, found or not, must be unchanged at the commit, or that is a `Conflict`; run the
/// whole transaction again then. Reads see the transaction's own writes. Nothing is locked, and nothing happens to
/// the store before [`Tx::commit`].
pub struct Tx<'e> {
    engine: &'e dyn Engine,
    read: BTreeMap<Vec<u8>, Seen>,
    expected: Vec<(Vec<u8>, Expect)>,
    written: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'e> Tx<'e> {
    /// A transaction over `engine` that has read and written nothing.
    pub fn new(engine: &'e dyn Engine) -> Self {
        Self { engine, read: BTreeMap::new(), expected: Vec::new(), written: BTreeMap::new() }
    }

    /// The value under `key`: what this transaction put, or else what the store has (the same each time).
    pub async fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(written) = self.written.get(key) {
            return Ok(written.clone());
        }
        if let Some(seen) = self.read.get(key) {
            return Ok(seen.value.clone());
        }
        let read = self.engine.get(key).await?;
        Ok(self.note(key, read))
    }

    /// The same, where that there is no such record is the likely answer: it may be given without asking a store that is far
    /// away (see [`Engine::guess`]). Only for what is committed then, whatever the answer.
    pub async fn likely_absent(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.written.contains_key(key) || self.read.contains_key(key) {
            return self.get(key).await;
        }
        let read = self.engine.guess(key).await?;
        Ok(self.note(key, read))
    }

    fn note(&mut self, key: &[u8], read: Read) -> Option<Vec<u8>> {
        let seen = match read.stored {
            Some(stored) => Seen { expect: Expect::Version(stored.version), value: Some(stored.value) },
            None => Seen { expect: Expect::Absent, value: None },
        };
        let value = seen.value.clone();
        self.read.insert(key.to_vec(), seen);
        value
    }

    /// Puts `value` under `key` at the commit.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.written.insert(key.into(), Some(value.into()));
    }

    /// Deletes the record under `key`, if there is one, at the commit.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.written.insert(key.into(), None);
    }

    /// Makes the commit depend on the store having no record under `key`, without reading it now.
    pub fn expect_absent(&mut self, key: impl Into<Vec<u8>>) {
        self.expect(key, Expect::Absent);
    }

    /// Makes the commit depend on the record under `key`, known from elsewhere (a cache, a scan).
    pub fn expect(&mut self, key: impl Into<Vec<u8>>, expect: Expect) {
        self.expected.push((key.into(), expect));
    }

    /// Whether nothing has been put or deleted.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The batch this transaction amounts to.
    pub fn into_batch(self) -> Batch {
        let read = self.read.into_iter().map(|(key, seen)| (key, seen.expect));
        Batch { expect: read.chain(self.expected).collect(), put: self.written.into_iter().collect() }
    }

    /// Commits the writes and answers their version. Without any it answers `None`, once what it has read is law on every node:
    /// whoever made it so may have died before that.
    pub async fn commit(self) -> Result<Option<Version>, StoreError> {
        let engine = self.engine;
        if self.is_empty() {
            return engine.settle().await.map(|()| None);
        }
        engine.commit(self.into_batch()).await.map(Some)
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Counts only: values may be anything.
        formatter
            .debug_struct("Tx")
            .field("read", &self.read.len())
            .field("expected", &self.expected.len())
            .field("written", &self.written.len())
            .finish()
    }
}

struct Seen {
    expect: Expect,
    value: Option<Vec<u8>>,
}
