//! The watch: every change under the prefix, in order, told to the observers; from where it broke off, or over again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use claviger_store::{Change, StoreError, Stored, Version};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::ask;
use crate::error::login_expired;
use crate::layout::Place;
use crate::proto::etcdserverpb::watch_request::RequestUnion;
use crate::proto::etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse};
use crate::proto::mvccpb::event::EventType;
use crate::proto::mvccpb::{Event, KeyValue};
use crate::reach::Past;
use crate::shared::{Counters, Registered, Shared};

/// Pause before the watch is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a member may take to begin a watch.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest the follower sleeps with nothing to do.
const IDLE: Duration = Duration::from_hours(1);

/// Why a watch has ended.
enum Ended {
    /// What it should go on with is not kept any more.
    Compacted,
    Broken(String),
    /// Another member was asked for.
    Silent,
}

/// Follows for ever.
pub(crate) async fn follow(shared: Arc<Shared>) {
    loop {
        let member = shared.client.current();
        let ended = watch(&shared, member).await;
        Counters::add(&shared.counters.reopens, 1);
        match ended {
            Ended::Compacted => {
                tracing::warn!("the watch on etcd is behind a compaction; reading everything anew");
                while let Err(error) = read_anew(&shared).await {
                    tracing::warn!(%error, "the nodes cannot be read from etcd; trying again");
                    sleep(PAUSE).await;
                }
            }
            Ended::Broken(why) => {
                tracing::info!(member = shared.client.url(member), %why, "the watch on etcd broke off");
                shared.client.move_on(member);
                sleep(PAUSE).await;
            }
            Ended::Silent => {
                tracing::info!(member = shared.client.url(member), "the watch on etcd has fallen silent");
                shared.client.move_on(member);
            }
        }
    }
}

/// Reads who is there, and takes that moment as the beginning.
pub(crate) async fn read_anew(shared: &Shared) -> Result<(), StoreError> {
    let layout = &shared.layout;
    let (nodes, acknowledged) = (layout.nodes(), layout.acknowledgements());
    let txn = ask::reads([ask::one(layout.cluster()), ask::all(nodes), ask::all(acknowledged)]);
    let answer = shared.client.read(txn, shared.options.deadline).await?;
    let revision = shared.client.revision(answer.header.as_ref());
    let revision = revision.map_err(|status| StoreError::Unavailable(status.message().to_owned()))?;
    let mut responses = answer.responses.into_iter();
    let founded = !ask::found(responses.next()).kvs.is_empty();
    let nodes: Vec<Registered> =
        ask::found(responses.next()).kvs.iter().filter_map(|kv| registered(shared, kv)).collect();
    let acknowledged: Vec<(String, Version)> =
        ask::found(responses.next()).kvs.iter().filter_map(|kv| acknowledgement(shared, kv)).collect();
    let past = if founded { Past::Unknown } else { Past::None };
    shared.read_anew(revision, past, &nodes, &acknowledged);
    Ok(())
}

async fn watch(shared: &Shared, member: usize) -> Ended {
    // Kept until the end: when the client's half of the stream ends, etcd ends the watch.
    let (requests, outgoing) = mpsc::channel(1);
    let (key, range_end) = shared.layout.all();
    let create = WatchCreateRequest {
        key,
        range_end,
        // What was applied last comes once more. Were it left out, and the next revision the one that etcd compacts up to, its
        // deletions would be missing, and nothing would say so (etcd before 3.4.34 and 3.5.15, issue 18089).
        start_revision: i64::try_from(shared.applied()).unwrap_or(i64::MAX),
        // Large catch-ups come in pieces that fit a message.
        fragment: true,
        ..WatchCreateRequest::default()
    };
    let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    if requests.send(create).await.is_err() {
        return Ended::Broken("the stream has no receiver".into());
    }
    let request = shared.client.request(ReceiverStream::new(outgoing));
    let mut client = shared.client.watch(member);
    let stream = match timeout(PATIENCE, client.watch(request)).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => {
            if login_expired(&status) && shared.client.has_login() {
                // If that fails too, the next attempt says so again.
                let _ = shared.client.log_in(member).await;
            }
            return Ended::Broken(status.message().to_owned());
        }
        Err(_) => return Ended::Broken("no answer in time".into()),
    };
    let ended = receive(shared, stream).await;
    drop(requests);
    ended
}

