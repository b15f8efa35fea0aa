//! Several nodes over one store, all of which see to what is due.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use claviger_crypto::{Entropy, RootKey, Secret};
use claviger_store::{
    Answer, Batch, Change, Engine, Faults, FaultyEngine, MemoryEngine, Observer, Page, Read, Scan, Stats,
    Version,
};

use crate::account::NewAccount;
use crate::authority::{Authority, Limits};
use crate::clock::{Clock, Moment};
use crate::ids::{AccountId, KeyId, RegionId, RingId, UserId};
use crate::key::create::NewKey;
use crate::key::{Key, KeySpec, KeyState, Origin};
use crate::records::{self, LastUsed, at};
use crate::region::Regions;

const DUE: u64 = 1000;
/// One key of three will be deleted, one loses its material, and one is not due.
const KEYS: u8 = 12;

/// A store under several nodes, and how often each key was written.
struct Cluster {
    store: Arc<MemoryEngine>,
    clock: Clock,
    written: Arc<Mutex<BTreeMap<KeyId, u32>>>,
}

struct Node {
    authority: Authority,
    faults: Arc<Faults>,
}

impl Cluster {
    /// With keys whose time has come.
    async fn due() -> Self {
        let clock = Clock::fixed(Moment::from_seconds(DUE - 1));
        let cluster = Self { store: Arc::new(MemoryEngine::new()), clock, written: Arc::default() };
        let authority = cluster.node().await.authority;
        let new = NewAccount { name: "a".into(), id: Some(AccountId(1)), ..NewAccount::default() };
        let (_, root) = authority.add_account(new).await.expect("a new account");
        let secret = Secret::from("secret".to_owned());
        let added = authority.add_access_key(&root, "AK".into(), &secret, true, String::new()).await;
        added.expect("an access key");
        let ring = ring();
        let mut keys = Vec::new();
        for number in 0..KEYS {
            keys.push(key(&authority, &ring, number).await);
        }
        authority.put_keys(&ring, &keys).await.expect("stored");
        let written = Arc::clone(&cluster.written);
        cluster.store.observe(Arc::new(move |change| {
            let Change::Committed { keys, .. } = change else { return };
            let ids = keys.iter().filter(|key| key.first() == Some(&b'k'));
            let ids = ids.filter_map(|key| key.last_chunk::<16>());
            let mut written = written.lock().expect("no panic");
            ids.for_each(|id| *written.entry(KeyId(*id)).or_default() += 1);
        }));
        cluster.clock.advance(Duration::from_secs(1));
        cluster
    }

    async fn node(&self) -> Node {
        let faults: Arc<Faults> = Arc::default();
        let slow: Arc<dyn Engine> = Arc::new(Slow(Arc::clone(&self.store)));
        let engine = Arc::new(FaultyEngine::new(slow, Arc::clone(&faults)));
        // All nodes have one root key.
        let root = RootKey::generate(&Entropy::seeded(1));
        let regions = Regions::single(KeySpec::Aes256);
        let clock = self.clock.clone();
        let opened =
            Authority::open(engine, root, regions, Limits::default(), clock, Entropy::seeded(2)).await;
        Node { authority: opened.expect("the same root key"), faults }
    }

    /// Each key that was due was settled, by one commit; no other was touched, and nothing is due any more.
    async fn is_settled(&self, what: &str) {
        let due = self.store.scan(Scan::forward(at::DUE, 100)).await.expect("readable");
        assert!(due.entries.is_empty(), "{what}: {} are still due", due.entries.len());
        let written = self.written.lock().expect("no panic").clone();
        for number in 0..KEYS {
            let id = id(number);
            let stored = self.store.get(&at::key(id)).await.expect("readable").stored;
            let state = stored.map(|stored| records::decode::<Key>(&stored.value).expect("a key").state);
            let expected = match number % 3 {
                0 => (None, Some(&1)),
                1 => (Some(KeyState::PendingImport), Some(&1)),
                _ => (Some(KeyState::Enabled), None),
            };
            assert_eq!((state, written.get(&id)), expected, "{what}: key {number}");
        }
    }
}

fn ring() -> RingId {
    RingId { account: AccountId(1), region: RegionId::parse("local").expect("a name") }
}

const fn id(number: u8) -> KeyId {
    KeyId([number; 16])
}

async fn key(authority: &Authority, ring: &RingId, number: u8) -> Key {
    let new = NewKey {
        alias: format!("key-{number}"),
        description: String::new(),
        spec: None,
        origin: Origin::Internal,
        tags: Vec::new(),
    };
    let mut key = authority.build_key(ring, id(number), UserId(1), new).await.expect("a key");
    match number % 3 {
        0 => {
            key.state = KeyState::PendingDeletion;
            key.deletion = Some(Moment::from_seconds(DUE));
        }
        1 => {
            key.origin = Origin::External;
            key.expires = Some(Moment::from_seconds(DUE));
        }
        _ => {}
    }
    key
}

