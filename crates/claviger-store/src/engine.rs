//! The trait every engine implements, and the shapes that pass through it.

use std::ops::Bound;
use std::pin::Pin;
use std::sync::Arc;

use crate::StoreError;

/// The engine-wide number of a commit. Numbers only grow and may skip; 0 is before any commit.
pub type Version = u64;

/// A reply on its way. Boxed, because an engine is used as `dyn Engine`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Told of every change, on the engine's own thread: be quick, never block on the engine, never panic.
pub type Observer = Arc<dyn Fn(&Change<'_>) + Send + Sync>;

/// A store of ordered bytes with compare-and-commit.
pub trait Engine: Send + Sync + 'static {
    /// The record under `key`. A key no record may have (empty, over the limit) is simply not there.
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read>;

    /// What is known here of the record under `key`, or, where nothing is and the store is far away, that there is none.
    ///
    /// Only for what a commit will rest on: a wrong guess makes that commit a `Conflict`, and the next guess right.
    fn guess<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        self.get(key)
    }

    /// One page of the records under a prefix, all from the same moment.
    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page>;

    /// Applies all of `batch`, durably, if everything it expects holds, and answers its version.
    ///
    /// When it answers, every observer has been told, on every node over the same store: a node that could not be told is
    /// known not to be [`Engine::fresh`] any more. So a change that has been answered is law everywhere.
    /// A batch that puts nothing only checks; it makes no version and answers the newest one.
    /// From its first poll on the batch belongs to the engine: dropping the answer does not stop it.
    /// Errors: `Conflict`, `Limit` and `Unavailable` mean nothing was applied; `OutcomeUnknown` means either.
    fn commit(&self, batch: Batch) -> Answer<'_, Version>;

    /// Waits until what was committed before, by anybody, is law everywhere as an answered commit of one's own is. For whoever
    /// finds that what it wanted to change is so already, and is about to say so.
    fn settle(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Registers an observer: called for every commit of any node, in commit order, and before `commit` answers. Commits that
    /// were made durable together may be told of together, and a deletion of what was not there need not be told.
    fn observe(&self, observer: Observer);

    /// Counters since this engine was opened.
    fn stats(&self) -> Stats;

    /// Takes a place among the nodes that serve this store; before it, nothing need be [`Engine::fresh`]. For the beginning,
    /// once it is sure that this node shall serve.
    fn join(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Whether what observers were told of is all that was committed before this call. If not, nothing that was cached may be
    /// used: ask again later. Cheap; never asks the store.
    fn fresh(&self) -> bool {
        true
    }

    /// How many nodes serve this store, this one included; at least 1.
    fn live_nodes(&self) -> u32 {
        1
    }

    /// Tells the other nodes that this one serves no more; nothing is [`Engine::fresh`] from its first poll on. For the end.
    fn leave(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// A value and the commit that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes as they were put.
    pub value: Vec<u8>,
    /// The commit that put them.
    pub version: Version,
}

/// What a `get` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The record, if there is one.
    pub stored: Option<Stored>,
    /// The newest commit this read is sure to reflect: everything up to it was visible.
    pub at: Version,
}

/// One record of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The whole key, prefix included.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The commit that wrote it.
    pub version: Version,
}

/// Some of the records of a scan, in its direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub entries: Vec<Entry>,
    /// Whether more follow the last entry; go on with its key as `after`.
    pub more: bool,
    /// The newest commit this page is sure to reflect.
    pub at: Version,
}

/// Which way a scan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the greatest key down.
    Backward,
    /// From the smallest key up.
    Forward,
}

/// Which records to page through.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Only keys that start with this; empty for all.
    pub prefix: &'a [u8],
    /// Only keys beyond this whole key, in the scan's direction.
    pub after: Option<&'a [u8]>,
    /// Which way to go.
    pub direction: Direction,
    /// At most so many records. An engine may answer fewer (see [`crate::limits`]); `more` tells.
    pub limit: usize,
}

