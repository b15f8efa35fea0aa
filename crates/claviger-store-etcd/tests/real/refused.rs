//! What is refused at the start, and that nothing is written then.

use std::time::Duration;

use claviger_store::{Engine as _, Scan};
use claviger_store_etcd::{EtcdEngine, Login, OpenError, Options, Status};

use crate::{open, options, put};

async fn refused(options: Options) -> String {
    EtcdEngine::open(options).await.map(drop).expect_err("it does not fit").to_string()
}

#[tokio::test]
async fn endpoints_that_are_none() {
    let of = |url: &str| Options { endpoints: vec![url.to_owned()], ..options("endpoints") };
    for (url, says) in [
        ("http://127.0.0.1:1", "no etcd endpoint answers"),
        ("127.0.0.1:2379", "write http://"),
        ("ftp://127.0.0.1", "write http://"),
        ("https://127.0.0.1:1", "ca_file"),
        ("http://127.0.0.1:1/path", "an endpoint has no path"),
    ] {
        let why = refused(of(url)).await;
        assert!(why.contains(says), "{url}: {why}");
    }
    let none = Options { endpoints: Vec::new(), ..options("endpoints") };
    assert!(refused(none).await.contains("at least one"));
}

#[tokio::test]
async fn a_prefix_that_belongs_to_something_else() {
    let outer = options("foreign");
    let inner = Options { prefix: format!("{}inner/", outer.prefix), ..outer.clone() };
    open(inner).await.commit(put("a", "1")).await.expect("committed");
    let why = refused(outer.clone()).await;
    assert!(why.contains("they are not Claviger's") && why.contains("inner/"), "{why}");
    assert!(Status::read(&outer).await.is_err_and(|error| error.to_string().contains("no Claviger cluster")));
}

#[tokio::test]
async fn settings_of_another_cluster() {
    let blue = Options { cluster: Some("blue".into()), ..options("named") };
    open(blue.clone()).await.commit(put("a", "1")).await.expect("committed");
    let green = Options { cluster: Some("green".into()), ..blue.clone() };
    let why = refused(green).await;
    assert!(why.contains("\"blue\"") && why.contains("\"green\""), "{why}");
    let slower = Options { lease: Duration::from_secs(3), ..blue.clone() };
    let why = refused(slower).await;
    assert!(why.contains("2000 ms") && why.contains("3000 ms"), "{why}");
    open(Options { cluster: None, ..blue }).await;
}

#[tokio::test]
async fn a_password_that_etcd_does_not_want() {
    let login = Login { user: "nobody".into(), password: "wrong".into() };
    let with_login = Options { login: Some(login), ..options("login") };
    // Access control is off: etcd asks for no token, and none is fetched.
    open(with_login).await;
}

#[tokio::test]
async fn opening_writes_nothing() {
    let options = options("untouched");
    let engine = open(options.clone()).await;
    assert!(!engine.fresh(), "it has not joined");
    let page = engine.scan(Scan::forward(b"", 10)).await.expect("it scans");
    assert!(page.entries.is_empty());
    assert!(matches!(Status::read(&options).await, Err(OpenError::Options(_))), "the cluster is not founded");
}
