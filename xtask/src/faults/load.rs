//! Clients of every kind on every node, and the record of all they did and were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

use super::line::{Ask, Line, Sent, Told};
use crate::account::Account;
use crate::caller::text;
use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::history::{Act, OFF, ON, Object, Op, Stopwatch};
use crate::server;

mod births;
mod switches;
mod tags;
mod uses;

pub use switches::{Switch, switch_access_key, switch_key};
pub use tags::read_once;

/// Keys that the load switches on and off.
pub const SWITCHED_KEYS: usize = 3;
/// The key that is always enabled and carries the tags.
pub const STEADY_KEY: usize = 3;
/// Keys for a scenario's own use; the load leaves them alone.
pub const OWN_KEYS: std::ops::Range<usize> = 4..8;
/// Users whose access keys the load switches.
pub const SWITCHED_USERS: usize = 2;
/// The user for a scenario's own use.
pub const OWN_USER: usize = 2;
/// Tags of the steady key, each with its writer.
pub const TAGS: usize = 2;
/// Pause between two looks at whether a node is ready.
const LOOK: Duration = Duration::from_millis(500);
/// How long a client waits after it found nobody or was told to try again.
const PATIENCE: Duration = Duration::from_millis(60);

/// What a client does when nobody listens at its node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clients {
    /// Goes to the next node, and away from one that says it is not ready, as behind a load balancer.
    GoOn,
    /// Waits for it.
    Stay,
}

/// Whether a request was to change something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Use,
    Write,
}

/// One answered or unanswered request.
#[derive(Clone, Debug)]
pub struct Event {
    pub node: usize,
    pub kind: Kind,
    pub told: Told,
    pub start: Duration,
    pub end: Duration,
}

/// What all clients share.
pub struct World {
    pub account: Account,
    pub clock: Stopwatch,
    pub nodes: Vec<SocketAddr>,
    /// By number: [`SWITCHED_KEYS`], [`STEADY_KEY`], [`OWN_KEYS`].
    pub keys: Vec<String>,
    clients: Clients,
    /// Nodes that were ready when they were last asked.
    ready: Vec<AtomicBool>,
    /// When the clients were told to end.
    over: OnceLock<Duration>,
    events: Mutex<Vec<Event>>,
    ops: Mutex<Vec<Op>>,
    /// Ids of keys whose making was acknowledged.
    born: Mutex<Vec<String>>,
}

/// The running load.
pub struct Load {
    pub world: Arc<World>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Makes the keys, then starts every client.
    pub fn start(cluster: &Cluster, clients: Clients, chance: &mut Chance) -> Result<Self> {
        let world = Arc::new(World::new(cluster, clients)?);
        let mut threads = Vec::new();
        let mut client = |run: fn(&World, usize, &mut Chance), count: usize| {
            for number in 0..count {
                let (world, mut chance) = (Arc::clone(&world), Chance::new(chance.next()));
                threads.push(spawn(move || run(&world, number, &mut chance)));
            }
        };
        client(uses::run, 2 * world.nodes.len());
        // One more than there are keys: the first key has two who do not ask each other.
        client(switches::keys, SWITCHED_KEYS + 1);
        client(switches::access_keys, SWITCHED_USERS);
        client(tags::write, TAGS);
        client(tags::read, world.nodes.len());
        client(births::run, 1);
        client(World::watch, world.nodes.len());
        Ok(Self { world, threads })
    }

    /// Ends every client after its last request.
    pub fn stop(self) -> Result<Arc<World>> {
        self.world.over.get_or_init(|| self.world.clock.read());
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a client panicked"))?;
        }
        Ok(self.world)
    }
}

impl World {
    fn new(cluster: &Cluster, clients: Clients) -> Result<Self> {
        let (account, nodes) = (cluster.account.clone(), cluster.addresses());
        let clock = Stopwatch::start();
        let mut line = Line::new(account.root(), clock);
        let mut keys = Vec::new();
        for number in 0..OWN_KEYS.end {
            let tags: Vec<_> = (0..TAGS)
                .map(|tag| json!({"TagKey": format!("tag{tag}"), "TagValue": tags::FIRST}))
                .collect();
            let tags = if number == STEADY_KEY { tags } else { Vec::new() };
            let body = json!({"Alias": format!("fault-{number}"), "Tags": tags});
            let sent = line.ask(&nodes, Ask::Tencent { service: "kms", action: "CreateKey" }, &body);
            let sent = sent.context("no node listens")?;
            keys.push(text(&sent.answer, "/KeyId").with_context(|| format!("CreateKey: {:?}", sent.told))?);
        }
        Ok(Self {
            account,
            clock,
            keys,
            clients,
            ready: nodes.iter().map(|_| AtomicBool::new(true)).collect(),
            nodes,
            over: OnceLock::new(),
            events: Mutex::default(),
            ops: Mutex::default(),
            born: Mutex::default(),
        })
    }

