//! SIGKILL: of etcd's leader, of a node, of everything.

use std::thread::sleep;

use anyhow::{Context as _, Result};

use super::load::Clients;
use super::{Scene, note};

/// The leader dies, and comes back after a while.
pub(super) fn leader(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, _| {
        let leader = cluster.etcd.leader()?;
        cluster.etcd.kill(leader)?;
        note(world, &format!("killed etcd-{}, the leader", leader + 1));
        let next = cluster.etcd.leader()?;
        note(world, &format!("etcd-{} leads", next + 1));
        sleep(trouble);
        cluster.etcd.start_member(leader)?;
        cluster.etcd.await_healthy()?;
        note(world, &format!("etcd-{} is back", leader + 1));
        Ok(())
    })
}

/// A node dies, and comes back after a while; then another, which comes back at once.
pub(super) fn node(scene: &mut Scene) -> Result<()> {
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, chance| {
        let first = chance.below(cluster.len());
        let pauses = [(first, trouble), ((first + 1) % cluster.len(), std::time::Duration::ZERO)];
        for (node, pause) in pauses {
            cluster.kill(node)?;
            note(world, &format!("killed node {}", node + 1));
            sleep(pause);
            cluster.spawn(node)?;
            cluster.await_ready()?;
            note(world, &format!("node {} serves again", node + 1));
        }
        Ok(())
    })
}

/// Everything dies at once, the clients stay, and everything is started.
pub(super) fn all(scene: &mut Scene) -> Result<()> {
    scene.under_load(Clients::Stay, |cluster, world, _| {
        for round in 0..2 {
            for node in 0..cluster.len() {
                cluster.kill(node)?;
            }
            for member in 0..cluster.etcd.len() {
                cluster.etcd.kill(member)?;
            }
            note(world, "killed every node and every member");
            for member in 0..cluster.etcd.len() {
                cluster.etcd.start_member(member)?;
            }
            cluster.etcd.await_healthy()?;
            for node in 0..cluster.len() {
                cluster.spawn(node)?;
            }
            cluster.await_ready().with_context(|| format!("round {}", round + 1))?;
            note(world, "all of them serve again");
            sleep(super::AROUND);
        }
        Ok(())
    })
}
