//! This node among the others: registered, its lease renewed, what it has applied acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claviger_store::{StoreError, Version};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_stream::iter;
use tonic::Status;

use crate::ask;
use crate::client::Failed;
use crate::freshness::Renewal;
use crate::proto::etcdserverpb::{
    LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, PutRequest, TxnRequest,
};
use crate::proto::mvccpb::KeyValue;
use crate::records::{FORMAT, Node, NodeState, encode};
use crate::shared::{Registration, Shared};

/// After how long etcd removes the registration of a node that it has not heard of. Tidiness only: no promise rests on it.
const CLEAN_UP: Duration = Duration::from_secs(5);
/// Renewals per lease.
const RENEWALS: u32 = 4;
/// Pause before what failed is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps this node registered and its lease renewed, for ever.
pub(crate) async fn stay(shared: Arc<Shared>) {
    let period = shared.options.lease / RENEWALS;
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let registration = shared.registration.borrow().clone();
        let Some(registration) = registration else {
            if shared.is_leaving() {
                return;
            }
            if let Err(error) = register(&shared).await {
                tracing::warn!(%error, "this node cannot register in etcd; trying again");
                sleep(PAUSE).await;
            }
            continue;
        };
        match renew(&shared, &registration).await {
            Ok(()) => {}
            Err(Refused::Removed) => {
                tracing::warn!("etcd has removed this node's registration; registering again");
                shared.deregister();
                continue;
            }
            Err(Refused::Failed(error)) => {
                // Whoever asks next asks another member; until then the lease goes on, and then ends.
                tracing::warn!(%error, "the lease on freshness could not be renewed");
                sleep(PAUSE).await;
                continue;
            }
        }
        if shared.is_behind(period) {
            shared.silent.notify_one();
        }
        ticks.tick().await;
    }
}

/// Keeps etcd from removing the registration, for ever.
pub(crate) async fn keep_alive(shared: Arc<Shared>) {
    let mut ticks = interval(CLEAN_UP / 5);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(registration) = shared.registration.borrow().clone() else { continue };
        let id = registration.lease;
        let kept = shared.client.retried(CLEAN_UP / 5, |member| {
            let shared = &shared;
            async move {
                let request = shared.client.request(iter([LeaseKeepAliveRequest { id }]));
                shared.client.lease(member).lease_keep_alive(request).await?.into_inner().message().await
            }
        });
        // That it failed, or that the lease is gone, shows when the registration is read.
        drop(kept.await);
    }
}

/// How long the others may wait to hear that this node has applied its own commits. Only those do who find a change already made,
/// or are refused one, on another node; and the acknowledgements of a node that writes all the time would be a good part of all writes.
const OWN_PAUSE: Duration = Duration::from_millis(20);

