//! Against a real etcd, whose client URL is in `CLAVIGER_ETCD_URL`; `cargo xtask test --only etcd` provides one.

mod nodes;
mod refused;
mod secured;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use claviger_store::{Batch, Engine, suite};
use claviger_store_etcd::{EtcdEngine, Options};

/// Options for a prefix of its own.
fn options(prefix: &str) -> Options {
    let url = std::env::var("CLAVIGER_ETCD_URL").expect("CLAVIGER_ETCD_URL is the URL of an etcd for tests");
    let run = std::process::id();
    Options {
        prefix: format!("claviger-test/{run}/{prefix}/"),
        ..Options::new(vec![url], "test".into(), "0".into())
    }
}

async fn open(options: Options) -> Arc<EtcdEngine> {
    EtcdEngine::open(options).await.expect("etcd answers")
}

/// A batch that puts one record.
fn put(key: &str, value: &str) -> Batch {
    Batch { expect: Vec::new(), put: vec![(key.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))] }
}

#[tokio::test]
async fn passes_the_suite() {
    let next = AtomicU32::new(0);
    suite::run(|| async {
        let prefix = format!("suite{}", next.fetch_add(1, Ordering::Relaxed));
        open(options(&prefix)).await as Arc<dyn Engine>
    })
    .await;
}
