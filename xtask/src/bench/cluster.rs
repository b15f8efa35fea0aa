//! Several nodes over etcd: against the embedded engine, against etcd by itself, and what revocation costs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::load::{Load, Measured};
use super::report::{figures, ratio};
use super::store::{self, Store};
use super::workload::Workload;
use super::{FEW_KEYS, Options, WRITE_KEYS};
use crate::etcd::{Binary, Etcd, Settings, obtain};
use crate::process::{command, succeed, target};
use crate::proxy::Links;
use crate::server::{Launch, Server, free_address, text};

mod failover;
mod revocation;

/// Members of etcd, and nodes where there are several.
const MEMBERS: usize = 3;
const NODES: usize = 3;

/// Runs the measurements; the tables.
pub fn run(options: &Options, folder: &Path) -> Result<String> {
    let binary = obtain()?;
    let build = ["build", "--release", "-p", "claviger-store-etcd", "--example", "bare_transactions"];
    succeed(&mut command("cargo", build))?;
    let mut table = format!(
        "\nOver {}, {MEMBERS} members, all on this machine.\n\n\
         | over etcd | /s | p50 | p99 | compared with | /s | p50 | p99 | ratio |\n|---|---|---|---|---|---|---|---|---|\n",
        binary.version
    );
    data_plane(options, &folder.join("etcd-data-plane"), &binary, &mut table)?;
    for nodes in [1, NODES] {
        durable_writes(options, &folder.join(format!("etcd-writes-{nodes}")), &binary, nodes, &mut table)?;
    }
    table.push('\n');
    revocation::measure(&folder.join("etcd-revocation"), &binary, &mut table)?;
    failover::measure(options.rounds.min(3), &folder.join("etcd-failover"), &binary, &mut table)?;
    Ok(table)
}

/// Nodes on an etcd of their own, seeded with that many keys.
struct Nodes {
    etcd: Etcd,
    servers: Vec<Server>,
}

impl Nodes {
    fn start(folder: &Path, binary: &Binary, nodes: usize, keys: u32) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let settings = Settings { peers: Links::Direct, ..Settings::default() };
        let etcd = Etcd::start(binary, folder, MEMBERS, settings)?;
        let seed = folder.join("seed.toml");
        std::fs::write(&seed, store::seed(keys, 0))?;
        let mut servers = Vec::new();
        for number in 0..nodes {
            let seed = (number == 0).then_some(seed.as_path());
            servers.push(serve(folder, &format!("node-{number}"), Some(&etcd), seed)?);
        }
        Ok(Self { etcd, servers })
    }

    fn address(&self, node: usize) -> SocketAddr {
        self.servers[node].address()
    }
}

/// One node; on an engine of its own without `etcd`.
fn serve(folder: &Path, name: &str, etcd: Option<&Etcd>, seed: Option<&Path>) -> Result<Server> {
    std::fs::create_dir_all(folder)?;
    let (address, data, root) = (free_address()?, folder.join(name), folder.join("root.key"));
    let mut config = store::configuration(address, text(&data)?, text(&root)?);
    if let Some(etcd) = etcd {
        write!(config, "\n[store]\nengine = \"etcd\"\nendpoints = {:?}\n", urls(etcd))?;
    }
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, config)?;
    let mut launch = Launch::serve(address, &data, &file)?;
    if let Some(seed) = seed {
        launch.arguments.extend(["--seed".into(), text(seed)?.into()]);
    }
    let (server, _) = launch.start()?;
    Ok(server)
}

fn urls(etcd: &Etcd) -> Vec<String> {
    etcd.clients().into_iter().map(|client| format!("http://{client}")).collect()
}

/// Signed encryption on a node over etcd, and on the same node with the embedded engine.
fn data_plane(options: &Options, folder: &Path, binary: &Binary, table: &mut String) -> Result<()> {
    let nodes = Nodes::start(folder, binary, 1, FEW_KEYS)?;
    let alone = folder.join("embedded");
    let embedded = serve(&alone, "node", None, Some(&folder.join("seed.toml")))?;
    let keys = Store::some_keys(embedded.address(), FEW_KEYS)?;
    let clustered = Load::new(options, Workload::TencentEncrypt, nodes.address(0), &keys);
    let embedded = Load::new(options, Workload::TencentEncrypt, embedded.address(), &keys);
    let (mut over, mut under) = (Vec::new(), Vec::new());
    clustered.run()?;
    embedded.run()?;
    for _ in 0..options.rounds {
        over.push(clustered.run()?);
        under.push(embedded.run()?);
    }
    row(table, "Tencent Encrypt", &over, "the same, embedded engine", &under)
}

/// Acknowledged writes through one node, with others to be told, against etcd's own transactions of the same shape.
fn durable_writes(
    options: &Options,
    folder: &Path,
    binary: &Binary,
    nodes: usize,
    table: &mut String,
) -> Result<()> {
    let cluster = Nodes::start(folder, binary, nodes, WRITE_KEYS)?;
    let keys = Store::some_keys(cluster.address(0), WRITE_KEYS)?;
    let (mut bare, mut binds, mut tags) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        bare.push(bare_transactions(&cluster.etcd, options.connections, options.seconds)?.measured());
        for (workload, measured) in [(Workload::Bind, &mut binds), (Workload::Tag, &mut tags)] {
            let load = Load::new(options, workload, cluster.address(0), &keys).in_round(round);
            measured.push(load.run()?);
        }
    }
    let of = if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
    for (workload, measured) in [(Workload::Bind, &binds), (Workload::Tag, &tags)] {
        row(table, &format!("{}, {of}", workload.title()), measured, "bare etcd transactions", &bare)?;
    }
    Ok(())
}

fn row(table: &mut String, title: &str, over: &[Measured], other: &str, under: &[Measured]) -> Result<()> {
    let (here, there, percent) = (figures(over), figures(under), 100.0 * ratio(over, under));
    writeln!(table, "| {title} | {here} | {other} | {there} | {percent:.0} % |")?;
    Ok(())
}

/// What the bare loop prints.
#[derive(serde::Deserialize)]
struct Bare {
    per_second: f64,
    p50_micros: u32,
    p99_micros: u32,
    failures: u64,
    gap_millis: u64,
}

impl Bare {
    fn measured(&self) -> Measured {
        let Self { per_second, p50_micros, p99_micros, failures, .. } = *self;
        Measured { per_second, p50_micros, p99_micros, failures }
    }
}

fn bare_transactions(etcd: &Etcd, loops: usize, seconds: f64) -> Result<Bare> {
    let output = bare_command(etcd, loops, seconds).output().context("cannot start the bare loop")?;
    ensure!(output.status.success(), "the bare loop ended with {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn bare_command(etcd: &Etcd, loops: usize, seconds: f64) -> Command {
    let program: PathBuf = target().join("release/examples/bare_transactions");
    command(program, [urls(etcd).join(","), loops.to_string(), seconds.to_string()])
}
