//! Configurations that must not start: each ends with a message, and etcd is as it was.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Scene;
use crate::cluster::{Cluster, Config};
use crate::etcd::{Etcd, Settings};
use crate::server::{Launch, free_address};

/// How long a refusal may take.
const REFUSED: Duration = Duration::from_secs(40);
/// The prefix that somebody else uses.
const FOREIGN: &str = "foreign/";

/// A start that must fail.
struct Wrong {
    name: &'static str,
    endpoints: Vec<SocketAddr>,
    root_key: PathBuf,
    prefix: Option<&'static str>,
    /// One of these words has to be in the message.
    says: &'static [&'static str],
}

pub(super) fn refused(scene: &mut Scene) -> Result<()> {
    let cluster = Cluster::start(&scene.etcd, scene.settings)?;
    for node in 0..cluster.len() {
        cluster.stop(node)?;
    }
    let folder = cluster.folder().join("other");
    fs::create_dir_all(&folder)?;
    let other = Etcd::start(&scene.etcd, &folder, 1, Settings::default())?;
    cluster.etcd.gateway(0).put(&format!("{FOREIGN}thing"), b"somebody else's")?;
    for wrong in wrong_starts(&cluster, &other)? {
        let before = (cluster.etcd.revision()?, other.revision()?);
        let said = start(&cluster, &wrong).with_context(|| wrong.name)?;
        let after = (cluster.etcd.revision()?, other.revision()?);
        ensure!(
            before == after,
            "{}: something was written: revisions {before:?}, then {after:?}",
            wrong.name
        );
        let said = said.to_lowercase();
        ensure!(
            wrong.says.iter().any(|word| said.contains(word)),
            "{}: does not say what it is: {said}",
            wrong.name
        );
        println!("    {}: {}", wrong.name, said.lines().last().unwrap_or_default().trim());
    }
    ensure!(other.gateway(0).count("")? == 0, "the other cluster is no longer empty");
    Ok(())
}

fn wrong_starts(cluster: &Cluster, other: &Etcd) -> Result<Vec<Wrong>> {
    let (right, root) = (cluster.etcd.clients(), cluster.folder().join("root.key"));
    let strange = cluster.folder().join("strange");
    // A server on a store of its own makes a root key of its own.
    Launch::dev(&strange, &[])?.start()?.0.stop()?;
    let strange = strange.join("root.key");
    let mixed = |ours: &[SocketAddr], theirs: Vec<SocketAddr>| [ours, &theirs].concat();
    let first = right.get(..2).context("a cluster has members")?;
    let wrong = |name, endpoints, says| Wrong { name, endpoints, root_key: root.clone(), prefix: None, says };
    Ok(vec![
        Wrong { root_key: strange, ..wrong("another root key", right.clone(), &["root key"]) },
        wrong("an endpoint where nobody listens", vec![free_address()?], &["endpoint", "reach", "connect"]),
        wrong("an endpoint that is not etcd", vec![cluster.etcd.door(0)?.address()], &["etcd"]),
        Wrong {
            prefix: Some(FOREIGN),
            ..wrong("a prefix that is somebody else's", right.clone(), &["prefix"])
        },
        wrong("endpoints of two clusters", mixed(first, other.clients()), &["cluster"]),
        wrong("endpoints of two clusters, the other first", [other.clients(), right].concat(), &["cluster"]),
    ])
}

/// Starts it and waits for its end; what it said.
fn start(cluster: &Cluster, wrong: &Wrong) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("wrong-").tempdir_in(cluster.folder())?;
    let (address, data) = (free_address()?, folder.path().join("data"));
    let settings = &cluster.settings;
    let config = Config { address, data: &data, name: "node-9", endpoints: &wrong.endpoints, settings };
    let mut toml = config.toml(&wrong.root_key)?;
    if let Some(prefix) = wrong.prefix {
        toml = toml.replace("engine = \"etcd\"", &format!("engine = \"etcd\"\nprefix = \"{prefix}\""));
    }
    let file = folder.path().join("node.toml");
    fs::write(&file, toml)?;
    let mut server = Launch::serve(address, &data, &file)?.spawn()?;
    let status = server.await_end(REFUSED)?;
    ensure!(!status.success(), "it ended with success");
    Ok(server.log_tail())
}