/// How many keys are due.
const fn due_keys() -> usize {
    KEYS as usize / 3 * 2
}

#[tokio::test]
async fn of_nodes_that_sweep_at_once_one_settles_each_key() {
    let cluster = Cluster::due().await;
    let (a, b, c) = (cluster.node().await, cluster.node().await, cluster.node().await);
    let swept = tokio::join!(a.authority.sweep(), b.authority.sweep(), c.authority.sweep());
    let settled: usize = [swept.0, swept.1, swept.2].map(|swept| swept.expect("no fault")).iter().sum();
    assert_eq!(settled, due_keys(), "each counted by one node");
    assert!(cluster.store.stats().conflicts > 0, "they did collide");
    cluster.is_settled("three at once").await;
}

#[tokio::test]
async fn a_node_that_dies_at_any_point_leaves_nothing_undone() {
    for steps in 0.. {
        let cluster = Cluster::due().await;
        let (dying, next, last) = (cluster.node().await, cluster.node().await, cluster.node().await);
        let ended = for_steps(steps, dying.authority.sweep()).await;
        let swept = tokio::join!(next.authority.sweep(), last.authority.sweep());
        swept.0.and(swept.1).expect("no fault");
        cluster.is_settled(&format!("died after {steps} steps")).await;
        if ended {
            assert!(steps > 2 * due_keys(), "{steps} steps are too few to have died in between");
            return;
        }
    }
}

#[tokio::test]
async fn a_node_that_cannot_know_what_it_did_does_nothing_twice() {
    let cluster = Cluster::due().await;
    let (unlucky, other) = (cluster.node().await, cluster.node().await);
    unlucky.faults.lose_answer.store(true, SeqCst);
    assert_eq!(unlucky.authority.sweep().await, Ok(0), "it is not sure of any");
    assert_eq!(other.authority.sweep().await, Ok(0));
    unlucky.faults.lose_answer.store(false, SeqCst);
    assert_eq!(unlucky.authority.sweep().await, Ok(0));
    cluster.is_settled("answers lost").await;
}

#[tokio::test]
async fn an_entry_whose_key_is_gone_is_forgotten_once() {
    let cluster = Cluster::due().await;
    let stray = Batch {
        expect: Vec::new(),
        put: vec![(at::due(Moment::from_seconds(DUE), KeyId([99; 16])), Some(Vec::new()))],
    };
    cluster.store.commit(stray).await.expect("stored");
    let (a, b) = (cluster.node().await, cluster.node().await);
    let swept = tokio::join!(a.authority.sweep(), b.authority.sweep());
    assert_eq!(swept.0.expect("no fault") + swept.1.expect("no fault"), due_keys());
    cluster.is_settled("a stray entry").await;
}

#[tokio::test]
async fn the_last_use_of_an_access_key_never_moves_back() {
    let cluster = Cluster::due().await;
    let (early, late) = (cluster.node().await, cluster.node().await);
    for (node, seconds) in [(&early, DUE + 10), (&late, DUE + 20)] {
        let key = node.authority.access_key("AK").await.expect("readable").expect("there");
        key.touch(Moment::from_seconds(seconds));
    }
    let stored = async || {
        let stored = cluster.store.get(&at::last_used("AK")).await.expect("readable").stored;
        stored.map(|stored| records::decode::<LastUsed>(&stored.value).expect("a record").at.seconds())
    };
    let saved = tokio::join!(early.authority.save_last_used(), late.authority.save_last_used());
    saved.0.and(saved.1).expect("a collision is no fault");
    for (node, expected) in [(&late, DUE + 20), (&early, DUE + 20), (&late, DUE + 20)] {
        node.authority.save_last_used().await.expect("no fault");
        assert_eq!(stored().await, Some(expected));
    }
    let commits = cluster.store.stats().commits;
    early.authority.save_last_used().await.expect("no fault");
    late.authority.save_last_used().await.expect("no fault");
    assert_eq!(cluster.store.stats().commits, commits, "what is saved is not saved again");
}

/// Polls a future so many times, then drops it; whether it had come to its end.
async fn for_steps<T>(steps: usize, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    for _ in 0..steps {
        let poll = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if poll.is_ready() {
            return true;
        }
    }
    false
}

/// A store that takes a moment, so that nodes on one thread take turns between any two of its answers. What was begun
/// comes to its end, as the trait wants it.
struct Slow(Arc<MemoryEngine>);

impl Engine for Slow {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        Box::pin(async move {
            let read = self.0.get(key).await;
            tokio::task::yield_now().await;
            read
        })
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        Box::pin(async move {
            let page = self.0.scan(scan).await;
            tokio::task::yield_now().await;
            page
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        Box::pin(async move {
            let committed = self.0.commit(batch).await;
            tokio::task::yield_now().await;
            committed
        })
    }

    fn observe(&self, observer: Observer) {
        self.0.observe(observer);
    }

    fn stats(&self) -> Stats {
        self.0.stats()
    }
}
