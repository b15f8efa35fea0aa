//! SIGTERM, one node after the other, with clients that go to the next node where one does not listen.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::line::Told;
use super::load::Clients;
use super::{Scene, note};

/// No request that was sent may go wrong.
pub(super) fn rolling(scene: &mut Scene) -> Result<()> {
    scene.under_load(Clients::GoOn, |cluster, world, _| {
        for node in 0..cluster.len() {
            cluster.stop(node)?;
            note(world, &format!("node {} ended", node + 1));
            sleep(Duration::from_millis(500));
            cluster.spawn(node)?;
            cluster.await_ready()?;
            note(world, &format!("node {} serves again", node + 1));
            sleep(Duration::from_millis(1500));
        }
        let failed: Vec<_> = world
            .events()
            .into_iter()
            .filter(|event| matches!(event.told, Told::Lost(_) | Told::Other(_) | Told::Unavailable))
            .collect();
        ensure!(failed.is_empty(), "{} requests failed, such as {:?}", failed.len(), failed.first());
        Ok(())
    })
}
