//! etcd's quota: full, and then made room in.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::line::{Line, Told, Tongue};
use super::load::{Clients, Kind, OWN_KEYS, Switch, World, switch_key};
use super::{Scene, note};
use crate::cluster::Cluster;

/// The size at which etcd takes nothing more.
const QUOTA_BYTES: u64 = 12 * 1024 * 1024;
/// What it is filled with, beside our prefix.
const PREFIX: &str = "filler/";
const VALUE_BYTES: usize = 512 * 1024;
/// How long writes may take to work again.
const AGAIN: Duration = Duration::from_secs(15);

/// Writes are refused retryably, uses go on, the status says why; and all is well once there is room.
pub(super) fn alarm(scene: &mut Scene) -> Result<()> {
    scene.settings.etcd.quota_bytes = Some(QUOTA_BYTES);
    let trouble = scene.trouble;
    scene.under_load(Clients::Stay, |cluster, world, _| {
        let puts = fill(cluster)?;
        // A write that was under way may still be answered.
        sleep(Duration::from_millis(300));
        let full = world.clock.read();
        note(world, &format!("etcd is full after {puts} puts of {} KiB", VALUE_BYTES / 1024));
        sleep(trouble);
        refused_rightly(world, full)?;
        let status = cluster.status(0, &["--json"])?;
        ensure!(status.contains("NOSPACE"), "the status says nothing of NOSPACE: {status}");
        note(world, "cluster status says NOSPACE");
        make_room(cluster)?;
        let made = Instant::now();
        let mut line = Line::new(world.account.root(), world.clock);
        while switch_key(world, &mut line, 0, Tongue::Tencent, OWN_KEYS.start, Switch::Off)
            != Some(Told::Done)
        {
            if made.elapsed() > AGAIN {
                bail!("no write works {AGAIN:?} after room was made");
            }
            sleep(Duration::from_millis(100));
        }
        note(world, &format!("writes work again {:.2?} after room was made", made.elapsed()));
        Ok(())
    })
}

/// Puts until it is refused; how many went.
fn fill(cluster: &Cluster) -> Result<usize> {
    let value = vec![b'x'; VALUE_BYTES];
    for count in 0..1000 {
        if let Err(error) = cluster.etcd.gateway(0).put(&format!("{PREFIX}{count}"), &value) {
            ensure!(format!("{error:#}").contains("space exceeded"), "{error:#}");
            return Ok(count);
        }
    }
    bail!("a quota of {QUOTA_BYTES} bytes took 1000 puts")
}

fn refused_rightly(world: &World, full: Duration) -> Result<()> {
    let events = world.events();
    let since = |kind| events.iter().filter(move |event| event.start > full && event.kind == kind);
    let mut refused = 0;
    for event in since(Kind::Write) {
        // Asking for the state that a thing has already needs no room.
        ensure!(
            matches!(event.told, Told::Unavailable | Told::Done | Told::KeyOff),
            "a write was told {:?} where there was no space",
            event.told
        );
        refused += usize::from(event.told == Told::Unavailable);
    }
    ensure!(refused > 0, "no write was refused");
    let unserved = since(Kind::Use).filter(|event| matches!(event.told, Told::Unavailable | Told::Lost(_)));
    let (unserved, uses) = (unserved.count(), since(Kind::Use).count());
    ensure!(unserved == 0 && uses > 0, "{unserved} of {uses} uses went wrong");
    note(world, &format!("{refused} writes refused retryably, {uses} uses served"));
    Ok(())
}

/// What `docs/operations.md` says to do: forget history, give the pages back, end the alarm.
fn make_room(cluster: &Cluster) -> Result<()> {
    cluster.etcd.gateway(0).delete(PREFIX)?;
    cluster.etcd.compact()?;
    for member in 0..cluster.etcd.len() {
        cluster.etcd.gateway(member).defragment()?;
    }
    cluster.etcd.gateway(0).disarm()
}
