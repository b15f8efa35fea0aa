//! Nodes that stand still, and watches that find their revision gone when they go on.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::line::{Line, Sent, Told, Tongue, encrypt};
use super::load::{Clients, OWN_KEYS, Switch, World, switch_key};
use super::{LEASE, LEASE_AND_DRIFT, SLACK, Scene, note};
use crate::caller::Caller;
use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::proxy::Rule;
use crate::signal::Signal;

/// A node is stopped, a key is disabled on another one, and the stopped one wakes up with a request for that key in its socket.
pub(super) fn node(scene: &mut Scene) -> Result<()> {
    scene.under_load(Clients::Stay, |cluster, world, chance| {
        for key in OWN_KEYS {
            wake_up_late(cluster, world, chance, key)?;
        }
        Ok(())
    })
}

fn wake_up_late(cluster: &Cluster, world: &World, chance: &mut Chance, key: usize) -> Result<()> {
    let victim = chance.below(cluster.len());
    let other = (victim + 1) % cluster.len();
    let body = json!({"KeyId": world.keys[key], "Plaintext": "dW5kZXIgZmF1bHQ="});
    let timeout = Duration::from_secs(10);
    let connect = || Caller::connect_within(world.nodes[victim], &world.account.root(), timeout);
    let (mut early, mut late) = (connect()?, connect()?);
    for caller in [&mut early, &mut late] {
        caller.tencent("kms", "Encrypt", &body)?.done().context("before the stop")?;
    }
    cluster.signal(victim, Signal::Stop)?;
    let stopped = Instant::now();
    sleep(chance.duration(LEASE));
    let took = disable(world, other, key)?;
    sleep(chance.duration(Duration::from_millis(1500)));
    // Into the socket of a process that stands still; read as soon as it goes on.
    let first = world.clock.read();
    early.send_tencent("kms", "Encrypt", &body)?;
    let still = stopped.elapsed();
    cluster.signal(victim, Signal::Continue)?;
    let second = world.clock.read();
    late.send_tencent("kms", "Encrypt", &body)?;
    let mut told = Vec::new();
    for (start, caller) in [(first, &mut early), (second, &mut late)] {
        let outcome = caller.tencent_answer();
        let sent = Sent::heard(world.nodes[victim], start, world.clock.read(), outcome);
        world.record_use(&sent, None, key);
        ensure!(
            sent.told != Told::Done,
            "node {} woke up and used a key that had been disabled meanwhile",
            victim + 1
        );
        told.push(sent.told);
    }
    cluster.await_ready()?;
    note(
        world,
        &format!(
            "node {} stood still for {:.2} s; DisableKey on node {} took {:.2} s; on waking it said {told:?}",
            victim + 1,
            still.as_secs_f64(),
            other + 1,
            took.as_secs_f64()
        ),
    );
    Ok(())
}

/// Disables a key on that node, which must come back within the stated bound; the time it took.
pub(super) fn disable(world: &World, node: usize, key: usize) -> Result<Duration> {
    let mut line = Line::new(world.account.root(), world.clock);
    let asked = Instant::now();
    let told = switch_key(world, &mut line, node, Tongue::Tencent, key, Switch::Off);
    let took = asked.elapsed();
    ensure!(told == Some(Told::Done), "DisableKey on node {}: {told:?} after {took:?}", node + 1);
    ensure!(took < LEASE_AND_DRIFT + SLACK, "DisableKey on node {} took {took:?}", node + 1);
    Ok(took)
}

/// etcd's leader stands still: its connections stay open and nothing comes.
pub(super) fn leader(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, _| {
        let leader = cluster.etcd.leader()?;
        cluster.etcd.signal(leader, Signal::Stop)?;
        let stopped = Instant::now();
        note(world, &format!("etcd-{}, the leader, stands still", leader + 1));
        sleep(trouble);
        cluster.await_ready()?;
        note(world, &format!("all nodes serve {:.2?} after", stopped.elapsed()));
        cluster.etcd.signal(leader, Signal::Continue)?;
        cluster.etcd.await_healthy()
    })
}

/// How a node falls behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Behind {
    CutOff,
    Stopped,
}

/// While a node hears nothing, others write and etcd forgets its history.
pub(super) fn compaction(scene: &mut Scene) -> Result<()> {
    scene.under_load(Clients::Stay, |cluster, world, chance| {
        for (key, behind) in OWN_KEYS.zip([Behind::CutOff, Behind::Stopped]) {
            let victim = chance.below(cluster.len());
            match behind {
                Behind::CutOff => cluster.link(victim, Rule::Cut),
                Behind::Stopped => cluster.signal(victim, Signal::Stop)?,
            }
            disable(world, (victim + 1) % cluster.len(), key)?;
            sleep(Duration::from_secs(1));
            let revision = cluster.etcd.compact()?;
            note(world, &format!("node {} is behind ({behind:?}); compacted at {revision}", victim + 1));
            match behind {
                Behind::CutOff => cluster.link(victim, Rule::Pass),
                Behind::Stopped => cluster.signal(victim, Signal::Continue)?,
            }
            let back = Instant::now();
            let told = first_decision(world, victim, key)?;
            ensure!(told == Told::KeyOff, "node {} said {told:?} of a disabled key", victim + 1);
            cluster.await_ready()?;
            let after = back.elapsed().as_secs_f64();
            note(world, &format!("node {} decides again after {after:.2} s, and rightly", victim + 1));
        }
        Ok(())
    })
}

/// What a node says of a key once it says anything but that it cannot serve.
pub(super) fn first_decision(world: &World, node: usize, key: usize) -> Result<Told> {
    let mut line = Line::new(world.account.root(), world.clock);
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let project = world.account.project_id();
        let sent = encrypt(&mut line, &[world.nodes[node]], Tongue::Tencent, &project, &world.keys[key]);
        if let Some(sent) = sent {
            world.record_use(&sent, None, key);
            if !matches!(sent.told, Told::Lost(_) | Told::Unavailable) {
                return Ok(sent.told);
            }
        }
        sleep(Duration::from_millis(5));
    }
    anyhow::bail!("node {} did not decide anything within 20 s", node + 1)
}
