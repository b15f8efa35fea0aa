//! Links that break, go silent or get slow.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::line::{Line, Told, Tongue, encrypt};
use super::load::{
    Clients, Kind, OWN_KEYS, OWN_USER, STEADY_KEY, Switch, World, switch_access_key, switch_key,
};
use super::pauses::disable;
use super::{LEASE, LEASE_AND_DRIFT, SLACK, Scene, note};
use crate::cluster::Cluster;
use crate::etcd::Etcd;
use crate::proxy::Rule;

/// What the clock of the test may be off against the moment at which a link was cut.
const CUT_MARGIN: Duration = Duration::from_millis(100);
/// How long nodes may take until all of them serve again with two members of three.
const MOVED: Duration = Duration::from_secs(15);

/// A node loses etcd, once with broken connections and once in silence: it stops within its lease, and the others go on.
pub(super) fn node(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble.max(LEASE + Duration::from_secs(2));
    scene.under_load(Clients::Stay, |cluster, world, chance| {
        for (key, rule) in OWN_KEYS.zip([Rule::Cut, Rule::Silence]) {
            let victim = chance.below(cluster.len());
            cluster.link(victim, rule);
            let cut = world.clock.read();
            let took = disable(world, (victim + 1) % cluster.len(), key)?;
            let text =
                format!("node {} lost etcd ({rule:?}); DisableKey elsewhere took {took:.2?}", victim + 1);
            note(world, &text);
            sleep(trouble.saturating_sub(took));
            ensure!(!cluster.is_ready(victim), "node {} is without etcd and says it is ready", victim + 1);
            stopped_in_time(world, victim, cut)?;
            let healed = Instant::now();
            cluster.link(victim, Rule::Pass);
            cluster.await_ready()?;
            note(world, &format!("healed; node {} serves after {:.2?}", victim + 1, healed.elapsed()));
        }
        Ok(())
    })
}

/// After its lease the node decided nothing and said so retryably; the others served all the while.
fn stopped_in_time(world: &World, victim: usize, cut: Duration) -> Result<()> {
    let events = world.events();
    let since: Vec<_> = events.iter().filter(|event| event.start > cut + LEASE + CUT_MARGIN).collect();
    let at = |node: usize| since.iter().filter(move |event| event.node == node && event.kind == Kind::Use);
    for event in at(victim) {
        let retryable = matches!(event.told, Told::Unavailable);
        let late = event.start.saturating_sub(cut);
        ensure!(retryable, "node {} said {:?} {late:.3?} after it lost etcd", victim + 1, event.told);
    }
    let last = events.iter().filter(|event| event.node == victim && event.told == Told::Done);
    let last = last.map(|event| event.start.saturating_sub(cut)).max().unwrap_or_default();
    note(
        world,
        &format!("its last success began {last:.2?} after; {} refused retryably", at(victim).count()),
    );
    for node in (0..world.nodes.len()).filter(|node| *node != victim) {
        let served = at(node).filter(|event| matches!(event.told, Told::Done)).count();
        ensure!(served > 0, "node {} did not serve while node {} was without etcd", node + 1, victim + 1);
        let unavailable = at(node).filter(|event| matches!(event.told, Told::Unavailable)).count();
        ensure!(unavailable == 0, "node {} refused too: {unavailable} times", node + 1);
    }
    Ok(())
}

/// What is revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Thing {
    AccessKey,
    Key(usize),
}

/// What becomes of the first who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum First {
    /// Its node dies before it answers.
    Dies,
    Waits,
}

/// A revocation is stored and one node cannot hear of it; whoever asks for the same again must not be told "done" before that
/// node has stopped, although there is nothing left to write.
pub(super) fn twice(scene: &mut Scene) -> Result<()> {
    let own = OWN_KEYS.start;
    let rounds = [
        (Thing::Key(own), First::Waits),
        (Thing::Key(own + 1), First::Dies),
        (Thing::AccessKey, First::Waits),
    ];
    scene.under_load(Clients::Stay, |cluster, world, chance| {
        for (thing, first) in rounds {
            let victim = chance.below(cluster.len());
            revoke_twice(cluster, world, victim, thing, first)
                .with_context(|| format!("{thing:?}, the first {first:?}"))?;
        }
        Ok(())
    })
}

