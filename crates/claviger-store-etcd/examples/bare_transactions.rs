//! etcd's own rate, for `cargo xtask bench` to compare with: loops of transactions of the shape of `BindCloudResource`, with
//! nothing of Claviger's around them. Each loop replaces a record of its own if it is still as it was, and adds another that
//! must not be there. Prints one line of JSON.
//!
//! Usage: `bare_transactions <client URL> <loops> <seconds>`; keys are under `bare/`.

use std::time::{Duration, Instant};

use claviger_store_etcd::proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use claviger_store_etcd::proto::etcdserverpb::kv_client::KvClient;
use claviger_store_etcd::proto::etcdserverpb::request_op::Request;
use claviger_store_etcd::proto::etcdserverpb::{Compare, PutRequest, RequestOp, TxnRequest};
use tonic::transport::Channel;

/// Bytes of the record that is replaced: about those of a key.
const REPLACED_BYTES: usize = 600;
/// Bytes of the record that is added: about those of a binding.
const ADDED_BYTES: usize = 120;
/// How long a transaction may take: without a bound, one that a dying leader took along is answered after many seconds.
const DEADLINE: Duration = Duration::from_secs(1);
/// Connections that the loops share.
const CHANNELS: usize = 4;

/// Microseconds per transaction of one loop, and the longest time between two successes.
#[derive(Default)]
struct Samples {
    micros: Vec<u32>,
    failures: u64,
    gap: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [urls, loops, seconds] = words.as_slice() else {
        eprintln!("usage: bare_transactions <client URL>[,<client URL>...] <loops> <seconds>");
        std::process::exit(2);
    };
    let loops: usize = loops.parse().expect("a number of loops");
    let seconds: f64 = seconds.parse().expect("a number of seconds");
    let channels: Vec<Channel> = (0..CHANNELS).map(|n| channel(urls, n)).collect();
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(seconds);
    let run = std::process::id();
    let tasks: Vec<_> = (0..loops)
        .map(|n| {
            let channel = channels.get(n % CHANNELS).expect("a remainder is an index").clone();
            tokio::spawn(one_loop(KvClient::new(channel), format!("bare/{run}/{n}"), until))
        })
        .collect();
    let mut all = Samples { gap: Duration::MAX, ..Samples::default() };
    for task in tasks {
        let samples = task.await.expect("a loop does not panic");
        all.micros.extend(samples.micros);
        all.failures += samples.failures;
        // Of the loop that did best: one whose member is gone does not move to another.
        all.gap = all.gap.min(samples.gap);
    }
    let elapsed = started.elapsed().as_secs_f64();
    all.micros.sort_unstable();
    let rank = |per_cent: usize| all.micros.get(all.micros.len() * per_cent / 100).copied().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a count of transactions is far below 2^52")]
    let per_second = all.micros.len() as f64 / elapsed;
    println!(
        "{{\"per_second\":{per_second},\"p50_micros\":{},\"p99_micros\":{},\"failures\":{},\"gap_millis\":{}}}",
        rank(50),
        rank(99),
        all.failures,
        all.gap.as_millis()
    );
}

fn channel(urls: &str, n: usize) -> Channel {
    let urls: Vec<&str> = urls.split(',').collect();
    let url = urls.get(n % urls.len()).expect("a remainder is an index");
    let endpoint = Channel::from_shared((*url).to_owned()).expect("a URL");
    endpoint.tcp_nodelay(true).timeout(DEADLINE).connect_lazy()
}

async fn one_loop(mut client: KvClient<Channel>, prefix: String, until: Instant) -> Samples {
    let mut samples = Samples::default();
    let mut last_success = Instant::now();
    let (mut revision, mut number) = (0, 0u64);
    while Instant::now() < until {
        let started = Instant::now();
        number += 1;
        match client.txn(transaction(&prefix, revision, number)).await {
            Ok(answer) if answer.get_ref().succeeded => {
                revision = answer.get_ref().header.map_or(0, |header| header.revision);
                samples.micros.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
                samples.gap = samples.gap.max(last_success.elapsed());
                last_success = Instant::now();
            }
            // Only after a failure whose transaction was applied all the same: go on from there.
            Ok(_) => revision = current(&mut client, &prefix).await,
            Err(_) => {
                samples.failures += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    samples.gap = samples.gap.max(last_success.elapsed());
    samples
}

fn transaction(prefix: &str, revision: i64, number: u64) -> TxnRequest {
    let (record, added) = (format!("{prefix}/record"), format!("{prefix}/added/{number}"));
    let compare = |key: &str, target: CompareTarget, expected: TargetUnion| Compare {
        result: CompareResult::Equal.into(),
        target: target.into(),
        key: key.as_bytes().to_vec(),
        target_union: Some(expected),
    };
    let put = |key: &str, bytes: usize| RequestOp {
        request: Some(Request::RequestPut(PutRequest {
            key: key.as_bytes().to_vec(),
            value: vec![b'x'; bytes],
            lease: 0,
        })),
    };
    TxnRequest {
        compare: vec![
            compare(&record, CompareTarget::Mod, TargetUnion::ModRevision(revision)),
            compare(&added, CompareTarget::Create, TargetUnion::CreateRevision(0)),
        ],
        success: vec![put(&record, REPLACED_BYTES), put(&added, ADDED_BYTES)],
        failure: Vec::new(),
    }
}

async fn current(client: &mut KvClient<Channel>, prefix: &str) -> i64 {
    let key = format!("{prefix}/record").into_bytes();
    let range = claviger_store_etcd::proto::etcdserverpb::RangeRequest { key, ..Default::default() };
    let answer = client.range(range).await;
    answer.ok().and_then(|answer| answer.into_inner().kvs.first().map(|kv| kv.mod_revision)).unwrap_or(0)
}
