//! What Claviger relies on of etcd, as one table. The simulated etcd is held to it in every run; a real one with the feature
//! `real-etcd` and the URL of its client port in `CLAVIGER_ETCD_URL`. Nothing else may write to that etcd meanwhile.

mod bench;
mod script;
mod table;

use bench::Bench;
use claviger_store_etcd::simulated::{Etcd, Tombstones};
use hyper_util::rt::TokioIo;
use table::CASES;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};

#[tokio::test]
async fn the_simulated_etcd_keeps_the_contract() {
    let mut wrong = Vec::new();
    for case in CASES {
        let etcd = Etcd::new(0xe7cd);
        etcd.set_tombstones(Tombstones::Kept);
        wrong.extend(Bench::new(simulated(&etcd)).run(case, "").await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(feature = "real-etcd")]
#[tokio::test]
async fn the_real_etcd_keeps_the_contract() {
    let url = std::env::var("CLAVIGER_ETCD_URL").expect("CLAVIGER_ETCD_URL names a client port of an etcd");
    let endpoint = Endpoint::from_shared(url).expect("CLAVIGER_ETCD_URL is a URL");
    let channel = endpoint.connect().await.expect("etcd answers there");
    let (mut bench, mut wrong) = (Bench::new(channel), Vec::new());
    assert!(bench.version().await.starts_with("3."), "a release that this contract is of");
    for (number, case) in CASES.iter().enumerate() {
        let prefix = format!("contract/{number}/");
        bench.clear(&prefix).await;
        wrong.extend(bench.run(case, &prefix).await);
        bench.clear(&prefix).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A channel to a simulated etcd, over pipes.
fn simulated(etcd: &Etcd) -> Channel {
    let (dialled, incoming) = mpsc::channel::<DuplexStream>(4);
    let etcd = etcd.clone();
    tokio::spawn(async move { etcd.serve(ReceiverStream::new(incoming).map(Ok::<_, ()>)).await });
    let connect = tower::service_fn(move |_: Uri| {
        let dialled = dialled.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            dialled.send(theirs).await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(ours))
        }
    });
    Endpoint::from_static("http://simulated").connect_with_connector_lazy(connect)
}