fn revoke_twice(cluster: &Cluster, world: &World, victim: usize, thing: Thing, first: First) -> Result<()> {
    let (one, other) = ((victim + 1) % cluster.len(), (victim + 2) % cluster.len());
    ensure!(use_it(world, victim, thing)? == Told::Done, "it is not usable to begin with");
    cluster.link(victim, Rule::Silence);
    let asked = Instant::now();
    let (told, then) = thread::scope(|scope| {
        let earlier = scope.spawn(move || revoke(world, one, thing));
        sleep(Duration::from_millis(150));
        if first == First::Dies {
            cluster.kill(one)?;
        }
        let told = revoke(world, other, thing);
        let took = asked.elapsed();
        let then = use_it(world, victim, thing)?;
        earlier.join().map_err(|_| anyhow::anyhow!("a client panicked"))?;
        ensure!(took < LEASE_AND_DRIFT + SLACK, "the second revocation took {took:?}");
        let text = format!(
            "node {} in silence; revoked twice ({thing:?}, the first {first:?}): {told:?} after {took:.2?}",
            victim + 1
        );
        note(world, &text);
        anyhow::Ok((told, then))
    })?;
    if told == Some(Told::Done) {
        ensure!(
            then != Told::Done,
            "the second revocation was answered, and node {} honoured it not",
            victim + 1
        );
    }
    cluster.link(victim, Rule::Pass);
    if first == First::Dies {
        cluster.spawn(one)?;
    }
    cluster.await_ready()
}

fn revoke(world: &World, node: usize, thing: Thing) -> Option<Told> {
    let mut line = Line::new(world.account.root(), world.clock);
    match thing {
        Thing::AccessKey => switch_access_key(world, &mut line, node, OWN_USER, Switch::Off),
        Thing::Key(key) => switch_key(world, &mut line, node, Tongue::Tencent, key, Switch::Off),
    }
}

fn use_it(world: &World, node: usize, thing: Thing) -> Result<Told> {
    let (pair, user, key) = match thing {
        Thing::AccessKey => (world.account.user_pair(OWN_USER), Some(OWN_USER), STEADY_KEY),
        Thing::Key(key) => (world.account.root(), None, key),
    };
    let mut line = Line::new(pair, world.clock);
    let project = world.account.project_id();
    let sent = encrypt(&mut line, &[world.nodes[node]], Tongue::Huawei, &project, &world.keys[key]);
    let sent = sent.context("nobody listens")?;
    world.record_use(&sent, user, key);
    Ok(sent.told)
}

/// First the leader is alone, then one that follows. Clients of etcd reach all members all the while.
pub(super) fn minority(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, _| {
        let leader = cluster.etcd.leader()?;
        for (member, what) in [(leader, "the leader"), ((leader + 1) % cluster.etcd.len(), "another one")] {
            part(&cluster.etcd, member, Rule::Silence)?;
            let parted = Instant::now();
            note(world, &format!("etcd-{}, {what}, is alone", member + 1));
            sleep(trouble);
            while !(0..cluster.len()).all(|node| cluster.is_ready(node)) {
                if parted.elapsed() > trouble + MOVED {
                    bail!("not every node serves with two members of three");
                }
                sleep(Duration::from_millis(50));
            }
            note(world, &format!("all nodes serve {:.2?} after", parted.elapsed()));
            part(&cluster.etcd, member, Rule::Pass)?;
            cluster.etcd.await_healthy()?;
            note(world, "healed");
        }
        Ok(())
    })
}

/// The rule of all links between one member and the others, both ways.
fn part(etcd: &Etcd, member: usize, rule: Rule) -> Result<()> {
    for other in (0..etcd.len()).filter(|other| *other != member) {
        etcd.door(member)?.set(other, rule);
        etcd.door(other)?.set(member, rule);
    }
    Ok(())
}

/// Every byte between nodes and etcd is late. That costs writers time, and users nothing.
pub(super) fn slow(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, _| {
        let begun = world.clock.read();
        for node in 0..cluster.len() {
            cluster.link(node, Rule::Delay(Duration::from_millis(25), Duration::from_millis(150)));
        }
        note(world, "a round trip to etcd takes 50 to 300 ms");
        sleep(trouble);
        let events = world.events();
        let slow = events.iter().filter(|event| event.start > begun && event.kind == Kind::Use);
        let unavailable = slow.filter(|event| event.told == Told::Unavailable).count();
        ensure!(unavailable == 0, "{unavailable} uses were refused for want of a lease");
        for node in 0..cluster.len() {
            cluster.link(node, Rule::Pass);
        }
        Ok(())
    })
}
