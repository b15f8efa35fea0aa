//! What only the simulated etcd can be asked to do. What it shares with a real one is in `tests/contract`.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status, Streaming};

use super::{Call, Delay, ELECTION, Etcd, Member, REQUEST_TIMEOUT, Tombstones};
use crate::proto::etcdserverpb::auth_client::AuthClient;
use crate::proto::etcdserverpb::kv_client::KvClient;
use crate::proto::etcdserverpb::lease_client::LeaseClient;
use crate::proto::etcdserverpb::watch_client::WatchClient;
use crate::proto::etcdserverpb::watch_request::RequestUnion;
use crate::proto::etcdserverpb::{
    AuthenticateRequest, LeaseGrantRequest, LeaseKeepAliveRequest, PutRequest, RangeRequest,
    WatchCreateRequest, WatchRequest, WatchResponse,
};

fn channel(member: Member) -> Channel {
    let (dialled, incoming) = mpsc::channel::<DuplexStream>(4);
    tokio::spawn(async move { member.serve(ReceiverStream::new(incoming).map(Ok::<_, ()>)).await });
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

fn three() -> Etcd {
    let start = Instant::now();
    Etcd::cluster(1, 3, Arc::new(move || start.elapsed()))
}

fn put(key: &str) -> PutRequest {
    PutRequest { key: key.into(), value: b"v".to_vec(), lease: 0 }
}

fn with<T>(message: T, name: &'static str, value: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(name, value.parse().expect("plain text"));
    request
}

struct Watch {
    _requests: mpsc::Sender<WatchRequest>,
    stream: Streaming<WatchResponse>,
}

impl Watch {
    /// Watches all keys.
    async fn from(channel: Channel, start_revision: i64, leader: &str) -> Self {
        let (requests, stream) = mpsc::channel(1);
        let all = WatchCreateRequest {
            key: b"\0".to_vec(),
            range_end: b"\0".to_vec(),
            start_revision,
            ..WatchCreateRequest::default()
        };
        let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(all)) };
        requests.send(request).await.expect("the stream is new");
        let request = with(ReceiverStream::new(stream), "hasleader", leader);
        let stream = WatchClient::new(channel).watch(request).await.expect("watched").into_inner();
        let mut watch = Self { _requests: requests, stream };
        assert!(watch.told().await.expect("told").created);
        watch
    }

    async fn told(&mut self) -> Result<WatchResponse, Status> {
        Ok(self.stream.message().await?.expect("the stream goes on"))
    }

    /// The keys and revisions of what is told next.
    async fn events(&mut self) -> String {
        let told = self.told().await.expect("told");
        let kvs = told.events.iter().filter_map(|event| event.kv.as_ref());
        let shown = kvs.map(|kv| format!("{}@{}", String::from_utf8_lossy(&kv.key), kv.mod_revision));
        shown.collect::<Vec<_>>().join(" ")
    }

    async fn is_silent(&mut self, span: Duration) {
        assert!(tokio::time::timeout(span, self.stream.message()).await.is_err(), "nothing is told");
    }
}

