//! Records as the watch keeps them: what was read once is not asked for again, because every change of it arrives by itself.
//!
//! A record that is here is as new as what the watch has applied. So while the node's lease on freshness is valid, reading it
//! here is as good as reading it in etcd: no commit that has returned is missing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_store::{Stored, Version};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// The most bytes kept, keys and what surrounds them included.
const BYTES_MAX: u64 = 256 << 20;
/// Records expected, for the first size of the tables.
const RECORDS: usize = 10_000;
/// What a record costs beside its bytes.
const OVERHEAD: u64 = 128;

/// A part of the records, each as of the newest change applied.
pub(crate) struct Replica {
    records: Cache<Vec<u8>, Known, Bytes>,
    /// Keys that are being read, with the newest change that was applied meanwhile.
    reading: Mutex<HashMap<Vec<u8>, Reading>>,
}

/// A record, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known(pub(crate) Option<Stored>);

#[derive(Debug, Default)]
struct Reading {
    readers: usize,
    changed: Version,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Vec<u8>, Known> for Bytes {
    fn weight(&self, key: &Vec<u8>, Known(record): &Known) -> u64 {
        OVERHEAD + key.len() as u64 + record.as_ref().map_or(0, |stored| stored.value.len() as u64)
    }
}

impl Replica {
    pub(crate) fn new() -> Self {
        Self { records: Cache::with_weighter(RECORDS, BYTES_MAX, Bytes), reading: Mutex::default() }
    }

    /// What is known of a record, if anything is.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Known> {
        self.records.get(key)
    }

    /// Begins to read a record in etcd.
    pub(crate) fn begin(&self, key: &[u8]) -> Pending<'_> {
        self.reading().entry(key.to_vec()).or_default().readers += 1;
        Pending { replica: self, key: key.to_vec() }
    }

    /// Takes a change that the watch tells of. Changes come in order.
    pub(crate) fn changed(&self, key: &[u8], record: Option<Stored>, version: Version) {
        let mut reading = self.reading();
        if let Some(reading) = reading.get_mut(key) {
            reading.changed = version;
        }
        if self.records.contains_key(key) {
            self.records.insert(key.to_vec(), Known(record));
        }
    }

    /// Forgets records that are not as somebody thought: the watch has yet to tell why.
    pub(crate) fn doubt<'k>(&self, keys: impl IntoIterator<Item = &'k Vec<u8>>) {
        let _reading = self.reading();
        for key in keys {
            self.records.remove(key);
        }
    }

    /// Forgets everything, and what is being read: changes may have been missed.
    pub(crate) fn forget(&self) {
        let mut reading = self.reading();
        for reading in reading.values_mut() {
            reading.changed = Version::MAX;
        }
        self.records.clear();
    }

    fn reading(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Reading>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A read that is on its way; keeps track of changes until it is dropped.
pub(crate) struct Pending<'r> {
    replica: &'r Replica,
    key: Vec<u8>,
}

impl Pending<'_> {
    /// Keeps what was read as of `at`, unless it has changed since.
    pub(crate) fn keep(self, record: Option<Stored>, at: Version) {
        // Held throughout: a change comes before, and is seen here, or behind, and replaces what is kept.
        let reading = self.replica.reading();
        if reading.get(&self.key).is_some_and(|reading| reading.changed <= at) {
            self.replica.records.insert(self.key.clone(), Known(record));
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let mut reading = self.replica.reading();
        if let Some(entry) = reading.get_mut(&self.key) {
            entry.readers -= 1;
            if entry.readers == 0 {
                reading.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(version: Version) -> Stored {
        Stored { value: vec![1], version }
    }

    #[test]
    fn what_was_read_follows_its_changes() {
        let replica = Replica::new();
        assert_eq!(replica.get(b"a"), None);
        replica.begin(b"a").keep(Some(stored(3)), 5);
        assert_eq!(replica.get(b"a"), Some(Known(Some(stored(3)))));
        replica.changed(b"a", Some(stored(6)), 6);
        assert_eq!(replica.get(b"a"), Some(Known(Some(stored(6)))));
        replica.changed(b"a", None, 7);
        assert_eq!(replica.get(b"a"), Some(Known(None)), "that it is gone is known too");
        replica.changed(b"b", Some(stored(8)), 8);
        assert_eq!(replica.get(b"b"), None, "nobody has asked for it");
        replica.forget();
        assert_eq!(replica.get(b"a"), None);
    }

    #[test]
    fn a_read_that_was_overtaken_is_not_kept() {
        let replica = Replica::new();
        // When it changed, as of when it was read, and whether that may be kept.
        for (changed, at, kept) in
            [(None, 5, true), (Some(4), 5, true), (Some(5), 5, true), (Some(6), 5, false)]
        {
            let pending = replica.begin(b"a");
            let other = replica.begin(b"a");
            if let Some(changed) = changed {
                replica.changed(b"a", Some(stored(changed)), changed);
            }
            pending.keep(Some(stored(1)), at);
            assert_eq!(replica.get(b"a").is_some(), kept, "changed {changed:?}, read {at}");
            drop(other);
            assert!(replica.reading().is_empty());
            replica.forget();
        }
        let pending = replica.begin(b"a");
        replica.forget();
        pending.keep(Some(stored(1)), 5);
        assert_eq!(replica.get(b"a"), None, "the watch was broken meanwhile");
    }

    #[test]
    fn it_stays_within_its_bound() {
        let replica = Replica::new();
        for n in 0..600u32 {
            let large = Some(Stored { value: vec![0; 1 << 20], version: 1 });
            replica.begin(&n.to_be_bytes()).keep(large, 1);
        }
        assert!(replica.records.weight() <= BYTES_MAX);
    }
}
