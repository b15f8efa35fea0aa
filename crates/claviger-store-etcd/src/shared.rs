//! What the engine's parts share: what this node has applied, how far the others are, and its lease.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_store::{Change, Observers, Stats, Version};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::departures::Departures;
use crate::freshness::{Freshness, Renewal, outlasts};
use crate::layout::Layout;
use crate::level::Level;
use crate::options::Options;
use crate::reach::{Past, Reach};
use crate::records::{Node, NodeState};
use crate::replica::Replica;
use crate::world::World;

/// Everything but the tasks.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) layout: Layout,
    pub(crate) client: Client,
    pub(crate) world: World,
    /// What this engine's commits are marked with; it stays the same when the node must register anew.
    pub(crate) mark: String,
    pub(crate) observers: Observers,
    pub(crate) replica: Replica,
    pub(crate) counters: Counters,
    /// Asks the follower to watch through another member.
    pub(crate) silent: Notify,
    /// The newest commit that this node has applied.
    pub(crate) head: watch::Sender<Version>,
    /// The newest commit that another engine made.
    pub(crate) foreign: AtomicU64,
    /// This node's registration.
    pub(crate) registration: watch::Sender<Option<Arc<Registration>>>,
    state: Mutex<State>,
    applied: Level,
    settled: Level,
    /// When the lease ends, in nanoseconds by the lease clock; 0 without one.
    until: AtomicU64,
    live: AtomicU32,
    leaving: AtomicBool,
    pub(crate) departures: Departures,
    gaps: AtomicU64,
    /// Held while the fence is moved.
    pub(crate) fencing: tokio::sync::Mutex<()>,
}

struct State {
    freshness: Freshness,
    reach: Reach,
    me: String,
}

/// A node that the others know of.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) id: String,
    /// etcd's lease, which removes what a dead node leaves behind.
    pub(crate) lease: i64,
    /// The revision that made it.
    pub(crate) revision: i64,
    /// The revision that put it last. Every write of this node rests on it: putting it anew stops those that are still on
    /// their way.
    pub(crate) fence: AtomicU64,
}

/// A registration as it was read.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) node: Node,
    /// The revision that made it.
    pub(crate) revision: Version,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) bytes_committed: AtomicU64,
    pub(crate) gets: AtomicU64,
    pub(crate) scans: AtomicU64,
    pub(crate) reopens: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: read(&self.commits),
            conflicts: read(&self.conflicts),
            flushes: read(&self.flushes),
            unknown: read(&self.unknown),
            bytes_committed: read(&self.bytes_committed),
            gets: read(&self.gets),
            scans: read(&self.scans),
            reopens: read(&self.reopens),
        }
    }
}