#[tokio::test(start_paused = true)]
async fn leases_run_out_unless_they_are_kept_alive() {
    let etcd = Etcd::new(1);
    let channel = channel(etcd.member(1));
    let mut watch = Watch::from(channel.clone(), 0, "true").await;
    let mut leases = LeaseClient::new(channel.clone());
    for (id, ttl) in [(1, 5), (2, 5)] {
        leases.lease_grant(LeaseGrantRequest { ttl, id }).await.expect("granted");
        for key in ["a", "b"] {
            let request = PutRequest { lease: id, ..put(&format!("{key}{id}")) };
            KvClient::new(channel.clone()).put(request).await.expect("put");
            watch.events().await;
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let alive = tokio_stream::iter([LeaseKeepAliveRequest { id: 2 }, LeaseKeepAliveRequest { id: 3 }]);
    let mut answers = leases.lease_keep_alive(alive).await.expect("heard").into_inner();
    for ttl in [5, 0] {
        assert_eq!(answers.message().await.expect("told").map(|answer| answer.ttl), Some(ttl));
    }
    let start = Instant::now();
    assert_eq!(watch.events().await, "a1@6 b1@6", "both in one revision");
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(watch.events().await, "a2@7 b2@7");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(!etcd.expire_lease(1));
    assert_eq!(etcd.keys("").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn deletions_at_the_compacted_revision_are_dropped_or_kept() {
    for (tombstones, told) in [(Tombstones::Dropped, "c@5"), (Tombstones::Kept, "a@4 c@5")] {
        let etcd = Etcd::new(1);
        etcd.set_tombstones(tombstones);
        etcd.put("a", "1");
        etcd.put("b", "1");
        etcd.delete("a");
        etcd.put("c", "1");
        assert!(etcd.compact(4) && !etcd.compact(4) && !etcd.compact(9));
        let channel = channel(etcd.member(1));
        assert_eq!(Watch::from(channel.clone(), 4, "true").await.events().await, told);
        let told = Watch::from(channel, 3, "true").await.told().await.expect("told");
        assert_eq!((told.canceled, told.compact_revision), (true, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_cut_off_serves_what_it_knows_alone() {
    let etcd = three();
    etcd.put("a", "1");
    let channel = channel(etcd.member(3));
    let mut kv = KvClient::new(channel.clone());
    let mut patient = Watch::from(channel.clone(), 0, "false").await;
    let mut watch = Watch::from(channel, 0, "true").await;
    etcd.member(3).isolate();
    etcd.put("a", "2");
    let read = RangeRequest { key: b"a".to_vec(), serializable: true, ..RangeRequest::default() };
    let stale = kv.range(read).await.expect("served").into_inner();
    assert_eq!(stale.kvs.first().map(|kv| kv.value.as_slice()), Some(b"1".as_slice()));

    let start = Instant::now();
    let refused = kv.put(with(put("b"), "hasleader", "true")).await.expect_err("no leader");
    assert_eq!(refused.message(), "etcdserver: no leader");
    assert_eq!(start.elapsed().as_secs(), ELECTION.as_secs());
    let refused = kv.put(put("b")).await.expect_err("nobody agrees");
    assert_eq!(refused.message(), "etcdserver: request timed out");
    assert_eq!(start.elapsed().as_secs(), (ELECTION + REQUEST_TIMEOUT).as_secs());
    assert_eq!(watch.told().await.expect_err("ended").message(), "etcdserver: no leader");
    patient.is_silent(Duration::from_mins(1)).await;

    etcd.member(3).rejoin();
    assert_eq!(patient.events().await, "a@3");
    kv.put(put("b")).await.expect("put");
    assert_eq!(etcd.revision(), 4);
}

#[tokio::test(start_paused = true)]
async fn without_its_leader_a_majority_elects_another() {
    let etcd = three();
    let (one, two) = (channel(etcd.member(1)), channel(etcd.member(2)));
    assert_eq!(etcd.leader(), Some(1));
    etcd.member(1).isolate();
    let start = Instant::now();
    KvClient::new(two.clone()).put(put("a")).await.expect("put");
    assert_eq!((start.elapsed().as_secs(), etcd.leader()), (ELECTION.as_secs(), Some(2)));
    etcd.member(3).isolate();
    assert_eq!(etcd.leader(), None, "one of three is no majority");
    assert!(KvClient::new(two).put(put("a")).await.is_err());
    etcd.member(1).rejoin();
    KvClient::new(one).put(put("a")).await.expect("put");
}

#[tokio::test(start_paused = true)]
async fn requests_are_delayed_and_happen_although_nobody_waits() {
    let etcd = Etcd::new(1);
    etcd.set_delays(Arc::new(|call: Call| match call.method {
        "KV/Put" => Delay { before: Duration::from_secs(2), after: Duration::from_secs(3) },
        _ => Delay::default(),
    }));
    let mut kv = KvClient::new(channel(etcd.member(1)));
    let start = Instant::now();
    kv.put(put("a")).await.expect("put");
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(tokio::time::timeout(Duration::from_secs(1), kv.put(put("b"))).await.is_err());
    assert_eq!(etcd.get("b"), None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(etcd.get("b").as_deref(), Some(b"v".as_slice()));
}

#[tokio::test(start_paused = true)]
async fn watches_lag_hold_and_catch_up() {
    let etcd = Etcd::new(1);
    let channel = channel(etcd.member(1));
    let mut watch = Watch::from(channel.clone(), 0, "true").await;
    etcd.member(1).lag_watches(Duration::from_secs(4));
    let start = Instant::now();
    etcd.put("a", "1");
    assert_eq!(watch.events().await, "a@2");
    assert_eq!(start.elapsed().as_secs(), 4);
    etcd.member(1).lag_watches(Duration::ZERO);
    etcd.hold_watches();
    etcd.set_catch_up(2);
    for key in ["b", "c", "d"] {
        etcd.put(key, "1");
    }
    watch.is_silent(Duration::from_secs(9)).await;
    etcd.release_watches();
    assert_eq!(watch.events().await, "b@3 c@4");
    assert_eq!(watch.events().await, "d@5");
}

#[tokio::test(start_paused = true)]
async fn with_access_control_on_a_token_is_needed() {
    let etcd = Etcd::new(1);
    let channel = channel(etcd.member(1));
    let mut auth = AuthClient::new(channel.clone());
    let mut kv = KvClient::new(channel);
    let login = |name: &str, password: &str| AuthenticateRequest {
        name: name.to_owned(),
        password: password.to_owned(),
    };
    let words = |status: Status| status.message().to_owned();
    let refused = auth.authenticate(login("u", "p")).await.map_err(words).expect_err("off");
    assert_eq!(refused, "etcdserver: authentication is not enabled");
    etcd.require_login("u", "p");
    let refused = auth.authenticate(login("u", "x")).await.map_err(words).expect_err("wrong");
    assert_eq!(refused, "etcdserver: authentication failed, invalid user ID or password");
    let token = auth.authenticate(login("u", "p")).await.expect("right").into_inner().token;
    assert_eq!(kv.put(put("a")).await.map_err(words).expect_err("none"), "etcdserver: user name is empty");
    kv.put(with(put("a"), "token", &token)).await.expect("let in");
    etcd.forget_tokens();
    let refused = kv.put(with(put("a"), "token", &token)).await.map_err(words).expect_err("old");
    assert_eq!(refused, "etcdserver: invalid auth token");
}
