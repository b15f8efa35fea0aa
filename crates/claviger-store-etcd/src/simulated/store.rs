//! The keys with their history: what a key was at every revision that was not compacted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::refusal::Refusal;
use super::span::Span;
use crate::proto::mvccpb::event::EventType;
use crate::proto::mvccpb::{Event, KeyValue};

/// What becomes of the deletion that took place at the very revision that is compacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tombstones {
    /// A watch that starts there never hears of it: etcd before 3.4.34 and 3.5.15
    /// (<https://github.com/etcd-io/etcd/issues/18089>).
    #[default]
    Dropped,
    /// A watch that starts there is told.
    Kept,
}

/// All keys at all revisions.
#[derive(Debug)]
pub(super) struct Store {
    revision: i64,
    compacted: i64,
    keys: BTreeMap<Vec<u8>, Vec<Past>>,
    log: BTreeMap<i64, Happened>,
}

#[derive(Debug)]
struct Past {
    revision: i64,
    /// `None` for a deletion.
    kv: Option<KeyValue>,
}

/// What one revision changed.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) at: Duration,
    pub(super) events: Vec<Event>,
}

impl Store {
    /// Empty, at revision 1, as etcd starts.
    pub(super) fn new() -> Self {
        Self { revision: 1, compacted: 0, keys: BTreeMap::new(), log: BTreeMap::new() }
    }

    /// The newest revision.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// The revision below which history is gone; 0 while none is.
    pub(super) fn compacted(&self) -> i64 {
        self.compacted
    }

    /// Bytes of all keys and values that are kept, history included.
    pub(super) fn bytes(&self) -> i64 {
        let pasts = self.keys.values().flatten().filter_map(|past| past.kv.as_ref());
        pasts.map(|kv| i64::try_from(kv.key.len() + kv.value.len()).unwrap_or(i64::MAX)).sum()
    }

    /// The key as it was at `revision`.
    pub(super) fn at(&self, key: &[u8], revision: i64) -> Option<&KeyValue> {
        last(self.keys.get(key)?, revision)
    }

    /// The keys of `span` as they were at `revision`, in their order.
    pub(super) fn span_at(&self, span: &Span, revision: i64) -> Vec<&KeyValue> {
        let Some(bounds) = span.bounds() else { return Vec::new() };
        self.keys.range::<[u8], _>(bounds).filter_map(|(_, pasts)| last(pasts, revision)).collect()
    }

    /// Whether `revision` can be read when `newest` is the newest.
    pub(super) fn readable(&self, revision: i64, newest: i64) -> Result<(), Refusal> {
        if revision > newest {
            Err(Refusal::FutureRevision)
        } else if revision < self.compacted {
            Err(Refusal::Compacted)
        } else {
            Ok(())
        }
    }

    /// What happened from `revision` on, oldest first.
    pub(super) fn since(&self, revision: i64) -> impl Iterator<Item = (i64, &Happened)> {
        self.log.range(revision..).map(|(revision, happened)| (*revision, happened))
    }

    /// Forgets what was superseded before `revision`.
    pub(super) fn compact(&mut self, revision: i64, tombstones: Tombstones) -> Result<(), Refusal> {
        if revision <= self.compacted {
            return Err(Refusal::Compacted);
        }
        if revision > self.revision {
            return Err(Refusal::FutureRevision);
        }
        self.compacted = revision;
        self.keys.retain(|_, pasts| {
            let kept = pasts.iter().rposition(|past| past.revision <= revision).unwrap_or_default();
            pasts.drain(..kept);
            if pasts.first().is_some_and(|past| past.revision <= revision && past.kv.is_none()) {
                pasts.remove(0);
            }
            !pasts.is_empty()
        });
        self.log = self.log.split_off(&revision);
        if tombstones == Tombstones::Dropped
            && let Some(happened) = self.log.get_mut(&revision)
        {
            happened.events.retain(|event| event.r#type() != EventType::Delete);
        }
        Ok(())
    }

    /// Begins changes that make one revision together.
    pub(super) fn write(&mut self) -> Writing<'_> {
        Writing { store: self, events: Vec::new() }
    }
}

fn last(pasts: &[Past], revision: i64) -> Option<&KeyValue> {
    pasts.iter().rev().find(|past| past.revision <= revision)?.kv.as_ref()
}

/// Changes on their way to becoming one revision.
pub(super) struct Writing<'s> {
    store: &'s mut Store,
    events: Vec<Event>,
}

impl Writing<'_> {
    /// The store, with the changes so far in it.
    pub(super) fn store(&self) -> &Store {
        self.store
    }

    /// The newest revision as these changes see it: their own as soon as there is one.
    pub(super) fn revision(&self) -> i64 {
        self.store.revision + i64::from(!self.events.is_empty())
    }

    /// Puts a value.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8], lease: i64) {
        let revision = self.store.revision + 1;
        let before = self.store.at(key, revision);
        let kv = KeyValue {
            key: key.to_vec(),
            create_revision: before.map_or(revision, |before| before.create_revision),
            mod_revision: revision,
            version: before.map_or(0, |before| before.version) + 1,
            value: value.to_vec(),
            lease,
        };
        self.events.push(Event { r#type: EventType::Put.into(), kv: Some(kv.clone()) });
        self.store.keys.entry(key.to_vec()).or_default().push(Past { revision, kv: Some(kv) });
    }

    /// Deletes what is there of `span` and answers how many keys that were.
    pub(super) fn delete(&mut self, span: &Span) -> i64 {
        let revision = self.store.revision + 1;
        let found = self.store.span_at(span, revision);
        let keys: Vec<Vec<u8>> = found.into_iter().map(|kv| kv.key.clone()).collect();
        for key in &keys {
            let kv = KeyValue { key: key.clone(), mod_revision: revision, ..KeyValue::default() };
            self.events.push(Event { r#type: EventType::Delete.into(), kv: Some(kv) });
            self.store.keys.entry(key.clone()).or_default().push(Past { revision, kv: None });
        }
        i64::try_from(keys.len()).unwrap_or(i64::MAX)
    }

    /// Makes the changes a revision, unless there are none; answers the newest revision.
    pub(super) fn finish(self, at: Duration) -> i64 {
        if !self.events.is_empty() {
            self.store.revision += 1;
            self.store.log.insert(self.store.revision, Happened { at, events: self.events });
        }
        self.store.revision
    }
}
