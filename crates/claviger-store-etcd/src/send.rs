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
use crate::merge::{Commit, Stored};
use crate::node::fence;
use crate::proto::etcdserverpb::response_op::Response;
use crate::proto::etcdserverpb::{TxnRequest, TxnResponse};
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
    let (gaps, first) = (shared.gaps(), shared.numbers.fetch_add(group.len() as u64, Ordering::Relaxed));
    let sent = registration.as_ref().map(|registration| registration.fence.load(Ordering::SeqCst));
    let txn = transaction(shared, group, registration.as_deref().zip(sent), first);
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
                find_out(shared, group, &registration, sent, (first, gaps), &status).await
            }
            _ => Attempt::Unknown(unknown(&status)),
        },
    }
}

/// All commits as transactions within one, each with a head of its own, resting on this node's fence if it has one.
fn transaction(
    shared: &Shared,
    group: &[Commit],
    fenced: Option<(&Registration, Version)>,
    first: u64,
) -> TxnRequest {
    let success = group.iter().zip(first..).enumerate().map(|(slot, (commit, number))| {
        let mut txn = commit.txn.clone();
        // Tells every node, with the watch and when it renews its lease, that there is a newer commit.
        let token = format!("{}:{number}", shared.mark).into_bytes();
        txn.success.push(ask::put(shared.layout.head(slot), token, 0));
        ask::nested(txn)
    });
    let compare =
        fenced.map(|(registration, fence)| ask::unchanged(shared.layout.node(&registration.id), fence));
    TxnRequest {
        compare: compare.into_iter().collect(),
        success: success.collect(),
        // etcd does not look for puts within nested transactions when it is out of space, and would go on writing beyond its
        // quota. One out here, where the fence has failed, makes it refuse.
        failure: vec![ask::put(shared.layout.touch(), Vec::new(), 0)],
    }
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
    (first, gaps): (u64, u64),
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
    let seen: Vec<Option<Version>> =
        group.iter().zip(first..).map(|(_, number)| shared.own(number)).collect();
    if seen.iter().all(Option::is_none) {
        // Not applied, or all of them in conflict, which is the same.
        return Attempt::Again(crate::error::unavailable(status));
    }
    let outcome =
        |version: Option<Version>| version.map(|version| Stored { version, at }).ok_or(StoreError::Conflict);
    Attempt::Applied(seen.into_iter().map(outcome).collect())
}

fn unknown(status: &Status) -> StoreError {
    StoreError::OutcomeUnknown(format!("etcd: {} ({:?})", status.message(), status.code()))
}
