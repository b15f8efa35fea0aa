//! SIGTERM, one node after the other, with clients that go to the next node where one does not listen.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::line::Told;
use super::load::{Clients, World};
use super::{Scene, note};
use crate::cluster::Cluster;
use crate::release::Release;

/// How long the others are alone, and how long all are together.
const ALONE: Duration = Duration::from_millis(500);
const TOGETHER: Duration = Duration::from_millis(1500);

/// No request that was sent may go wrong.
pub(super) fn rolling(scene: &mut Scene) -> Result<()> {
    scene.under_load(Clients::GoOn, |cluster, world, _| in_turn(cluster, world, Cluster::spawn))
}

/// The same where each comes back as another release than it was. Meanwhile nodes of both work together.
pub(super) fn upgrade(scene: &mut Scene) -> Result<()> {
    scene.settings.release = Release::Former;
    scene.under_load(Clients::GoOn, |cluster, world, _| in_turn(cluster, world, Cluster::upgrade))
}

fn in_turn(cluster: &Cluster, world: &World, start: fn(&Cluster, usize) -> Result<()>) -> Result<()> {
    for node in 0..cluster.len() {
        cluster.stop(node)?;
        note(world, &format!("node {} ended", node + 1));
        sleep(ALONE);
        start(cluster, node)?;
        cluster.await_ready()?;
        note(world, &format!("node {} serves again", node + 1));
        sleep(TOGETHER);
    }
    let failed: Vec<_> = world
        .events()
        .into_iter()
        .filter(|event| matches!(event.told, Told::Lost(_) | Told::Other(_) | Told::Unavailable))
        .collect();
    ensure!(failed.is_empty(), "{} requests failed, such as {:?}", failed.len(), failed.first());
    Ok(())
}