impl<'a> Scan<'a> {
    /// The first records under `prefix`, smallest key first.
    pub fn forward(prefix: &'a [u8], limit: usize) -> Self {
        Self { prefix, after: None, direction: Direction::Forward, limit }
    }

    /// The last records under `prefix`, greatest key first.
    pub fn backward(prefix: &'a [u8], limit: usize) -> Self {
        Self { prefix, after: None, direction: Direction::Backward, limit }
    }

    /// The same scan, going on beyond `key`.
    #[must_use]
    pub fn after(self, key: &'a [u8]) -> Self {
        Self { after: Some(key), ..self }
    }

    /// The range of keys this scan covers, for engines to search in; `None` when no key can match.
    pub fn range(&self) -> Option<KeyRange> {
        let end = successor(self.prefix);
        let beyond_end = |key: &[u8]| end.as_deref().is_some_and(|end| key >= end);
        let (first, last) = match (self.direction, self.after) {
            (Direction::Forward, Some(after)) if beyond_end(after) => return None,
            (Direction::Forward, Some(after)) if after >= self.prefix => {
                (Bound::Excluded(after.to_vec()), excluded_or_open(end))
            }
            (Direction::Backward, Some(after)) if after <= self.prefix => return None,
            (Direction::Backward, Some(after)) if !beyond_end(after) => {
                (Bound::Included(self.prefix.to_vec()), Bound::Excluded(after.to_vec()))
            }
            (Direction::Backward | Direction::Forward, _) => {
                (Bound::Included(self.prefix.to_vec()), excluded_or_open(end))
            }
        };
        Some(KeyRange { first, last })
    }
}

/// The keys from `first` to `last`, in key order; never inverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    first: Bound<Vec<u8>>,
    last: Bound<Vec<u8>>,
}

impl KeyRange {
    /// The two ends, borrowed.
    pub fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.first.as_ref().map(Vec::as_slice), self.last.as_ref().map(Vec::as_slice))
    }
}

/// What a batch needs a key to be, at the moment of the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No record.
    Absent,
    /// The record this commit wrote.
    Version(Version),
}

impl Expect {
    /// Whether a key whose record has this version, or that has none, is as expected.
    pub fn holds(self, version: Option<Version>) -> bool {
        match self {
            Self::Absent => version.is_none(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

/// Changes to apply together, and what they rest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// All must hold, or the commit is a `Conflict` and changes nothing.
    pub expect: Vec<(Vec<u8>, Expect)>,
    /// New values by key; `None` deletes. Of two for one key the later counts.
    pub put: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// News for an [`Observer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A commit took place.
    Committed {
        /// Its number.
        version: Version,
        /// The keys it put or deleted.
        keys: &'a [Vec<u8>],
    },
    /// Anything may have changed up to `at`: drop all that is cached, and cache no read older than `at`.
    Lost {
        /// The newest commit that may have gone unseen.
        at: Version,
    },
}

/// Plain counters since the engine was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Batches committed.
    pub commits: u64,
    /// Batches refused as conflicts.
    pub conflicts: u64,
    /// Durable writes; `commits / flushes` is how many batches shared one.
    pub flushes: u64,
    /// Batches whose outcome stayed unknown.
    pub unknown: u64,
    /// Bytes of the keys and values committed.
    pub bytes_committed: u64,
    /// Records looked up.
    pub gets: u64,
    /// Pages scanned.
    pub scans: u64,
    /// Times the engine had to be opened anew after a failure.
    pub reopens: u64,
}

/// The smallest byte string greater than everything that starts with `prefix`; `None` when there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=kept)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

fn excluded_or_open(end: Option<Vec<u8>>) -> Bound<Vec<u8>> {
    end.map_or(Bound::Unbounded, Bound::Excluded)
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn the_successor_ends_a_prefix() {
        let cases: [(&[u8], Option<&[u8]>); 6] = [
            (b"", None),
            (b"a", Some(b"b")),
            (b"a/", Some(b"a0")),
            (b"a\xff", Some(b"b")),
            (b"\xff\xff", None),
            (b"\x00", Some(b"\x01")),
        ];
        for (prefix, end) in cases {
            assert_eq!(successor(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
