//! Records on their way into a store: many to a commit, many commits at once.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use claviger_core::records::at;
use claviger_store::{Batch, Engine, Expect, StoreError, Version, limits};
use tokio::task::JoinSet;

/// Records per commit; with a fence each is expected as well as put, and the fence itself.
const BATCH_RECORDS: usize = 100;
const _: () = assert!(BATCH_RECORDS < limits::BATCH_OPERATIONS_MAX);
/// Bytes after which a batch is committed; the record that passes it fits the store's limit for batches.
const BATCH_BYTES: usize = 128 << 10;
/// Batches under way at once, to share durable writes.
const BATCHES_AT_ONCE: usize = 32;

/// What every commit of a restore rests on.
#[derive(Clone, Copy, Debug)]
pub enum Fence {
    /// The mark is as this commit put it, and nobody else has written any of the records.
    Mark(Version),
    /// Nothing: nobody else knows the store.
    Nothing,
}

/// Records on their way into an engine.
pub(super) struct Batches<'a> {
    engine: &'a Arc<dyn Engine>,
    fence: Fence,
    batch: Batch,
    bytes: usize,
    running: JoinSet<Result<u64, StoreError>>,
}

impl<'a> Batches<'a> {
    pub(super) fn new(engine: &'a Arc<dyn Engine>, fence: Fence) -> Self {
        Self { engine, fence, batch: Batch::default(), bytes: 0, running: JoinSet::new() }
    }

    /// Takes a record; waits while too much is under way.
    pub(super) async fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.bytes += key.len() + value.len();
        self.batch.put.push((key, Some(value)));
        if self.batch.put.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        while self.running.len() >= BATCHES_AT_ONCE {
            self.one_less().await?;
        }
        let (engine, mut batch) = (Arc::clone(self.engine), std::mem::take(&mut self.batch));
        if let Fence::Mark(version) = self.fence {
            batch.expect = batch.put.iter().map(|(key, _)| (key.clone(), Expect::Absent)).collect();
            batch.expect.push((at::restoring(), Expect::Version(version)));
        }
        self.bytes = 0;
        self.running.spawn(async move { engine.commit(batch).await });
        Ok(())
    }

    async fn one_less(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(Ok(committed)) => stored(committed),
            Some(Err(error)) => bail!("a commit died: {error}"),
            None => Ok(()),
        }
    }

    /// Waits until all is stored.
    pub(super) async fn finish(mut self) -> Result<()> {
        if !self.batch.put.is_empty() {
            self.commit().await?;
        }
        while !self.running.is_empty() {
            self.one_less().await?;
        }
        Ok(())
    }
}

fn stored(committed: Result<Version, StoreError>) -> Result<()> {
    match committed {
        Err(StoreError::Conflict) => bail!("somebody else writes to the same store"),
        committed => committed.map(drop).context("the store cannot be written"),
    }
}
