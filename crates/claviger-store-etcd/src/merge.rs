//! Commits on their way to etcd: those that do not touch each other share one transaction.
//!
//! Each batch is a transaction within the transaction, with expectations of its own, so that one's conflict is not the
//! others'. etcd evaluates all expectations before it applies anything; that is why batches that touch the same record never
//! share one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use claviger_store::{Batch, Expect, Limit, StoreError, Version, limits};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::ask;
use crate::check;
use crate::layout::Layout;
use crate::proto::etcdserverpb::TxnRequest;
use crate::send::{refuse, send};
use crate::shared::Shared;

/// What etcd takes in one transaction, nested ones counted as it counts them.
const OPERATIONS_MAX: usize = 128;
/// The most expectations, and the most puts, of one batch, in a transaction within one, with the head beside it.
const ENTRIES_MAX: usize = limits::BATCH_OPERATIONS_MAX;
const _: () = assert!(2 + ENTRIES_MAX <= OPERATIONS_MAX);
/// The most batches in one transaction.
const MERGED_MAX: usize = 16;
/// The most bytes of one transaction: below etcd's 1.5 MiB, with room for what surrounds the keys and values.
const BYTES_MAX: usize = 1408 * 1024;
/// Transactions on their way at once. The first goes whatever it holds. While one is on its way, what comes gathers for the next, and
/// others go beside it when as many wait as one holds: etcd does much less for one transaction of many commits than for many of one.
const AT_ONCE: usize = 4;
/// How long commits wait so: longer than etcd takes when all is well. One whose answer is lost shall not hold up the others.
const GATHERING: Duration = Duration::from_millis(50);
/// Commits that may wait.
pub(crate) const QUEUE_MAX: usize = 4096;

/// A batch that wants to be committed.
pub(crate) struct Commit {
    pub(crate) txn: TxnRequest,
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<Stored, StoreError>>,
    /// Records expected absent: where that was only a guess, a conflict shall tell what is there.
    pub(crate) guessed: Vec<Vec<u8>>,
    touched: Touched,
}

/// A commit that etcd has stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) version: Version,
    /// The lease clock when etcd's answer was there.
    pub(crate) at: Duration,
}

/// The records that a batch reads or writes.
#[derive(Debug, Default)]
struct Touched {
    read: BTreeSet<Vec<u8>>,
    written: BTreeSet<Vec<u8>>,
}

impl Touched {
    fn collides(&self, other: &Self) -> bool {
        let hits = |written: &BTreeSet<Vec<u8>>, touched: &Self| {
            written.iter().any(|key| touched.written.contains(key) || touched.read.contains(key))
        };
        hits(&self.written, other) || hits(&other.written, self)
    }
}

impl Commit {
    /// A commit of `batch`, if it is within etcd's limits.
    pub(crate) fn new(
        layout: &Layout,
        batch: Batch,
        answer: oneshot::Sender<Result<Stored, StoreError>>,
    ) -> Result<Self, StoreError> {
        limits::check(&batch)?;
        let mut touched = Touched::default();
        let mut bytes = 0;
        let (mut compare, mut guessed) = (Vec::new(), Vec::new());
        for (key, expect) in batch.expect {
            bytes += key.len() + layout.overhead() + 16;
            touched.read.insert(key.clone());
            let place = layout.data(&key);
            compare.push(match expect {
                Expect::Absent => {
                    guessed.push(key);
                    ask::absent(place)
                }
                Expect::Version(version) => ask::unchanged(place, version),
            });
        }
        let mut success = Vec::new();
        // etcd refuses two puts of one key; of two, the later counts.
        for (key, value) in batch.put.into_iter().rev() {
            if !touched.written.insert(key.clone()) {
                continue;
            }
            bytes += key.len() + layout.overhead() + value.as_ref().map_or(0, Vec::len) + 16;
            let key = layout.data(&key);
            success.push(match value {
                Some(value) => ask::put(key, value, 0),
                None => ask::delete(key),
            });
        }
        success.reverse();
        if compare.len() > ENTRIES_MAX || success.len() > ENTRIES_MAX {
            return Err(StoreError::Limit(Limit::BatchOperations));
        }
        if bytes > BYTES_MAX {
            return Err(StoreError::Limit(Limit::BatchBytes));
        }
        let failure = guessed.iter().map(|key| ask::read(ask::one(layout.data(key)))).collect();
        let txn = TxnRequest { compare, success, failure };
        Ok(Self { txn, bytes, answer, guessed, touched })
    }

    /// The records that it rests on.
    pub(crate) fn rests_on(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.touched.read.iter()
    }

    /// Whether there is anything to write.
    pub(crate) fn writes(&self) -> bool {
        !self.txn.success.is_empty()
    }

    /// The transaction by itself, and where its outcome is awaited.
    pub(crate) fn into_check(self) -> TxnRequest {
        self.txn
    }

    /// Operations, as etcd counts those of one level.
    fn operations(&self) -> usize {
        self.txn.compare.len().max(self.txn.success.len())
    }

    /// Whether any of these records is one that it writes.
    pub(crate) fn writes_any(&self, keys: &[Vec<u8>]) -> bool {
        keys.iter().any(|key| self.touched.written.contains(key))
    }
}

