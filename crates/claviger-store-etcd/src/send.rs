//! One transaction on its way to etcd: sent, and if its outcome stays unknown, found out.
//!
//! When an answer is lost (the leader died, the network broke), the transaction may have been applied, or may still be. So the
//! node first puts its registration anew, on which every write of its rests: what was not applied before that never will be.
//! Then it waits until its watch has passed that point, and knows.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use claviger_store::{StoreError, Version};
use tokio::time::{Instant, sleep};
use tonic::Status;

use crate::ask;
use crate::client::Failed;
use crate::departures::{Arrived, Departed};
use crate::merge::{Commit, Stored};
use crate::node::fence;
use crate::proto::etcdserverpb::response_op::Response;
use crate::proto::etcdserverpb::{RequestOp, TxnRequest, TxnResponse};
use crate::replica::Pending;
use crate::shared::{Counters, Registration, Shared};

/// Pause before a transaction that was not applied is sent again.
const PAUSE: Duration = Duration::from_millis(20);

/// How one attempt has ended.
enum Attempt {
    /// It was applied; for each commit its version, or that it was in conflict.
    Applied(Vec<Result<Stored, StoreError>>),
    /// Nothing was applied, and nothing will be; another attempt may do better.
    Again(StoreError),
    /// Nothing was applied, and another attempt would do no better.
    Refused(StoreError),
    Unknown(StoreError),
}

/// Sees commits through that share a transaction.
pub(crate) async fn send(shared: &Shared, group: Vec<Commit>) {
    let ends = Instant::now() + shared.options.deadline;
    loop {
        let error = match attempt(shared, &group).await {
            Attempt::Applied(outcomes) => {
                answer(shared, group, outcomes);
                return;
            }
            Attempt::Again(error) if Instant::now() + PAUSE >= ends => error,
            Attempt::Again(_) => {
                sleep(PAUSE).await;
                continue;
            }
            Attempt::Refused(error) => error,
            Attempt::Unknown(error) => {
                Counters::add(&shared.counters.unknown, group.len() as u64);
                error
            }
        };
        refuse(group, &error);
        return;
    }
}

/// Answers all with the same error.
pub(crate) fn refuse(group: Vec<Commit>, error: &StoreError) {
    for commit in group {
        // Nobody may be waiting any more; here and below.
        let _ = commit.answer.send(Err(error.clone()));
    }
}

fn answer(shared: &Shared, group: Vec<Commit>, outcomes: Vec<Result<Stored, StoreError>>) {
    Counters::add(&shared.counters.flushes, 1);
    for (commit, outcome) in group.into_iter().zip(outcomes) {
        match &outcome {
            Ok(_) => {
                Counters::add(&shared.counters.commits, 1);
                Counters::add(&shared.counters.bytes_committed, commit.bytes as u64);
            }
            Err(_) => {
                Counters::add(&shared.counters.conflicts, 1);
                // Or the next try would rest on the same again. What was guessed is known by now.
                let known = |key: &&Vec<u8>| !commit.guessed.contains(key);
                shared.replica.doubt(commit.rests_on().filter(known));
            }
        }
        let _ = commit.answer.send(outcome);
    }
}

async fn attempt(shared: &Shared, group: &[Commit]) -> Attempt {
    let registration = shared.registration.borrow().clone();
    let (gaps, departed) = (shared.gaps(), shared.departures.depart());
    let sent = registration.as_ref().map(|registration| registration.fence.load(Ordering::SeqCst));
    let txn = transaction(shared, group, registration.as_deref().zip(sent), departed.number);
    let guesses: Vec<Vec<Pending<'_>>> = group
        .iter()
        .map(|commit| commit.guessed.iter().map(|key| shared.replica.begin(key)).collect())
        .collect();
    match shared.client.write(txn).await {
        Ok(answer) => match shared.client.revision(answer.header.as_ref()) {
            Ok(_) if !answer.succeeded => Attempt::Again(StoreError::Unavailable(
                "this node has lost its place among the others, and is taking another".into(),
            )),
            Ok(version) => Attempt::Applied(outcomes(shared, guesses, answer, version)),
            Err(status) => Attempt::Unknown(unknown(&status)),
        },
        Err(Failed::Refused(error)) => Attempt::Refused(error),
        Err(Failed::Unknown(status)) => match (registration, sent) {
            (Some(registration), Some(sent)) => {
                find_out(shared, group, &registration, sent, (&departed, gaps), &status).await
            }
            _ => Attempt::Unknown(unknown(&status)),
        },
    }
}