/// Tells the others what this node has applied, for ever. One acknowledgement is on its way at a time; it speaks for all
/// commits up to it.
pub(crate) async fn acknowledge(shared: Arc<Shared>) {
    let mut head = shared.head.subscribe();
    let mut said: Version = 0;
    while head.changed().await.is_ok() {
        loop {
            let wanted = *head.borrow_and_update();
            if wanted > said && shared.foreign.load(Ordering::SeqCst) <= said {
                // Until somebody else's comes, or for as long as own ones may wait.
                let foreign = head.wait_for(|_| shared.foreign.load(Ordering::SeqCst) > said);
                let _own = timeout(OWN_PAUSE, foreign).await;
            }
            let applied = shared.applied();
            let registration = shared.registration.borrow().clone();
            let Some(registration) = registration else { break };
            if wanted <= said || shared.is_unheard(said) {
                break;
            }
            match say(&shared, &registration, applied).await {
                Ok(()) => said = applied,
                Err(error) => {
                    tracing::debug!(%error, "what this node has applied could not be told");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Registers this node under a new id, and makes sure that it is known.
async fn register(shared: &Shared) -> Result<(), StoreError> {
    let ttl = CLEAN_UP.max(2 * shared.options.lease).as_secs();
    let grant = LeaseGrantRequest { ttl: i64::try_from(ttl).unwrap_or(i64::MAX), id: 0 };
    let granted = shared.client.retried(shared.options.deadline, |member| async move {
        Ok(shared.client.lease(member).lease_grant(shared.client.request(grant)).await?.into_inner())
    });
    let lease = granted.await?.id;
    let id = (shared.world.ids)();
    let key = shared.layout.node(&id);
    let txn = TxnRequest {
        compare: vec![ask::absent(key.clone())],
        success: vec![ask::put(key, encode(&describe(shared, NodeState::Live)), lease)],
        failure: Vec::new(),
    };
    // One whose answer is lost disappears with its lease; the next attempt has another id.
    let answer = shared.client.write(txn).await.map_err(|failed| match failed {
        Failed::Refused(error) => error,
        Failed::Unknown(status) => crate::error::unavailable(&status),
    })?;
    let revision = answer.header.as_ref().map_or(0, |header| header.revision);
    if !answer.succeeded {
        return Err(StoreError::Unavailable("a random id was taken".into()));
    }
    tracing::info!(node = id, "registered");
    let fence = AtomicU64::new(revision.unsigned_abs());
    shared.register(Registration { id, lease, revision, fence });
    Ok(())
}

enum Refused {
    /// The registration is not there any more.
    Removed,
    Failed(StoreError),
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self::Failed(crate::error::unavailable(&status))
    }
}

/// Asks etcd, in one moment, whether this node is registered and which commit is the newest.
async fn renew(shared: &Shared, registration: &Registration) -> Result<(), Refused> {
    // Before anything is sent: what is committed from now on may be missing from the answer.
    let asked = shared.world.now();
    let applied = shared.applied();
    let txn = ask::reads([ask::one(shared.layout.node(&registration.id)), ask::all(shared.layout.heads())]);
    let answer = shared.client.read(txn, shared.options.lease / 2).await.map_err(Refused::Failed)?;
    let revision = shared.client.revision(answer.header.as_ref())?;
    let mut responses = answer.responses.into_iter();
    let (own, heads) = (ask::found(responses.next()), ask::found(responses.next()));
    let made = |kv: &&KeyValue| kv.create_revision == registration.revision;
    let Some(own) = own.kvs.first().filter(made) else { return Err(Refused::Removed) };
    // Where the answer to the fence's last move was lost, or an earlier move came late, every write would rest on one that is gone.
    registration.fence.fetch_max(own.mod_revision.unsigned_abs(), Ordering::SeqCst);
    if revision < applied {
        let why = "etcd has gone back in time; restart every node";
        return Err(Refused::Failed(StoreError::Unavailable(why.into())));
    }
    let head = heads.kvs.iter().map(|kv| kv.mod_revision.unsigned_abs()).max().unwrap_or(0);
    shared.renewed(Renewal { asked, head });
    Ok(())
}

async fn say(shared: &Shared, registration: &Registration, applied: Version) -> Result<(), StoreError> {
    let put = PutRequest {
        key: shared.layout.acknowledged(&registration.id),
        value: applied.to_string().into_bytes(),
        lease: registration.lease,
    };
    let said = shared.client.retried(shared.options.lease / 2, |member| {
        let put = put.clone();
        async move { Ok(shared.client.kv(member).put(shared.client.request(put)).await?.into_inner()) }
    });
    said.await.map(drop)
}

/// Makes sure that no write that this node sent with the fence `sent` is applied from now on; the revision from which that
/// holds. The registration stays as it is, under a new revision, if it is still there.
pub(crate) async fn fence(
    shared: &Shared,
    registration: &Registration,
    sent: Version,
    limit: Duration,
) -> Result<Version, StoreError> {
    let _fencing = shared.fencing.lock().await;
    let fence = registration.fence.load(Ordering::SeqCst);
    if fence > sent {
        return Ok(fence);
    }
    let key = shared.layout.node(&registration.id);
    let txn = TxnRequest {
        compare: vec![ask::made_by(key.clone(), registration.revision)],
        success: vec![ask::put(key, encode(&describe(shared, NodeState::Live)), registration.lease)],
        // Gone, and the fence with it. This makes a revision for the watch to come to.
        failure: vec![ask::put(shared.layout.touch(), Vec::new(), 0)],
    };
    // Done twice it does no harm: only the last one counts.
    let answer = shared.client.read(txn, limit).await?;
    let revision = shared.client.revision(answer.header.as_ref());
    let revision = revision.map_err(|status| crate::error::unavailable(&status))?;
    if answer.succeeded {
        registration.fence.fetch_max(revision, Ordering::SeqCst);
    }
    Ok(revision)
}

/// Says that this node serves no more. The others need not wait for it from then on.
pub(crate) async fn leave(shared: &Shared) -> Result<(), StoreError> {
    shared.stop_serving();
    let Some(registration) = shared.registration.borrow().clone() else { return Ok(()) };
    let key = shared.layout.node(&registration.id);
    let txn = TxnRequest {
        compare: vec![ask::made_by(key.clone(), registration.revision)],
        success: vec![ask::put(key, encode(&describe(shared, NodeState::Left)), registration.lease)],
        failure: Vec::new(),
    };
    shared.deregister();
    match shared.client.write(txn).await {
        Ok(_) => {}
        Err(Failed::Refused(error)) => return Err(error),
        Err(Failed::Unknown(status)) => return Err(crate::error::unavailable(&status)),
    }
    let revoke = LeaseRevokeRequest { id: registration.lease };
    let revoked = shared.client.retried(PAUSE * 10, |member| async move {
        Ok(shared.client.lease(member).lease_revoke(shared.client.request(revoke)).await?.into_inner())
    });
    // If not now, etcd does it by itself.
    drop(revoked.await);
    Ok(())
}

fn describe(shared: &Shared, state: NodeState) -> Node {
    Node {
        v: FORMAT,
        name: shared.options.node.clone(),
        release: shared.options.release.clone(),
        since_ms: (shared.world.unix_millis)(),
        state,
    }
}
