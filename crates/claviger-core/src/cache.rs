//! Hot state, decoded. What a commit touched is never served again in its old form: a commit leaves a mark at each key it wrote,
//! and only a read that is at least as new as the mark may fill the place.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_store::Version;
use papaya::{Compute, HashMap, Operation};

/// Decoded records by their id.
pub(crate) struct Cache<K, V> {
    places: HashMap<K, Place<V>>,
    /// Fills older than this are not kept; raised before places are forgotten wholesale.
    floor: AtomicU64,
    /// The newest commit that marked a place.
    newest: AtomicU64,
    most: usize,
    hits: AtomicU64,
    misses: AtomicU64,
}

enum Place<V> {
    /// Changed by this commit and not read since.
    AtLeast(Version),
    /// As of this version.
    Loaded(Version, Arc<V>),
}

impl<K: Hash + Eq + Clone, V> Cache<K, V> {
    /// Holds up to about `most` places.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: HashMap::new(),
            floor: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            most,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// What is cached of `id`.
    pub(crate) fn find(&self, id: &K) -> Option<Arc<V>> {
        match self.places.pin().get(id) {
            Some(Place::Loaded(_, value)) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Some(Arc::clone(value))
            }
            Some(Place::AtLeast(_)) | None => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Keeps what a read as of `at` has found, unless something newer is known.
    pub(crate) fn fill(&self, id: &K, at: Version, value: &Arc<V>) {
        if self.places.len() >= self.most {
            // Marks are forgotten too: nothing older than the newest of them may be kept from now on.
            self.forget_all(self.newest.load(Ordering::SeqCst));
        }
        self.places.pin().compute(id.clone(), |place| {
            let newer = match place {
                Some((_, Place::AtLeast(version) | Place::Loaded(version, _))) => *version > at,
                None => false,
            };
            if newer || at < self.floor.load(Ordering::SeqCst) {
                Operation::<Place<V>, ()>::Abort(())
            } else {
                Operation::Insert(Place::Loaded(at, Arc::clone(value)))
            }
        });
        // Places may have been forgotten while this one was being filled.
        if at < self.floor.load(Ordering::SeqCst) {
            let _: Compute<'_, K, Place<V>, ()> =
                self.places.pin().compute(id.clone(), |place| match place {
                    Some((_, Place::Loaded(version, _))) if *version == at => Operation::Remove,
                    _ => Operation::Abort(()),
                });
        }
    }

    /// Marks `id` as changed by the commit `version`.
    pub(crate) fn changed(&self, id: K, version: Version) {
        self.newest.fetch_max(version, Ordering::SeqCst);
        let _: Compute<'_, K, Place<V>, ()> = self.places.pin().compute(id, |place| match place {
            Some((_, Place::AtLeast(known) | Place::Loaded(known, _))) if *known > version => {
                Operation::Abort(())
            }
            _ => Operation::Insert(Place::AtLeast(version)),
        });
    }

    /// Forgets everything; reads older than `at` may not fill any place again.
    pub(crate) fn forget_all(&self, at: Version) {
        self.floor.fetch_max(at, Ordering::SeqCst);
        self.places.pin().clear();
    }

    /// Visits all that is loaded.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        for (id, place) in &self.places.pin() {
            if let Place::Loaded(_, value) = place {
                visit(id, value);
            }
        }
    }

    /// Hits and misses so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_read_never_fills() {
        let cache: Cache<u8, &str> = Cache::new(10);
        cache.fill(&1, 5, &Arc::new("five"));
        assert_eq!(cache.find(&1).as_deref(), Some(&"five"));
        cache.changed(1, 6);
        assert!(cache.find(&1).is_none(), "changed is forgotten");
        cache.fill(&1, 5, &Arc::new("five"));
        assert!(cache.find(&1).is_none(), "a read from before the change is not kept");
        cache.fill(&1, 6, &Arc::new("six"));
        assert_eq!(cache.find(&1).as_deref(), Some(&"six"));
        cache.changed(1, 4);
        assert_eq!(cache.find(&1).as_deref(), Some(&"six"), "an old mark does not undo newer knowledge");
        cache.forget_all(9);
        cache.fill(&2, 8, &Arc::new("eight"));
        assert!(cache.find(&2).is_none(), "below the floor");
        cache.fill(&2, 9, &Arc::new("nine"));
        assert_eq!(cache.find(&2).as_deref(), Some(&"nine"));
    }

    #[test]
    fn forgetting_for_room_does_not_bring_back_the_past() {
        let cache: Cache<u32, u32> = Cache::new(3);
        cache.changed(1, 6);
        for n in 2..5 {
            cache.fill(&n, 6, &Arc::new(n));
        }
        // Full: the next fill, by a reader from before the change, forgets all marks.
        cache.fill(&9, 5, &Arc::new(9));
        cache.fill(&1, 5, &Arc::new(1));
        assert!(cache.find(&1).is_none());
    }

    #[test]
    fn it_stays_within_its_bound() {
        let cache: Cache<u32, u32> = Cache::new(100);
        for n in 0..1000 {
            cache.fill(&n, 1, &Arc::new(n));
            cache.changed(n, 2);
        }
        assert!(cache.places.len() <= 101);
    }
}
