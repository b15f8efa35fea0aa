//! What can go wrong in a store, told apart by what the caller may conclude.

use crate::limits;

/// Why an engine could not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another engine in this one, has the store open.
    #[error("{0} is in use by another process")]
    Busy(String),
    /// Something the batch expected no longer holds. Nothing was applied; read again and retry.
    #[error("a record changed in the meantime")]
    Conflict,
    /// The stored bytes are not what this engine writes.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The batch is over a limit. Nothing was applied.
    #[error("{0}")]
    Limit(Limit),
    /// The store was written by a later release.
    #[error("the store has format {found}, this release knows {known}; use the release that wrote it")]
    NewerFormat {
        /// The format found in the store.
        found: u64,
        /// The newest format this release reads.
        known: u64,
    },
    /// The batch may have been applied, or not. Never report it as undone; read again to find out.
    #[error("whether the change was stored is unknown: {0}")]
    OutcomeUnknown(String),
    /// The engine cannot serve now. Nothing was applied.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// The limit a batch exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// All keys and values of a batch together, expected keys included.
    #[error("a batch is at most {} bytes", limits::BATCH_BYTES_MAX)]
    BatchBytes,
    /// Expectations, or puts, of a batch.
    #[error("a batch has at most {} expectations and as many puts", limits::BATCH_ENTRIES_MAX)]
    BatchEntries,
    /// Expectations, or puts, of a batch, where the store takes fewer than others.
    #[error("in etcd a batch has at most {} expectations and as many puts", limits::BATCH_OPERATIONS_MAX)]
    BatchOperations,
    /// The length of a key put.
    #[error("a key is 1 to {} bytes", limits::KEY_BYTES_MAX)]
    KeyBytes,
    /// The length of a value.
    #[error("a value is at most {} bytes", limits::VALUE_BYTES_MAX)]
    ValueBytes,
}
