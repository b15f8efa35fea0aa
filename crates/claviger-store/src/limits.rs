//! The limits every engine keeps, so that what one accepts all accept.

use crate::{Batch, Entry, Limit, Page, StoreError, Version};

/// The longest key. The shortest is one byte.
pub const KEY_BYTES_MAX: usize = 1024;
/// The longest value.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// The most expectations, and the most puts, of one batch in an engine of this machine.
pub const BATCH_ENTRIES_MAX: usize = 1024;
/// The same in etcd, which takes 128 operations at once; what shall work with every engine keeps to it.
pub const BATCH_OPERATIONS_MAX: usize = 126;
/// The most bytes of one batch: keys expected, keys and values put. With room to spare it fits an etcd request
/// (1.5 MiB).
pub const BATCH_BYTES_MAX: usize = 1280 * 1024;
/// The most records of one page; a scan that asks for more gets this many.
pub const PAGE_ENTRIES_MAX: usize = 4096;
/// A page ends early once its keys and values reach this many bytes.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Refuses a batch over a limit.
pub fn check(batch: &Batch) -> Result<(), StoreError> {
    if batch.expect.len() > BATCH_ENTRIES_MAX || batch.put.len() > BATCH_ENTRIES_MAX {
        return Err(StoreError::Limit(Limit::BatchEntries));
    }
    for (key, value) in &batch.put {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(StoreError::Limit(Limit::KeyBytes));
        }
        if value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return Err(StoreError::Limit(Limit::ValueBytes));
        }
    }
    let bytes_expected: usize = batch.expect.iter().map(|(key, _)| key.len()).sum();
    if bytes_expected + bytes_put(batch) > BATCH_BYTES_MAX {
        return Err(StoreError::Limit(Limit::BatchBytes));
    }
    Ok(())
}

/// The bytes of the keys and values a batch puts.
pub fn bytes_put(batch: &Batch) -> usize {
    batch.put.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}

/// Collects the records of a scan, in its direction, until the page is full.
#[derive(Debug)]
pub struct Pager {
    entries: Vec<Entry>,
    limit: usize,
    bytes: usize,
    more: bool,
}

impl Pager {
    /// A pager for a scan of at most `limit` records.
    pub fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), limit: limit.min(PAGE_ENTRIES_MAX), bytes: 0, more: false }
    }

    /// Whether the next record still belongs to the page. The first refusal marks that more follow.
    pub fn wants_more(&mut self) -> bool {
        let full = self.entries.len() >= self.limit || self.bytes >= PAGE_BYTES_MAX;
        self.more |= full;
        !full
    }

    /// Adds a record.
    pub fn push(&mut self, entry: Entry) {
        self.bytes += entry.key.len() + entry.value.len();
        self.entries.push(entry);
    }

    /// The page, as it was at commit `at`.
    pub fn finish(self, at: Version) -> Page {
        Page { entries: self.entries, more: self.more, at }
    }
}