impl Shared {
    pub(crate) fn new(options: Options, client: Client, world: World) -> Self {
        let lease = options.lease;
        Self {
            layout: Layout::new(&options.prefix),
            options,
            client,
            mark: (world.ids)(),
            world,
            observers: Observers::default(),
            replica: Replica::new(),
            counters: Counters::default(),
            silent: Notify::new(),
            head: watch::Sender::new(0),
            foreign: AtomicU64::new(0),
            registration: watch::Sender::new(None),
            state: Mutex::new(State {
                freshness: Freshness::new(lease),
                reach: Reach::new(lease),
                me: String::new(),
            }),
            applied: Level::default(),
            settled: Level::default(),
            until: AtomicU64::new(0),
            live: AtomicU32::new(1),
            leaving: AtomicBool::new(false),
            departures: Departures::default(),
            gaps: AtomicU64::new(0),
            fencing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether this node may serve what it has cached.
    pub(crate) fn fresh(&self) -> bool {
        let now = nanos(self.world.now());
        now < self.until.load(Ordering::SeqCst) && !self.leaving.load(Ordering::SeqCst)
    }

    /// Registered nodes; this one counts from the start.
    pub(crate) fn live_nodes(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    /// Everything up to here has been told to the observers.
    pub(crate) fn applied(&self) -> Version {
        self.applied.get()
    }

    /// Waits until the watch has come to `version`; whether it has without a gap since `gaps` was read.
    pub(crate) async fn comes_to(&self, version: Version, gaps: u64, limit: Duration) -> bool {
        timeout(limit, self.applied.reaches(version)).await.is_ok() && self.gaps() == gaps
    }

    /// How often the watch had to begin anew without what lay between.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::SeqCst)
    }

    /// Starts over from what was read as of `version`, and tells the observers that they may have missed anything.
    pub(crate) fn read_anew(
        &self,
        version: Version,
        past: Past,
        nodes: &[Registered],
        acknowledged: &[(String, Version)],
    ) {
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.replica.forget();
        self.observers.tell(&Change::Lost { at: version });
        let now = self.world.now();
        let mut state = self.state();
        state.reach.read_anew(past, now);
        for node in nodes {
            state.note(node);
        }
        for (id, version) in acknowledged {
            state.reach.acknowledged(id, *version);
        }
        self.progress(state, version, now);
        // What lies between may hold others' commits, and they wait to hear that it is known here.
        self.foreign.fetch_max(version, Ordering::SeqCst);
        self.head.send_replace(version);
    }

    /// News of the nodes; call [`Shared::advance`] behind.
    pub(crate) fn nodes(&self, news: impl FnOnce(&mut Reach, Duration)) {
        let now = self.world.now();
        news(&mut self.state().reach, now);
    }

    /// News of one node's registration.
    pub(crate) fn node(&self, node: &Registered) {
        self.state().note(node);
    }

    /// Everything up to `version` has been told to the observers.
    pub(crate) fn advance(&self, version: Version) {
        let now = self.world.now();
        self.progress(self.state(), version, now);
    }

    /// Time has passed: those who vanished may be sure not to serve any more.
    pub(crate) fn look_at_the_clock(&self) {
        self.advance(self.applied());
    }

    /// When [`Shared::look_at_the_clock`] may change something.
    pub(crate) fn changes_in(&self) -> Option<Duration> {
        let now = self.world.now();
        self.state().reach.changes_at(now).map(|at| at.saturating_sub(now))
    }

    /// Who this node is from now on.
    pub(crate) fn register(&self, registration: Registration) {
        let mut state = self.state();
        registration.id.clone_into(&mut state.me);
        drop(state);
        self.registration.send_replace(Some(Arc::new(registration)));
        self.look_at_what_is_owed();
    }

    /// Has this node look again whether it owes the others an acknowledgement: somebody may have begun to wait for one, or this node
    /// may be able to give one now.
    pub(crate) fn look_at_what_is_owed(&self) {
        self.head.send_modify(|_| ());
    }

    /// This node's registration is gone; it needs another, under another id.
    pub(crate) fn deregister(&self) {
        let Some(former) = self.registration.send_replace(None) else { return };
        let mut state = self.state();
        state.freshness.lost();
        // What it had applied it knows: nobody need be waited for.
        state.reach.left(&former.id);
        state.me.clear();
        self.until.store(0, Ordering::SeqCst);
    }

    /// Takes a renewal of the lease.
    pub(crate) fn renewed(&self, renewal: Renewal) {
        let mut state = self.state();
        state.freshness.renewed(renewal);
        self.publish(&state);
    }

    /// Whether events that a renewal waits for have not come within `patience`.
    pub(crate) fn is_behind(&self, patience: Duration) -> bool {
        let now = self.world.now();
        self.state().freshness.overdue().is_some_and(|renewal| renewal.asked + patience < now)
    }

    /// Whether nobody waits to hear that this node has applied what came after `said`: nobody else is registered, and nobody
    /// who is not a node has written.
    pub(crate) fn is_unheard(&self, said: Version) -> bool {
        let state = self.state();
        state.reach.others(&state.me) == 0 && self.foreign.load(Ordering::SeqCst) <= said
    }

    /// Serves no more, for good.
    pub(crate) fn stop_serving(&self) {
        self.leaving.store(true, Ordering::SeqCst);
        self.until.store(0, Ordering::SeqCst);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::SeqCst)
    }

    /// Waits until every node has applied `version`, which was stored before `stored` by the lease clock, or cannot serve what
    /// is older. Never longer than a lease and the drift.
    pub(crate) async fn everywhere(&self, version: Version, stored: Duration) {
        let last = stored + outlasts(self.options.lease);
        let mut settled = pin!(self.settled.reaches(version));
        loop {
            let left = last.saturating_sub(self.world.now());
            if left.is_zero() || timeout(left, settled.as_mut()).await.is_ok() {
                return;
            }
            // The timer's clock need not be the lease's.
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn progress(&self, mut state: MutexGuard<'_, State>, version: Version, now: Duration) {
        state.freshness.applied(version);
        self.applied.raise(version);
        let State { reach, me, .. } = &mut *state;
        let settled = reach.settled(me, now).min(self.applied.get());
        let live = reach.others(me) + 1;
        self.live.store(u32::try_from(live).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.publish(&state);
        // Lower when a node has joined: what was settled before stays answered.
        self.settled.set(settled);
    }

    fn publish(&self, state: &State) {
        self.until.store(state.freshness.until().map_or(0, nanos), Ordering::SeqCst);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, Registered { id, node, revision }: &Registered) {
        match node.state {
            NodeState::Left => self.reach.left(id),
            NodeState::Live => self.reach.registered(id, *revision),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