    /// Whether the clients are to end.
    fn over(&self) -> bool {
        self.over.get().is_some()
    }

    /// When the clients were told to end; now, where they were not.
    pub fn until(&self) -> Duration {
        self.over.get().copied().unwrap_or_else(|| self.clock.read())
    }

    /// Which nodes a client of that node may ask, the first first.
    fn from(&self, node: usize) -> Vec<SocketAddr> {
        match self.clients {
            Clients::GoOn => {
                let all = (node..node + self.nodes.len()).map(|node| node % self.nodes.len());
                let (ready, others): (Vec<_>, Vec<_>) =
                    all.partition(|node| self.ready[*node].load(Ordering::Relaxed));
                ready.into_iter().chain(others).map(|node| self.nodes[node]).collect()
            }
            Clients::Stay => vec![self.nodes[node]],
        }
    }

    /// Looks whether a node is ready, as a load balancer does.
    fn watch(&self, node: usize, _: &mut Chance) {
        while !self.over() {
            self.ready[node].store(server::ready(self.nodes[node]), Ordering::Relaxed);
            sleep(LOOK);
        }
    }

    pub fn node_at(&self, address: SocketAddr) -> usize {
        self.nodes.iter().position(|node| *node == address).expect("clients ask nothing but nodes")
    }

    /// Records a request; what it says of objects comes as acts.
    pub fn record(&self, kind: Kind, sent: &Sent, acts: &[(Object, Act)]) {
        let (node, start) = (self.node_at(sent.at), sent.start);
        let event = Event { node, kind, told: sent.told.clone(), start, end: sent.end };
        self.events.lock().expect("nobody panics holding it").push(event);
        let known = sent.told == Told::Done;
        let ops = acts.iter().map(|&(object, act)| {
            let end = match act {
                Act::Read(_) => Some(sent.end),
                Act::Write(_) => known.then_some(sent.end),
            };
            Op { object, node, act, start, end }
        });
        self.ops.lock().expect("nobody panics holding it").extend(ops);
    }

    /// Records an encryption with what it says of its key and its access key. Root's access key is never switched.
    pub fn record_use(&self, sent: &Sent, user: Option<usize>, key: usize) {
        let access_key = |value| user.map(|user| (Object::AccessKey(user), Act::Read(value)));
        let state = |value| Some((Object::Key(key), Act::Read(value)));
        let acts = match sent.told {
            Told::Done => [access_key(ON), state(ON)],
            Told::KeyOff => [access_key(ON), state(OFF)],
            Told::CredentialsOff => [access_key(OFF), None],
            Told::Lost(_) | Told::Other(_) | Told::Unavailable => [None, None],
        };
        let acts: Vec<_> = acts.into_iter().flatten().collect();
        self.record(Kind::Use, sent, &acts);
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().expect("nobody panics holding it").clone()
    }

    pub fn ops(&self) -> Vec<Op> {
        self.ops.lock().expect("nobody panics holding it").clone()
    }

    pub fn born(&self) -> Vec<String> {
        self.born.lock().expect("nobody panics holding it").clone()
    }

    /// How often each answer came.
    pub fn tally(&self) -> BTreeMap<(&'static str, String), usize> {
        let mut tally = BTreeMap::new();
        for event in self.events() {
            let kind = match event.kind {
                Kind::Use => "use",
                Kind::Write => "write",
            };
            let told = match event.told {
                Told::Done => "ok".to_owned(),
                Told::CredentialsOff | Told::KeyOff => "refused".to_owned(),
                Told::Lost(_) => "lost".to_owned(),
                Told::Other(code) => code,
                Told::Unavailable => "unavailable".to_owned(),
            };
            *tally.entry((kind, told)).or_insert(0) += 1;
        }
        tally
    }
}

/// Sleeps for a time around that one.
fn pause(chance: &mut Chance, around: Duration) {
    sleep(around / 2 + chance.duration(around));
}
