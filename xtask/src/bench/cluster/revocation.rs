//! What a revocation costs: how long `DisableKey` takes with one node and with several, and that no node serves the key when it
//! has returned.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::store::{self, Store};
use super::{NODES, Nodes};
use crate::bench::report::time;
use crate::caller::{Caller, Outcome};
use crate::etcd::Binary;

/// Keys disabled, one after the other.
const DISABLED: usize = 300;

pub fn measure(folder: &Path, binary: &Binary, table: &mut String) -> Result<()> {
    let one = Nodes::start(&folder.join("one"), binary, 1, 10)?;
    let alone = disable(&one, 1)?;
    drop(one);
    let several = Nodes::start(&folder.join("several"), binary, NODES, 10)?;
    let together = disable(&several, NODES)?;
    writeln!(
        table,
        "| DisableKey, one after the other | p50 | p99 | served after the return |\n|---|---|---|---|"
    )?;
    for (title, times) in [("1 node", &alone), ("3 nodes", &together)] {
        writeln!(table, "| {title} | {} | {} | 0 of {} |", rank(times, 50), rank(times, 99), times.len())?;
    }
    let extra = |per_cent| {
        let (together, alone) = (at(&together, per_cent), at(&alone, per_cent));
        time(together.saturating_sub(alone).as_secs_f64() * 1e6)
    };
    writeln!(table, "| extra, to know it everywhere | {} | {} | |\n", extra(50), extra(99))?;
    Ok(())
}

/// Times of `DisableKey` on the first node. After each, every other node is asked to use the key, at once: one that does is an
/// error.
fn disable(nodes: &Nodes, count: usize) -> Result<Vec<Duration>> {
    let keys = Store::some_keys(nodes.address(0), 10)?;
    let mut callers: Vec<Caller> =
        (0..count).map(|node| Caller::connect(nodes.address(node), &store::pair())).collect::<Result<_>>()?;
    let mut times = Vec::new();
    for (n, key) in keys.iter().cycle().take(DISABLED + keys.len()).enumerate() {
        let encrypt = json!({"KeyId": key, "Plaintext": "AAAA"});
        for caller in &mut callers {
            // Into every cache.
            caller.tencent("kms", "Encrypt", &encrypt)?.done()?;
        }
        let Some((first, others)) = callers.split_first_mut() else { break };
        let started = Instant::now();
        first.tencent("kms", "DisableKey", &json!({"KeyId": key}))?.done()?;
        if n >= keys.len() {
            // The first round is for warming up: the first commits of a new node wait for nodes it does not know.
            times.push(started.elapsed());
        }
        for other in others {
            let outcome = other.tencent("kms", "Encrypt", &encrypt)?;
            ensure!(
                matches!(outcome, Outcome::Refused(_)),
                "a node served a key that was disabled: {outcome:?}"
            );
        }
        first.tencent("kms", "EnableKey", &json!({"KeyId": key}))?.done()?;
    }
    times.sort_unstable();
    Ok(times)
}

fn at(times: &[Duration], per_cent: usize) -> Duration {
    times.get(times.len() * per_cent / 100).copied().unwrap_or_default()
}

fn rank(times: &[Duration], per_cent: usize) -> String {
    time(at(times, per_cent).as_secs_f64() * 1e6)
}