/// All commits as transactions within one, with one head, resting on this node's fence if it has one.
fn transaction(
    shared: &Shared,
    group: &[Commit],
    fenced: Option<(&Registration, Version)>,
    number: u64,
) -> TxnRequest {
    let mut success: Vec<RequestOp> = group.iter().map(|commit| ask::nested(commit.txn.clone())).collect();
    // Tells every node, with the watch and when it renews its lease, that there is a newer commit. It is also put where all
    // commits are in conflict: then the other nodes acknowledge a revision that changes nothing.
    //
    // And etcd does not look for puts within nested transactions when it is out of space, and would go on writing beyond its
    // quota. This one out here makes it refuse.
    let token = format!("{}:{number}", shared.mark).into_bytes();
    success.push(ask::put(shared.layout.head(), token, 0));
    let compare =
        fenced.map(|(registration, fence)| ask::unchanged(shared.layout.node(&registration.id), fence));
    TxnRequest { compare: compare.into_iter().collect(), success, failure: Vec::new() }
}

fn outcomes(
    shared: &Shared,
    guesses: Vec<Vec<Pending<'_>>>,
    txn: TxnResponse,
    version: Version,
) -> Vec<Result<Stored, StoreError>> {
    // Later than the moment at which etcd stored it, which is what counts.
    let at = shared.world.now();
    let mut responses = txn.responses.into_iter();
    let outcome = |guesses: Vec<Pending<'_>>| match responses.next().and_then(|response| response.response) {
        Some(Response::ResponseTxn(TxnResponse { succeeded: true, .. })) => Ok(Stored { version, at }),
        Some(Response::ResponseTxn(TxnResponse { responses, .. })) => {
            for (guess, found) in guesses.into_iter().zip(responses) {
                let found = ask::found(Some(found)).kvs.into_iter().next();
                let stored = found.map(|kv| claviger_store::Stored {
                    value: kv.value,
                    version: kv.mod_revision.unsigned_abs(),
                });
                guess.keep(stored, version);
            }
            Err(StoreError::Conflict)
        }
        _ => Err(StoreError::OutcomeUnknown("etcd's answer lacks this commit".into())),
    };
    guesses.into_iter().map(outcome).collect()
}

/// Finds out what became of a transaction whose answer was lost.
async fn find_out(
    shared: &Shared,
    group: &[Commit],
    registration: &Arc<Registration>,
    sent: Version,
    (departed, gaps): (&Departed<'_>, u64),
    status: &Status,
) -> Attempt {
    let limit = shared.options.deadline;
    let Ok(fenced) = fence(shared, registration, sent, limit).await else {
        return Attempt::Unknown(unknown(status));
    };
    if !shared.comes_to(fenced, gaps, limit).await {
        return Attempt::Unknown(unknown(status));
    }
    let at = shared.world.now();
    let Some(Arrived { version, keys }) = departed.arrived() else {
        return Attempt::Again(crate::error::unavailable(status));
    };
    // What a commit has written shows. One that only deletes what is not there shows nothing, and has done nothing: it counts as in
    // conflict, and its caller looks again.
    let outcome = |commit: &Commit| {
        if commit.writes_any(&keys) { Ok(Stored { version, at }) } else { Err(StoreError::Conflict) }
    };
    Attempt::Applied(group.iter().map(outcome).collect())
}

fn unknown(status: &Status) -> StoreError {
    StoreError::OutcomeUnknown(format!("etcd: {} ({:?})", status.message(), status.code()))
}
