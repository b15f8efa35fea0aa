//! Claviger nodes over one etcd cluster, all on loopback, each link of theirs with a proxy in it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::account::{Account, Users};
use crate::etcd::{self, Binary, Etcd};
use crate::process::{binary, command, target};
use crate::proxy::{Links, Proxy, Rule};
use crate::release::Release;
use crate::server::{Launch, Server, free_address, ready, text};
use crate::signal::{Signal, send};

mod show;

pub use show::{Options, run};

/// How long a node may take until it serves.
pub const READY: Duration = Duration::from_secs(30);

/// What a cluster consists of.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub members: usize,
    pub nodes: usize,
    /// Users of the one account.
    pub users: usize,
    pub etcd: etcd::Settings,
    /// How long a node may serve after it last heard from etcd.
    pub lease_seconds: f64,
    /// How the nodes reach etcd.
    pub links: Links,
    /// What the nodes are at first.
    pub release: Release,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            members: 3,
            nodes: 3,
            users: 3,
            etcd: etcd::Settings::default(),
            lease_seconds: 2.0,
            links: Links::Proxied,
            release: Release::default(),
        }
    }
}

/// A running cluster; its processes die with it.
pub struct Cluster {
    pub account: Account,
    pub settings: Settings,
    nodes: Vec<Node>,
    pub etcd: Arc<Etcd>,
    folder: TempDir,
}

/// One node and its links, which stay when it is restarted.
struct Node {
    address: SocketAddr,
    config: PathBuf,
    launch: Launch,
    /// One for each member of etcd; none where they are direct.
    links: Vec<Proxy>,
    server: Mutex<Option<Server>>,
}

impl Cluster {
    /// Starts etcd and the nodes and waits until all of them serve.
    pub fn start(etcd: &Binary, settings: Settings) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("cluster-").tempdir_in(target())?;
        let etcd = Arc::new(Etcd::start(etcd, folder.path(), settings.members, settings.etcd)?);
        let account = Account::new(1, settings.users, Users::KeyUsers);
        let nodes = (0..settings.nodes).map(|number| Node::new(number, folder.path(), &etcd, &settings));
        let nodes = nodes.collect::<Result<_>>()?;
        let cluster = Self { account, settings, nodes, etcd, folder };
        cluster.seed()?;
        for node in 1..cluster.nodes.len() {
            cluster.spawn(node)?;
        }
        cluster.await_ready()?;
        Ok(cluster)
    }

    /// The first node makes the account.
    fn seed(&self) -> Result<()> {
        let file = self.folder.path().join("seed.toml");
        fs::write(&file, self.account.toml())?;
        let node = self.nodes.first().context("a cluster has nodes")?;
        let mut launch = node.launch.clone();
        launch.arguments.extend(["--seed".into(), text(&file)?.into()]);
        let mut server = launch.spawn()?;
        server.await_ready_within(READY).context("node 1")?;
        *node.server() = Some(server);
        Ok(())
    }

    /// Copies the logs of all its processes to a folder, in place of what is there.
    pub fn keep_logs(&self, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(self.folder())? {
            let file = entry?.path();
            if let (Some("log"), Some(name)) = (file.extension().and_then(OsStr::to_str), file.file_name()) {
                fs::copy(&file, to.join(name))?;
            }
        }
        Ok(())
    }

    /// Where everything of this cluster is kept.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].address
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    pub fn config(&self, node: usize) -> &Path {
        &self.nodes[node].config
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Starts one that is not running, without waiting.
    pub fn spawn(&self, node: usize) -> Result<()> {
        let mut server = self.nodes[node].server();
        ensure!(server.is_none(), "node {} runs already", node + 1);
        *server = Some(self.nodes[node].launch.spawn()?);
        Ok(())
    }

    /// Starts one that is not running as the present release, without waiting.
    pub fn upgrade(&self, node: usize) -> Result<()> {
        let mut server = self.nodes[node].server();
        ensure!(server.is_none(), "node {} runs already", node + 1);
        let launch = Launch { program: Release::Present.binary()?, ..self.nodes[node].launch.clone() };
        *server = Some(launch.spawn()?);
        Ok(())
    }

    /// Waits until every node that was started serves.
    pub fn await_ready(&self) -> Result<()> {
        for (number, node) in self.nodes.iter().enumerate() {
            if let Some(server) = node.server().as_mut() {
                server.await_ready_within(READY).with_context(|| format!("node {}", number + 1))?;
            }
        }
        Ok(())
    }

    /// Whether that node says that it may serve.
    pub fn is_ready(&self, node: usize) -> bool {
        ready(self.nodes[node].address)
    }

    /// SIGKILL.
    pub fn kill(&self, node: usize) -> Result<()> {
        self.nodes[node].server().take().with_context(|| format!("node {} is not running", node + 1))?.kill()
    }

    /// SIGTERM, and its end in order.
    pub fn stop(&self, node: usize) -> Result<()> {
        let server = self.nodes[node].server().take();
        let mut server = server.with_context(|| format!("node {} is not running", node + 1))?;
        let status = server.stop()?;
        ensure!(status.success(), "node {} ended with {status}: {}", node + 1, server.log_tail());
        Ok(())
    }

    pub fn signal(&self, node: usize, signal: Signal) -> Result<()> {
        let server = self.nodes[node].server();
        let server = server.as_ref().with_context(|| format!("node {} is not running", node + 1))?;
        send(server.process(), signal)
    }

    /// The rule of all links between one node and etcd.
    pub fn link(&self, node: usize, rule: Rule) {
        for link in &self.nodes[node].links {
            link.set(0, rule);
        }
    }

    /// What `claviger cluster status` prints, with these arguments more. It ends with an error where something needs attention.
    pub fn status(&self, node: usize, more: &[&str]) -> Result<String> {
        let mut command = command(binary()?, ["cluster", "status", "--config"]);
        let output = command.arg(self.config(node)).args(more).output()?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(!out.is_empty(), "cluster status: {}: {err}", output.status);
        Ok(out.into_owned())
    }
}