/// Sends what comes, for ever.
pub(crate) async fn merge(shared: Arc<Shared>, mut commits: mpsc::Receiver<Commit>) {
    let mut under_way = JoinSet::new();
    let mut waiting: VecDeque<Commit> = VecDeque::new();
    let (mut founded, mut last) = (false, Instant::now());
    loop {
        while waiting.len() < QUEUE_MAX {
            let Ok(commit) = commits.try_recv() else { break };
            waiting.push_back(commit);
        }
        let waited = || waiting.len() >= MERGED_MAX || last.elapsed() >= GATHERING;
        let free = under_way.is_empty() || under_way.len() < AT_ONCE && waited();
        if !free || waiting.is_empty() {
            let due = !waiting.is_empty() && under_way.len() < AT_ONCE;
            tokio::select! {
                biased;
                Some(_sent) = under_way.join_next() => {}
                () = sleep_until(last + GATHERING), if due => {}
                commit = commits.recv(), if waiting.len() < QUEUE_MAX => match commit {
                    Some(commit) => waiting.push_back(commit),
                    None => return,
                },
            }
            continue;
        }
        let group = gather(&mut waiting);
        last = Instant::now();
        if !founded {
            match check::found(&shared).await {
                Ok(()) => founded = true,
                Err(error) => {
                    refuse(group, &error);
                    continue;
                }
            }
        }
        let shared = Arc::clone(&shared);
        under_way.spawn(async move { send(&shared, group).await });
    }
}

/// Takes from the front what can share one transaction. Who collides with one that was passed over waits behind it.
fn gather(waiting: &mut VecDeque<Commit>) -> Vec<Commit> {
    let mut group: Vec<Commit> = Vec::new();
    let (mut bytes, mut most) = (0, 0);
    let mut passed: VecDeque<Commit> = VecDeque::new();
    while let Some(commit) = waiting.pop_front() {
        let operations = commit.operations().max(most);
        let fits = group.is_empty()
            || (group.len() < MERGED_MAX
                && bytes + commit.bytes <= BYTES_MAX
                && group.len() + 2 + operations <= OPERATIONS_MAX);
        let free = || !group.iter().chain(&passed).any(|other| other.touched.collides(&commit.touched));
        if fits && free() {
            (bytes, most) = (bytes + commit.bytes, operations);
            group.push(commit);
        } else {
            passed.push_back(commit);
        }
        if group.len() >= MERGED_MAX || passed.len() >= MERGED_MAX {
            break;
        }
    }
    passed.append(waiting);
    *waiting = passed;
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(expect: &[&str], put: &[&str]) -> Commit {
        let batch = Batch {
            expect: expect.iter().map(|key| (key.as_bytes().to_vec(), Expect::Absent)).collect(),
            put: put.iter().map(|key| (key.as_bytes().to_vec(), Some(Vec::new()))).collect(),
        };
        Commit::new(&Layout::new("x/"), batch, oneshot::channel().0).expect("within the limits")
    }

    fn keys(group: &[Commit]) -> Vec<&str> {
        let key = |commit: &Commit| commit.touched.written.first().cloned().unwrap_or_default();
        group
            .iter()
            .map(|commit| match key(commit).first() {
                Some(b'a') => "a",
                Some(b'b') => "b",
                Some(b'c') => "c",
                _ => "?",
            })
            .collect()
    }

    #[test]
    fn only_strangers_share_a_transaction() {
        // What each reads and puts, and how the transactions group.
        type Keys = &'static [&'static str];
        type Commits = &'static [(Keys, Keys)];
        let cases: [(Commits, &[Keys]); 5] = [
            (&[(&[], &["a"]), (&[], &["b"]), (&[], &["c"])], &[&["a", "b", "c"]]),
            (&[(&[], &["a"]), (&[], &["a"]), (&[], &["b"])], &[&["a", "b"], &["a"]]),
            (&[(&[], &["a"]), (&["a"], &["b"]), (&[], &["c"])], &[&["a", "c"], &["b"]]),
            (&[(&["c"], &["a"]), (&["c"], &["b"]), (&[], &["c"])], &[&["a", "b"], &["c"]]),
            (&[(&[], &["a"]), (&["a"], &["b"]), (&["b"], &["c"])], &[&["a"], &["b"], &["c"]]),
        ];
        for (commits, expected) in cases {
            let mut waiting: VecDeque<Commit> =
                commits.iter().map(|(expect, put)| commit(expect, put)).collect();
            for group in expected {
                assert_eq!(keys(&gather(&mut waiting)), *group);
            }
            assert!(waiting.is_empty());
        }
    }

    #[test]
    fn a_transaction_stays_within_etcds_limits() {
        let large = |n: usize, entries: usize, value: usize| {
            let put = (0..entries).map(|e| (format!("{n}/{e}").into_bytes(), Some(vec![0; value]))).collect();
            Commit::new(&Layout::new("x/"), Batch { expect: Vec::new(), put }, oneshot::channel().0)
        };
        let sizes = |entries: usize, value: usize| {
            let mut waiting: VecDeque<Commit> =
                (0..40).map(|n| large(n, entries, value).expect("within the limits")).collect();
            let mut sizes = Vec::new();
            while !waiting.is_empty() {
                sizes.push(gather(&mut waiting).len());
            }
            sizes
        };
        assert_eq!(sizes(1, 10), [16, 16, 8]);
        assert_eq!(sizes(111, 10)[0], 16, "111 operations beside 16 transactions and the head");
        assert_eq!(sizes(112, 10)[0], 15);
        assert_eq!(sizes(125, 10)[0], 2);
        assert_eq!(sizes(126, 10)[0], 1);
        assert_eq!(sizes(1, 1 << 20)[0], 1);
        assert_eq!(large(0, 127, 1).map(drop), Err(StoreError::Limit(Limit::BatchOperations)));
    }

    #[test]
    fn of_two_puts_of_a_key_the_later_is_sent() {
        let batch = Batch {
            expect: Vec::new(),
            put: vec![(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), None), (b"a".to_vec(), None)],
        };
        let commit = Commit::new(&Layout::new("x/"), batch, oneshot::channel().0).expect("within the limits");
        assert_eq!(commit.txn.success, [ask::delete(b"x/d/b".to_vec()), ask::delete(b"x/d/a".to_vec())]);
    }
}
