//! An etcd cluster on loopback, made of real processes that can be killed, stopped, cut off and brought back.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::proxy::{Dialers, Links, Proxy};
use crate::server::{free_address, text};
use crate::signal::{Signal, send};

mod gateway;
mod obtain;

pub use gateway::Gateway;
pub use obtain::{Binary, obtain};

/// How long a cluster may take to elect a leader and answer.
const HEALTHY: Duration = Duration::from_secs(30);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(20);

/// What differs from etcd's defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The size at which a member refuses to grow and raises its alarm.
    pub quota_bytes: Option<u64>,
    /// How the members reach each other.
    pub peers: Links,
}

/// A cluster. Its members die with it.
pub struct Etcd {
    binary: Binary,
    settings: Settings,
    members: Vec<Member>,
    /// Who is who among those that dial a peer's port.
    dialers: Arc<Dialers>,
}

struct Member {
    name: String,
    data: PathBuf,
    client: SocketAddr,
    /// Where it listens for the others.
    peer: SocketAddr,
    /// What the others reach it through; nothing where links are direct.
    door: Option<Proxy>,
    child: Mutex<Option<Child>>,
}

impl Etcd {
    /// Starts that many members below `folder` and waits until they have a leader.
    pub fn start(binary: &Binary, folder: &Path, members: usize, settings: Settings) -> Result<Self> {
        let dialers = Arc::new(Dialers::new(members));
        let members = (0..members).map(|number| {
            let peer = free_address()?;
            let name = format!("etcd-{}", number + 1);
            let data = folder.join(&name);
            let door = match settings.peers {
                Links::Direct => None,
                Links::Proxied => Some(Proxy::with_dialers(peer, &dialers)?),
            };
            Ok(Member { name, data, client: free_address()?, peer, door, child: Mutex::new(None) })
        });
        let members = members.collect::<Result<_>>()?;
        let cluster = Self { binary: binary.clone(), settings, members, dialers };
        for number in 0..cluster.members.len() {
            cluster.start_member(number)?;
        }
        cluster.await_healthy()?;
        Ok(cluster)
    }

    /// Every member's client port.
    pub fn clients(&self) -> Vec<SocketAddr> {
        self.members.iter().map(|member| member.client).collect()
    }

    /// One member's client port, to ask it something.
    pub fn gateway(&self, member: usize) -> Gateway {
        Gateway::new(self.members[member].client)
    }

    /// Where the others reach that member; the rules of its links are changed there.
    pub fn door(&self, member: usize) -> Result<&Proxy> {
        self.members[member].door.as_ref().context("the members of this cluster reach each other directly")
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Starts one that is not running, on the data it has.
    pub fn start_member(&self, number: usize) -> Result<()> {
        let member = &self.members[number];
        let log = File::options().create(true).append(true).open(member.data.with_extension("log"))?;
        let child = Command::new(&self.binary.path)
            .args(self.arguments(member)?)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.path.display()))?;
        self.dialers.set(number, child.id());
        *member.child.lock().expect("nobody panics holding it") = Some(child);
        Ok(())
    }

    fn arguments(&self, member: &Member) -> Result<Vec<String>> {
        let client = format!("http://{}", member.client);
        let door = format!("http://{}", member.address());
        let all: Vec<String> =
            self.members.iter().map(|one| format!("{}=http://{}", one.name, one.address())).collect();
        let mut arguments = vec![
            format!("--name={}", member.name),
            format!("--data-dir={}", text(&member.data)?),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls=http://{}", member.peer),
            format!("--initial-advertise-peer-urls={door}"),
            format!("--initial-cluster={}", all.join(",")),
            "--initial-cluster-state=new".into(),
            // The addresses make the token unique: a member can never join another run's cluster.
            format!("--initial-cluster-token={}", all.join("-")),
            "--logger=zap".into(),
            "--log-outputs=stderr".into(),
        ];
        arguments.extend(self.settings.quota_bytes.map(|bytes| format!("--quota-backend-bytes={bytes}")));
        Ok(arguments)
    }

    /// Waits until every member answers and all name one leader.
    pub fn await_healthy(&self) -> Result<()> {
        let deadline = Instant::now() + HEALTHY;
        loop {
            let statuses: Vec<_> = (0..self.len()).map(|member| self.gateway(member).status()).collect();
            let leaders: Vec<_> = statuses
                .iter()
                .map(|status| status.as_ref().ok().and_then(|status| status.leader.clone()))
                .collect();
            if let Some(Some(leader)) = leaders.first()
                && leaders.iter().all(|other| other.as_ref() == Some(leader))
            {
                return Ok(());
            }
            self.ensure_alive()?;
            if Instant::now() > deadline {
                bail!("etcd was not healthy after {} s: {statuses:?}", HEALTHY.as_secs());
            }
            sleep(POLL);
        }
    }

    fn ensure_alive(&self) -> Result<()> {
        for member in &self.members {
            if let Some(child) = member.child.lock().expect("nobody panics holding it").as_mut()
                && let Some(status) = child.try_wait()?
            {
                let log = fs::read_to_string(member.data.with_extension("log")).unwrap_or_default();
                let lines: Vec<&str> = log.lines().rev().take(10).collect();
                bail!("{} ended with {status}: {}", member.name, lines.join("\n"));
            }
        }
        Ok(())
    }

    /// Which member leads, by a majority's word.
    pub fn leader(&self) -> Result<usize> {
        let deadline = Instant::now() + HEALTHY;
        while Instant::now() < deadline {
            let statuses: Vec<_> = (0..self.len()).map(|member| self.gateway(member).status().ok()).collect();
            for (number, status) in statuses.iter().enumerate() {
                let Some(status) = status else { continue };
                let votes =
                    statuses.iter().flatten().filter(|other| other.leader.as_ref() == Some(&status.member));
                if votes.count() * 2 > self.len() {
                    return Ok(number);
                }
            }
            sleep(POLL);
        }
        bail!("etcd has no leader after {} s", HEALTHY.as_secs())
    }

    /// SIGKILL.
    pub fn kill(&self, member: usize) -> Result<()> {
        let child = self.members[member].child.lock().expect("nobody panics holding it").take();
        let mut child = child.with_context(|| format!("{} is not running", self.members[member].name))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// SIGSTOP, SIGCONT and the like.
    pub fn signal(&self, member: usize, signal: Signal) -> Result<()> {
        let child = self.members[member].child.lock().expect("nobody panics holding it");
        let child =
            child.as_ref().with_context(|| format!("{} is not running", self.members[member].name))?;
        send(child.id(), signal)
    }

    /// The revision that the cluster is at.
    pub fn revision(&self) -> Result<i64> {
        let revisions = (0..self.len()).filter_map(|member| self.gateway(member).status().ok());
        revisions.map(|status| status.revision).max().context("no member answers")
    }

    /// Forgets history up to now on every member.
    pub fn compact(&self) -> Result<i64> {
        let revision = self.revision()?;
        ensure!(revision > 1, "there is nothing to compact");
        let mut last = None;
        for member in 0..self.len() {
            match self.gateway(member).compact(revision) {
                Ok(()) => return Ok(revision),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a cluster has members"))
    }
}

impl Member {
    /// Where the others reach it.
    fn address(&self) -> SocketAddr {
        self.door.as_ref().map_or(self.peer, Proxy::address)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for member in &self.members {
            if let Some(mut child) = member.child.lock().expect("nobody panics holding it").take() {
                // One that is gone already is what is wanted.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
