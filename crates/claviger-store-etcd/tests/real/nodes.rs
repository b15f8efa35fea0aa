//! Several nodes over one store: who waits for whom, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use claviger_store::{Change, Engine as _};
use claviger_store_etcd::{EtcdEngine, Options, Status};

use crate::{open, options, put};

/// The longest that a commit may wait for a node that is gone: the lease, the drift, and some slack for a busy machine.
const LONGEST: Duration = Duration::from_millis(2400 + 1500);

async fn join(options: &Options) -> Arc<EtcdEngine> {
    let engine = open(options.clone()).await;
    engine.join().await.expect("it joins");
    engine
}

/// The newest version that an engine's observers were told of.
fn heard(engine: &EtcdEngine) -> Arc<AtomicU64> {
    let newest = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&newest);
    engine.observe(Arc::new(move |change| {
        let (Change::Committed { version, .. } | Change::Lost { at: version }) = change;
        told.fetch_max(*version, Ordering::SeqCst);
    }));
    newest
}

/// The first commits of a node that joins a founded cluster may wait for nodes it never heard of.
async fn settle(engine: &EtcdEngine) {
    engine.commit(put("settle", "")).await.expect("committed");
}

#[tokio::test]
async fn a_commit_is_known_everywhere_when_it_returns() {
    let options = options("everywhere");
    let (one, two, three) = (join(&options).await, join(&options).await, join(&options).await);
    let (at_two, at_three) = (heard(&two), heard(&three));
    settle(&one).await;
    for n in 0..50 {
        let started = Instant::now();
        let version = one.commit(put("a", &n.to_string())).await.expect("committed");
        assert!(at_two.load(Ordering::SeqCst) >= version && at_three.load(Ordering::SeqCst) >= version);
        assert!(started.elapsed() < Duration::from_secs(1), "nobody's lease had to run out");
    }
    assert_eq!((one.live_nodes(), two.live_nodes(), three.live_nodes()), (3, 3, 3));
    let status = Status::read(&options).await.expect("read");
    assert_eq!(status.nodes.len(), 3);
    assert!(status.nodes.iter().all(|node| node.name == "test" && node.lease_seconds.is_some()));
    assert!(status.members.iter().all(|member| member.answer.as_ref().is_ok_and(|answer| answer.has_leader)));
}

#[tokio::test]
async fn a_node_that_leaves_is_not_waited_for() {
    let options = options("leaves");
    let (one, two) = (join(&options).await, join(&options).await);
    settle(&one).await;
    assert!(two.fresh());
    two.leave().await.expect("it leaves");
    assert!(!two.fresh());
    let started = Instant::now();
    one.commit(put("a", "1")).await.expect("committed");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(one.live_nodes(), 1);
}

#[tokio::test]
async fn a_node_that_dies_is_waited_for_no_longer_than_its_lease() {
    let options = options("dies");
    let (one, two) = (join(&options).await, join(&options).await);
    settle(&one).await;
    drop(two);
    let started = Instant::now();
    one.commit(put("a", "1")).await.expect("committed");
    let waited = started.elapsed();
    assert!((Duration::from_secs(1)..LONGEST).contains(&waited), "{waited:?}");
    // Whoever finds it done already waits as long: this time for nothing, as the dead node's lease has run out.
    let (started, newcomer) = (Instant::now(), open(options.clone()).await);
    newcomer.settle().await.expect("settled");
    let waited = started.elapsed();
    assert!(
        (Duration::from_secs(1)..LONGEST).contains(&waited),
        "a newcomer knows nothing of the past: {waited:?}"
    );
    // In the end etcd removes what the dead node left, and commits are quick again.
    let gone = async {
        while one.live_nodes() > 1 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("its registration is removed");
    settle(&one).await;
    let started = Instant::now();
    one.commit(put("a", "2")).await.expect("committed");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
