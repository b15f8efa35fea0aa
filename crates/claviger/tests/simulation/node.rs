//! A node: the engine over the simulated network, the authority over it, and what it does with what clients ask.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_core::key::KeySpec;
use claviger_core::region::Regions;
use claviger_core::{Authority, Clock, Limits, RootKey, hex_lower};
use claviger_store::Engine;
use claviger_store_etcd::simulated::Etcd;
use claviger_store_etcd::{Dial, EtcdEngine, Options, Wire, World};
use tokio::sync::Notify;
use tokio::time::sleep;
use turmoil::net::TcpStream;

use crate::chance::Chance;
use crate::gate::{Cable, Gate, Link};
use crate::history::History;
use crate::operation::{Job, Operation, Outcome};
use crate::perform::Desk;
use crate::watched::{Sabotage, WatchedEngine};

/// Members of etcd.
pub(crate) const MEMBERS: u64 = 3;
/// The lease on freshness.
pub(crate) const LEASE: Duration = Duration::from_secs(1);
/// How long etcd may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);
/// What a commit waits for on top of the lease, as the engine has it.
pub(crate) const DRIFT_PERCENT: u32 = 20;
/// Between two sweeps.
const SWEEP: Duration = Duration::from_millis(700);
/// Between two attempts of what has failed.
const PAUSE: Duration = Duration::from_millis(100);
/// Operations that a node works on at once.
const DESKS: usize = 3;
/// When the run takes place by the calendar.
const TODAY: Duration = Duration::from_secs(1_767_323_045);
/// How far the calendar jumps when everything is founded: what was scheduled then falls due in the next seconds.
const LEAP: Duration = Duration::from_secs(7 * 86_400 - 1);

/// What all nodes share.
pub(crate) struct Stage {
    pub(crate) history: Arc<History>,
    pub(crate) etcd: Etcd,
    pub(crate) sabotage: Sabotage,
    /// When everything was founded, in microseconds of the run; 0 before.
    pub(crate) founded: AtomicU64,
}

/// A machine that a node runs on, over all its lives.
pub(crate) struct Machine {
    pub(crate) number: u64,
    pub(crate) stage: Arc<Stage>,
    pub(crate) inbox: Inbox,
    pub(crate) gate: Arc<Gate>,
    pub(crate) links: Vec<Arc<Link>>,
    /// How fast its clock runs.
    pub(crate) rate: f64,
    /// How far its calendar is behind.
    pub(crate) behind: Duration,
    pub(crate) chance: Chance,
    pub(crate) stops: Arc<AtomicU64>,
}

/// Operations that wait for a node.
#[derive(Default)]
pub(crate) struct Inbox {
    jobs: Mutex<VecDeque<Job>>,
    arrived: Notify,
}

impl Inbox {
    pub(crate) fn put(&self, job: Job) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
        self.arrived.notify_one();
    }

    /// Throws away what waits, as a crash does.
    pub(crate) fn clear(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn take(&self) -> Job {
        loop {
            let job = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match job {
                Some(job) => return job,
                None => self.arrived.notified().await,
            }
        }
    }
}

impl Machine {
    /// One life of the node, until it crashes.
    pub(crate) async fn live(self: Arc<Self>) {
        let gate = Arc::clone(&self.gate);
        gate.hold(self.work()).await;
    }

    async fn work(self: Arc<Self>) {
        let clock = Clock::fixed(moment(TODAY));
        let desk = loop {
            match self.open(&clock).await {
                Ok(desk) => break desk,
                Err(why) => {
                    self.note(&format!("cannot start: {why}"));
                    sleep(PAUSE).await;
                }
            }
        };
        while let Err(error) = desk.authority.engine().join().await {
            self.note(&format!("cannot join: {error}"));
            sleep(PAUSE).await;
        }
        self.note("serves");
        tokio::join!(self.serve(&desk), self.serve(&desk), self.serve(&desk), self.sweep(&desk));
    }

