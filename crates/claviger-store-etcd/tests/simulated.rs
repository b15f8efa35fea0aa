//! The engine over a simulated etcd, where a real one cannot be made to misbehave at the right moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_store::{Batch, Change, Engine};
use claviger_store_etcd::simulated::{Delay, ELECTION, Etcd, REQUEST_TIMEOUT};
use claviger_store_etcd::{Dial, EtcdEngine, Options, Wire, World};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// How long things may take to be right again.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node that has joined.
async fn node(etcd: &Etcd) -> Arc<EtcdEngine> {
    let (dialled, incoming) = mpsc::channel(4);
    let serving = etcd.clone();
    tokio::spawn(async move { serving.serve(ReceiverStream::new(incoming).map(Ok::<_, ()>)).await });
    let dial: Dial = Arc::new(move |_| {
        let dialled = dialled.clone();
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            dialled.send(theirs).await.map_err(std::io::Error::other)?;
            Ok(Box::new(ours) as Box<dyn Wire>)
        })
    });
    let (start, made) = (Instant::now(), AtomicU64::new(0));
    let world = World {
        clock: Arc::new(move || start.elapsed()),
        ids: Arc::new(move || format!("id{}", made.fetch_add(1, Ordering::SeqCst))),
        dial: Some(dial),
    };
    let options = Options::new(vec!["http://simulated:2379".into()], "node".into(), "1".into());
    let (engine, work) = EtcdEngine::start(options, world).await.expect("etcd answers");
    tokio::spawn(work);
    engine.join().await.expect("it joins");
    engine
}

fn put(key: &str) -> Batch {
    Batch { expect: Vec::new(), put: vec![(key.as_bytes().to_vec(), Some(b"v".to_vec()))] }
}

/// Lets the member lose its leader for long enough that its watches end.
async fn end_watches(etcd: &Etcd) {
    etcd.member(1).isolate();
    sleep(5 * ELECTION + REQUEST_TIMEOUT).await;
    etcd.member(1).rejoin();
}

#[tokio::test(start_paused = true)]
async fn a_deletion_at_the_compacted_revision_is_not_missed() {
    // What the node told of, or else that it may have missed anything; and whether a revision lies between.
    for between in [false, true] {
        let etcd = Etcd::new(1);
        let engine = node(&etcd).await;
        engine.commit(put("a")).await.expect("stored");
        assert!(engine.get(b"a").await.expect("read").stored.is_some());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        engine.observe(Arc::new(move |change| {
            let of_a = match change {
                Change::Committed { keys, .. } => keys.contains(&b"a".to_vec()),
                Change::Lost { .. } => true,
            };
            told.lock().expect("no panic").push(of_a);
        }));
        etcd.hold_watches();
        if between {
            etcd.put("claviger/d/b", "v");
        }
        let deleted = etcd.delete("claviger/d/a");
        assert!(etcd.compact(deleted));
        end_watches(&etcd).await;
        etcd.release_watches();
        let right = async {
            while !heard.lock().expect("no panic").contains(&true) || !engine.fresh() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, right).await.expect("the node hears of the deletion and serves again");
        assert_eq!(engine.get(b"a").await.expect("read").stored, None, "between: {between}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_writes_again_after_answers_were_lost() {
    let etcd = Etcd::new(1);
    let engine = node(&etcd).await;
    engine.commit(put("a")).await.expect("stored");
    // Everything takes effect, and no answer comes in time.
    etcd.set_delays(Arc::new(|call| match call.method {
        "KV/Txn" => Delay { before: Duration::ZERO, after: Duration::from_secs(20) },
        _ => Delay::default(),
    }));
    assert!(engine.commit(put("b")).await.is_err(), "nobody can know");
    etcd.set_delays(Arc::new(|_| Delay::default()));
    let start = Instant::now();
    while engine.commit(put("c")).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "the node still cannot write");
    }
}
