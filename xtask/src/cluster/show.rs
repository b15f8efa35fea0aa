//! `cargo xtask cluster`: a cluster to look at and play with.

use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use super::{Cluster, Settings};
use crate::caller::{Caller, text};
use crate::etcd::{Settings as EtcdSettings, obtain};
use crate::process::binary;
use crate::proxy::Links;

/// How many of each, and when to end.
#[derive(Args)]
pub struct Options {
    /// End after showing that it works, instead of waiting for Ctrl-C.
    #[arg(long)]
    check: bool,
    /// Members of etcd.
    #[arg(long, default_value_t = 3)]
    members: usize,
    /// Nodes of Claviger.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
}

impl Options {
    /// Three of each, shown to work and ended.
    pub const CHECK: Self = Self { check: true, members: 3, nodes: 3 };
}

/// Starts it, shows it, and waits.
pub fn run(options: &Options) -> Result<()> {
    let etcd = obtain()?;
    println!("etcd {} ({})", etcd.version, etcd.path.display());
    let Options { members, nodes, .. } = *options;
    let settings = Settings {
        members,
        nodes,
        links: Links::Direct,
        etcd: EtcdSettings { peers: Links::Direct, ..EtcdSettings::default() },
        ..Settings::default()
    };
    let cluster = Cluster::start(&etcd, settings)?;
    println!("{members} members of etcd and {nodes} nodes of Claviger in {}\n", cluster.folder().display());
    print_places(&cluster);
    print_commands(&cluster, &binary()?)?;
    prove(&cluster)?;
    println!("\n$ claviger cluster status\n{}", cluster.status(0, &[])?);
    if options.check {
        return Ok(());
    }
    println!("Ctrl-C ends it, and nothing of it stays.");
    // The nodes and members get the signal too, and end in order.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c()).context("signals cannot be listened for")
}

fn print_places(cluster: &Cluster) {
    for (number, address) in cluster.etcd.clients().iter().enumerate() {
        println!("  etcd-{}   http://{address}", number + 1);
    }
    for node in 0..cluster.len() {
        println!(
            "  node-{}   http://{}   {}",
            node + 1,
            cluster.address(node),
            cluster.config(node).display()
        );
    }
    let root = cluster.account.root();
    println!("\n  account  uin {}, project {}", cluster.account.uin(), cluster.account.project_id());
    println!("  root     {} {}", root.id, root.secret);
    for user in 0..cluster.settings.users {
        let pair = cluster.account.user_pair(user);
        println!("  user {user}   {} {}   (uses keys)", pair.id, pair.secret);
    }
}

fn print_commands(cluster: &Cluster, binary: &Path) -> Result<()> {
    let root = cluster.account.root();
    let (first, last) = (cluster.address(0), cluster.address(cluster.len() - 1));
    println!("\n# tccli (pip install tccli): make a key on one node, use it on another");
    println!("export TENCENTCLOUD_SECRET_ID={} TENCENTCLOUD_SECRET_KEY={}", root.id, root.secret);
    println!("export TENCENTCLOUD_REGION=ap-guangzhou");
    println!("tccli kms CreateKey --Alias hello --endpoint http://{first}");
    println!("tccli kms ListKeyDetail --endpoint http://{last}");
    println!("\n# The cluster as a node sees it; its whole store as a file");
    let (binary, config) = (binary.display(), cluster.config(0).display());
    println!("{binary} cluster status --config {config}");
    let dump = cluster.folder().join("cluster.dump");
    println!("{binary} dump --config {config} --out {}", dump.display());
    let client = cluster.etcd.clients();
    let client = client.first().context("a cluster has members")?;
    println!("\n# What it keeps in etcd (etcdctl is in the package etcd-client)");
    println!("ETCDCTL_API=3 etcdctl --endpoints=http://{client} get --prefix --keys-only claviger/\n");
    Ok(())
}

/// A key is made on the first node, used on the second, disabled on the third, and then refused on all.
fn prove(cluster: &Cluster) -> Result<()> {
    let caller =
        |node: usize| Caller::connect(cluster.address(node % cluster.len()), &cluster.account.root());
    let made = caller(0)?.tencent("kms", "CreateKey", &json!({"Alias": "shown"}))?.done()?;
    let key = text(&made, "/KeyId")?;
    println!("CreateKey on node 1: {key}");
    let body = json!({"KeyId": key, "Plaintext": STANDARD.encode("seen by all")});
    let sealed = caller(1)?.tencent("kms", "Encrypt", &body)?.done().context("Encrypt on node 2")?;
    println!("Encrypt on node 2: {:.40}...", text(&sealed, "/CiphertextBlob")?);
    caller(2)?
        .tencent("kms", "DisableKey", &json!({"KeyId": key}))?
        .done()
        .context("DisableKey on node 3")?;
    println!("DisableKey on node 3: done");
    for node in 0..cluster.len() {
        let refused = caller(node)?.tencent("kms", "Encrypt", &body)?;
        refused.refused("ResourceUnavailable.CmkDisabled").with_context(|| format!("node {}", node + 1))?;
        println!("Encrypt on node {}: refused, ResourceUnavailable.CmkDisabled", node + 1);
    }
    Ok(())
}