    async fn open(self: &Arc<Self>, clock: &Clock) -> Result<Desk, String> {
        let urls = (1..=MEMBERS).map(|member| format!("http://etcd{member}:2379"));
        let mut options = Options::new(urls.collect(), format!("node{}", self.number), "1".into());
        options.lease = LEASE;
        options.deadline = DEADLINE;
        let started = EtcdEngine::start(options, self.world()).await;
        let (engine, work) = started.map_err(|error| error.to_string())?;
        tokio::spawn(self.gate.hold(work));
        let stops = Arc::clone(&self.stops);
        let engine: Arc<dyn Engine> = Arc::new(WatchedEngine {
            inner: engine,
            node: self.number,
            sabotage: self.stage.sabotage,
            history: Arc::clone(&self.stage.history),
            etcd: self.stage.etcd.clone(),
            commit_limit: (LEASE + LEASE * DRIFT_PERCENT / 100).div_f64(self.rate) + DEADLINE,
            slow: LEASE.div_f64(self.rate),
            stops: Arc::new(move || stops.load(Ordering::SeqCst)),
        });
        let root = RootKey::generate(&claviger_core::Entropy::seeded(1));
        let (regions, entropy) = (Regions::single(KeySpec::Aes256), self.chance.entropy());
        let limits = Limits { keys_per_ring: 100_000, ..Limits::default() };
        let opened = Authority::open(engine, root, regions, limits, clock.clone(), entropy).await;
        Ok(Desk { authority: opened.map_err(|error| error.to_string())?, clock: clock.clone() })
    }

    fn world(self: &Arc<Self>) -> World {
        let machine = Arc::clone(self);
        let clock = move || Duration::from_secs(1000 * machine.number) + machine.now().mul_f64(machine.rate);
        let machine = Arc::clone(self);
        let registered = AtomicU64::new(0);
        let ids = move || {
            let again = registered.fetch_add(1, Ordering::SeqCst) > 0;
            machine.stage.history.count(|tally| tally.registered_again += u64::from(again));
            hex_lower(&machine.chance.entropy().bytes::<16>())
        };
        let machine = Arc::clone(self);
        let dial: Dial = Arc::new(move |address| {
            let machine = Arc::clone(&machine);
            let gate = Arc::clone(&machine.gate);
            Box::pin(gate.hold(async move {
                let stream = TcpStream::connect(address.as_str()).await?;
                let link = (1..=MEMBERS).position(|member| address.starts_with(&format!("etcd{member}:")));
                let link = link.and_then(|link| machine.links.get(link)).expect("members are dialled");
                let cable = Cable::new(stream, Arc::clone(&machine.gate), Arc::clone(link));
                Ok(Box::new(cable) as Box<dyn Wire>)
            }))
        });
        World { clock: Arc::new(clock), ids: Arc::new(ids), unix_millis: Arc::new(|| 0), dial: Some(dial) }
    }

    async fn serve(&self, desk: &Desk) {
        loop {
            let Job { operation, done } = self.inbox.take().await;
            let call = self.stage.history.begin(self.number, operation);
            self.set_calendar(&desk.clock);
            let outcome = desk.perform(operation).await;
            self.stage.history.end(call, &outcome);
            self.stage.history.count(|tally| match &outcome {
                Outcome::Denied => tally.denied += 1,
                Outcome::Done(_) => tally.uses += u64::from(matches!(operation, Operation::Use { .. })),
                Outcome::Failed(_) => {}
                Outcome::Stale => tally.stale += 1,
                Outcome::Unknown(_) => tally.unknown += 1,
            });
            if operation == Operation::Found && matches!(outcome, Outcome::Done(_)) {
                let now = u64::try_from(self.now().as_micros()).unwrap_or(u64::MAX);
                self.stage.founded.store(now, Ordering::SeqCst);
            }
            // Whoever asked may have given up.
            let _gone = done.send(outcome);
        }
    }

    async fn sweep(&self, desk: &Desk) {
        loop {
            sleep(SWEEP).await;
            self.set_calendar(&desk.clock);
            let unknown = desk.authority.engine().stats().unknown;
            let swept = desk.authority.sweep().await;
            if let Ok(settled @ 1..) = swept {
                self.note(&format!("settles {settled}"));
                self.stage.history.count(|tally| tally.settled += settled as u64);
            }
            if swept.is_err() || desk.authority.engine().stats().unknown != unknown {
                self.note(&format!("does not know what its sweep has done: {swept:?}"));
                self.stage.history.count(|tally| tally.sweeps_unknown += 1);
            }
        }
    }

    /// The calendar goes on, and leaps once everything is founded.
    fn set_calendar(&self, clock: &Clock) {
        let founded = Duration::from_micros(self.stage.founded.load(Ordering::SeqCst));
        if !founded.is_zero() {
            let today = TODAY + LEAP + self.now().saturating_sub(founded);
            let today = today.saturating_sub(self.behind);
            let known = Duration::from_millis(clock.now().millis());
            clock.advance(today.saturating_sub(known));
        }
    }

    fn now(&self) -> Duration {
        self.stage.history.now()
    }

    fn note(&self, line: &str) {
        self.stage.history.note(&format!("node {} {line}", self.number));
    }
}

const _: () = assert!(DESKS == 3, "as many as are joined in `work`");

fn moment(since: Duration) -> claviger_core::Moment {
    claviger_core::Moment::from_seconds(since.as_secs())
}
