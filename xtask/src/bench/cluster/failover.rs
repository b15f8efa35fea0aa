//! How long service stops when etcd's leader is killed: etcd's own writes, and Claviger's writes and encryption beside them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::super::report::median;
use super::super::store::{self, Store};
use super::{Bare, NODES, Nodes, bare_command};
use crate::caller::{Caller, Outcome};
use crate::etcd::Binary;

/// How long everything runs; the leader dies after a third.
const SECONDS: f64 = 9.0;
/// Loops of bare transactions: few, so that they take little from the rest.
const LOOPS: usize = 4;

/// The longest time between two successes, in seconds.
struct Gaps {
    bare: f64,
    write: f64,
    encrypt: f64,
}

pub fn measure(rounds: usize, folder: &Path, binary: &Binary, table: &mut String) -> Result<()> {
    let mut all = Vec::new();
    for round in 0..rounds.max(1) {
        let nodes = Nodes::start(&folder.join(round.to_string()), binary, NODES, 10)?;
        all.push(one_kill(&nodes)?);
    }
    let of = |pick: fn(&Gaps) -> f64| {
        let text: Vec<String> = all.iter().map(|gaps| format!("{:.1}", pick(gaps))).collect();
        format!("{:.1} s ({})", median(all.iter().map(pick).collect()), text.join(", "))
    };
    writeln!(table, "| longest gap when the leader is killed | median (each round) |\n|---|---|")?;
    writeln!(table, "| bare etcd transactions | {} |", of(|gaps| gaps.bare))?;
    writeln!(table, "| Claviger, BindCloudResource | {} |", of(|gaps| gaps.write))?;
    writeln!(table, "| Claviger, Encrypt | {} |\n", of(|gaps| gaps.encrypt))?;
    Ok(())
}

fn one_kill(nodes: &Nodes) -> Result<Gaps> {
    let keys = Store::some_keys(nodes.address(0), 10)?;
    let key = keys.first().context("a key")?.clone();
    let until = Instant::now() + Duration::from_secs_f64(SECONDS);
    let bare = bare_command(&nodes.etcd, LOOPS, SECONDS).stdout(Stdio::piped()).spawn()?;
    let (write, encrypt) = scope(|scope| -> Result<(f64, f64)> {
        let write = scope.spawn(|| {
            gap(
                nodes,
                until,
                "BindCloudResource",
                |n| json!({"KeyId": key, "ProductId": "bench", "ResourceId": n.to_string()}),
            )
        });
        let encrypt =
            scope.spawn(|| gap(nodes, until, "Encrypt", |_| json!({"KeyId": key, "Plaintext": "AAAA"})));
        sleep(Duration::from_secs_f64(SECONDS / 3.0));
        nodes.etcd.kill(nodes.etcd.leader()?)?;
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<f64>>| {
            thread.join().expect("a client does not panic")
        };
        Ok((join(write)?, join(encrypt)?))
    })?;
    let output = bare.wait_with_output()?;
    let bare: Bare = serde_json::from_slice(&output.stdout).context("the bare loop's line")?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few seconds")]
    let bare = bare.gap_millis as f64 / 1000.0;
    Ok(Gaps { bare, write, encrypt })
}

/// Repeats an action, on the next node whenever one fails; the longest time between two successes.
fn gap(nodes: &Nodes, until: Instant, action: &str, body: impl Fn(u64) -> Value) -> Result<f64> {
    let (mut node, mut longest, mut last) = (0, Duration::ZERO, Instant::now());
    let mut caller = Caller::connect(nodes.address(node), &store::pair())?;
    for n in 0.. {
        if Instant::now() >= until {
            break;
        }
        if let Ok(Outcome::Done(_)) = caller.tencent("kms", action, &body(n)) {
            longest = longest.max(last.elapsed());
            last = Instant::now();
            continue;
        }
        sleep(Duration::from_millis(10));
        node = (node + 1) % NODES;
        caller = Caller::connect(nodes.address(node), &store::pair())?;
    }
    Ok(longest.max(last.elapsed()).as_secs_f64())
}