async fn receive(shared: &Shared, mut stream: Streaming<WatchResponse>) -> Ended {
    let mut pieces: Vec<Event> = Vec::new();
    loop {
        let pause = shared.changes_in().unwrap_or(IDLE) + Duration::from_millis(1);
        let received = tokio::select! {
            biased;
            received = stream.message() => received,
            () = shared.silent.notified() => return Ended::Silent,
            () = sleep(pause) => {
                shared.look_at_the_clock();
                continue;
            }
        };
        let response = match received {
            Ok(Some(response)) => response,
            Ok(None) => return Ended::Broken("etcd ended it".into()),
            Err(status) => return Ended::Broken(status.message().to_owned()),
        };
        if let Err(status) = shared.client.revision(response.header.as_ref()) {
            return Ended::Broken(status.message().to_owned());
        }
        if response.compact_revision > 0 {
            return Ended::Compacted;
        }
        if response.canceled {
            return Ended::Broken(response.cancel_reason);
        }
        pieces.extend(response.events);
        // A revision is whole only when its last piece is there.
        if !response.fragment && !pieces.is_empty() {
            apply(shared, std::mem::take(&mut pieces));
        }
    }
}

/// Tells the observers revision by revision; then everybody who waits.
fn apply(shared: &Shared, events: Vec<Event>) {
    let (mut told, mut head, mut registrations) = (Revision::default(), None, false);
    let applied = shared.applied();
    for event in events {
        let deleted = event.r#type() == EventType::Delete;
        let Some(kv) = event.kv else { continue };
        let revision = kv.mod_revision.unsigned_abs();
        if revision <= applied {
            continue;
        }
        if revision != told.version {
            tell(shared, std::mem::replace(&mut told, Revision::of(revision)));
        }
        match shared.layout.place(&kv.key) {
            Place::Data(key) => {
                let stored = (!deleted).then_some(Stored { value: kv.value, version: revision });
                shared.replica.changed(key, stored, revision);
                told.keys.push(key.to_vec());
            }
            Place::Head => {
                head = Some(revision);
                match own(shared, &kv.value) {
                    Some(number) => told.own = Some(number),
                    None => drop(shared.foreign.fetch_max(revision, Ordering::SeqCst)),
                }
            }
            Place::Node(id) if deleted => shared.nodes(|reach, now| reach.vanished(id, now)),
            Place::Node(_) => {
                if let Some(registered) = registered(shared, &kv) {
                    shared.node(&registered);
                    registrations = true;
                }
            }
            Place::Acknowledged(_) if deleted => {}
            Place::Acknowledged(_) => {
                if let Some((id, version)) = acknowledgement(shared, &kv) {
                    shared.nodes(|reach, _| reach.acknowledged(&id, version));
                }
            }
            Place::Cluster | Place::Unknown => {}
        }
    }
    let version = told.version;
    tell(shared, told);
    shared.advance(version);
    if let Some(head) = head {
        shared.head.send_replace(head);
    } else if registrations {
        shared.look_at_what_is_owed();
    }
}

/// What one revision has changed.
#[derive(Default)]
struct Revision {
    version: Version,
    keys: Vec<Vec<u8>>,
    /// The number of the transaction, if it is this engine's own.
    own: Option<u64>,
}

impl Revision {
    fn of(version: Version) -> Self {
        Self { version, ..Self::default() }
    }
}

fn tell(shared: &Shared, Revision { version, keys, own }: Revision) {
    if !keys.is_empty() {
        shared.observers.tell(&Change::Committed { version, keys: &keys });
    }
    if let Some(number) = own {
        shared.departures.arrived(number, version, keys);
    }
}

fn registered(shared: &Shared, kv: &KeyValue) -> Option<Registered> {
    let Place::Node(id) = shared.layout.place(&kv.key) else { return None };
    match serde_json::from_slice(&kv.value) {
        Ok(node) => Some(Registered { id: id.to_owned(), node, revision: kv.create_revision.unsigned_abs() }),
        Err(error) => {
            // Somebody who registers in a way this release does not know may serve all the same: it must be waited for.
            tracing::error!(%error, id, "a node's registration cannot be read; counting it as one that serves");
            let node = crate::records::Node::unreadable();
            Some(Registered { id: id.to_owned(), node, revision: 0 })
        }
    }
}

/// The number of a transaction, if it is this engine's own.
fn own(shared: &Shared, value: &[u8]) -> Option<u64> {
    let (id, number) = std::str::from_utf8(value).ok()?.split_once(':')?;
    (shared.mark == id).then(|| number.parse().ok())?
}

fn acknowledgement(shared: &Shared, kv: &KeyValue) -> Option<(String, Version)> {
    let Place::Acknowledged(id) = shared.layout.place(&kv.key) else { return None };
    let version = std::str::from_utf8(&kv.value).ok()?.parse().ok()?;
    Some((id.to_owned(), version))
}