impl Node {
    fn new(number: usize, folder: &Path, etcd: &Etcd, settings: &Settings) -> Result<Self> {
        let links = match settings.links {
            Links::Direct => Vec::new(),
            Links::Proxied => etcd.clients().into_iter().map(Proxy::new).collect::<Result<Vec<_>>>()?,
        };
        let endpoints = match settings.links {
            Links::Direct => etcd.clients(),
            Links::Proxied => links.iter().map(Proxy::address).collect(),
        };
        let name = format!("node-{}", number + 1);
        let (address, data) = (free_address()?, folder.join(&name));
        let written = Config { address, data: &data, name: &name, endpoints: &endpoints, settings };
        let config = folder.join(format!("{name}.toml"));
        fs::write(&config, written.toml(&folder.join("root.key"))?)?;
        let mut launch = Launch::serve(address, &data, &config)?;
        launch.program = settings.release.binary()?;
        Ok(Self { address, config, launch, links, server: Mutex::default() })
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().expect("nobody panics holding it")
    }
}

/// A node's configuration, before it is a file.
pub struct Config<'a> {
    pub address: SocketAddr,
    pub data: &'a Path,
    pub name: &'a str,
    pub endpoints: &'a [SocketAddr],
    pub settings: &'a Settings,
}

impl Config<'_> {
    pub fn toml(&self, root_key: &Path) -> Result<String> {
        let endpoints = self.endpoints.iter().fold(String::new(), |mut list, endpoint| {
            write!(list, "\"http://{endpoint}\", ").expect("writing to a String cannot fail");
            list
        });
        Ok(format!(
            "[[listener]]\naddress = \"{address}\"\n\n[data]\nfolder = \"{data}\"\n\n[root_key]\nfile = \"{root}\"\n\n\
             [store]\nengine = \"etcd\"\nendpoints = [{endpoints}]\nnode = \"{name}\"\nlease_seconds = {lease:?}\n\n\
             [quota]\nkeys_per_region = 1_000_000\n\n[rates]\nenabled = false\n",
            address = self.address,
            data = text(self.data)?,
            root = text(root_key)?,
            endpoints = endpoints.trim_end_matches(", "),
            name = self.name,
            lease = self.settings.lease_seconds,
        ))
    }
}
