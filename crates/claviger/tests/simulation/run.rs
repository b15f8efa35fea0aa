//! One run: three nodes over three members of etcd, clients, and what goes wrong, all from one seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claviger_store_etcd::simulated::Etcd;
use turmoil::Sim;

use crate::chance::{Chance, Who};
use crate::clients::{CLIENTS, Client, Crowd, ask};
use crate::faults::{Fault, Planned, plan};
use crate::gate::Link;
use crate::history::{History, Tally};
use crate::node::{MEMBERS, Machine, Stage};
use crate::operation::{KEYS, Operation, Outcome, Signer};
use crate::stage;
use crate::verdict;
use crate::watched::Sabotage;

/// Nodes.
pub(crate) const NODES: u64 = 3;
/// How finely the world's time goes.
const TICK: Duration = Duration::from_millis(2);
/// When clients stop and everything is made whole.
const CLOSE: Duration = Duration::from_secs(10);
/// How long founding may take.
const FOUNDING: Duration = Duration::from_secs(8);
/// How long clients may take to go, once everything is whole.
const GOING: Duration = Duration::from_secs(9);
/// How long nodes may take to serve, once everything is whole.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long one operation may take then.
const WHOLE: Duration = Duration::from_secs(3);

/// What came of a run.
pub(crate) struct Report {
    pub(crate) breaches: Vec<String>,
    pub(crate) tally: Tally,
    pub(crate) trace: Vec<String>,
}

/// Runs a seed.
pub(crate) fn run(seed: u64, sabotage: Sabotage) -> Report {
    let mut run = Run::new(seed, sabotage);
    if run.found() {
        run.go_wrong();
        run.make_whole();
        run.conclude();
    }
    let history = &run.stage.history;
    Report { breaches: history.breaches(), tally: history.tally(), trace: history.trace() }
}

struct Run {
    sim: Sim<'static>,
    stage: Arc<Stage>,
    machines: Vec<Arc<Machine>>,
    /// All connections of each member, at its end.
    sockets: Vec<Arc<Link>>,
    crowd: Arc<Crowd>,
    plan: Vec<Planned>,
    delays_ms: Arc<AtomicU64>,
    chance: Chance,
    seed: u64,
}

impl Run {
    fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut sim = turmoil::Builder::new()
            .rng_seed(Chance::new(seed, Who::Network).below(u64::MAX))
            .tick_duration(TICK)
            .simulation_duration(Duration::from_hours(1))
            .min_message_latency(TICK / 2)
            .max_message_latency(2 * TICK)
            .tcp_capacity(1 << 14)
            .build();
        let history = Arc::new(History::default());
        let clock = Arc::clone(&history);
        let etcd = Etcd::cluster(0xe7cd, MEMBERS, Arc::new(move || clock.now()));
        let setting = Chance::new(seed, Who::Setting);
        etcd.set_catch_up(1 + setting.index(20));
        let delays_ms = stage::delay_requests(&etcd, seed, &history);
        let sockets: Vec<Arc<Link>> = (1..=MEMBERS).map(|_| Arc::default()).collect();
        for (member, sockets) in (1..).zip(&sockets) {
            stage::host_member(&mut sim, &etcd, member, sockets);
        }
        let stage = Arc::new(Stage { history, etcd, sabotage, founded: AtomicU64::new(0) });
        let machines: Vec<Arc<Machine>> =
            (1..=NODES).map(|number| stage::machine(number, &stage, &setting, seed)).collect();
        for machine in &machines {
            let machine = Arc::clone(machine);
            sim.host(format!("node{}", machine.number), move || {
                let machine = Arc::clone(&machine);
                async move {
                    machine.live().await;
                    Ok(())
                }
            });
        }
        let faults = Chance::new(seed, Who::Faults);
        let plan = plan(&faults, NODES);
        Self { sim, stage, machines, sockets, crowd: Arc::default(), plan, delays_ms, chance: faults, seed }
    }

    /// Makes what the run begins with.
    fn found(&mut self) -> bool {
        let first = Arc::clone(&self.machines[0]);
        let founded = match self.ask(&first, Operation::Found, FOUNDING) {
            Some(Outcome::Done(_)) => true,
            outcome => {
                self.stage.history.breach(format!("nothing could be founded: {outcome:?}"));
                false
            }
        };
        let clients = [0, 1, 2].map(|number| Client {
            number,
            chance: Chance::new(self.seed, Who::Client(number)),
            machines: self.machines.clone(),
            crowd: Arc::clone(&self.crowd),
        });
        self.sim.client("clients", async move {
            let [one, two, three] = clients;
            tokio::join!(one.live(), two.live(), three.live());
            Ok(())
        });
        founded
    }

    fn go_wrong(&mut self) {
        let mut plan = std::mem::take(&mut self.plan);
        plan.sort_by_key(|planned| planned.begin);
        for planned in &plan {
            self.stage.history.note(&format!("planned: {planned:?}"));
        }
        let mut under_way: Vec<Planned> = Vec::new();
        while self.sim.elapsed() < CLOSE {
            let now = self.sim.elapsed();
            let begun = plan.partition_point(|planned| planned.begin <= now);
            for planned in plan.drain(..begun) {
                self.begin(planned.fault);
                under_way.push(planned);
            }
            let (over, going): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|fault| fault.end <= now);
            under_way = going;
            for planned in over {
                self.end(planned.fault);
            }
            self.step();
        }
        self.crowd.closing.store(true, Ordering::SeqCst);
        for planned in under_way {
            self.end(planned.fault);
        }
    }

    fn begin(&mut self, fault: Fault) {
        self.stage.history.note(&format!("begins: {fault:?}"));
        let etcd = &self.stage.etcd;
        match fault {
            Fault::Compact => drop(etcd.compact(etcd.revision())),
            Fault::CrashMember { member } => {
                etcd.member(member).isolate();
                self.crash_member(member);
            }
            Fault::CrashNode { node } => {
                self.stage.history.count(|tally| tally.crashes += 1);
                self.crash_node(node);
            }
            Fault::Cut { node, member } => self.sim.partition(format!("node{node}"), format!("etcd{member}")),
            Fault::CutOff { node } => {
                (1..=MEMBERS).for_each(|member| self.begin_quietly(Fault::Cut { node, member }));
            }
            Fault::Delays { longest_ms } => self.delays_ms.store(longest_ms, Ordering::SeqCst),
            Fault::ExpireLeases => etcd.expire_all_leases(),
            Fault::Hold { node, member } => self.sim.hold(format!("node{node}"), format!("etcd{member}")),
            Fault::HoldOff { node } => {
                (1..=MEMBERS).for_each(|member| self.begin_quietly(Fault::Hold { node, member }));
            }
            Fault::HoldWatches => etcd.hold_watches(),
            Fault::Isolate { member } => etcd.member(member).isolate(),
            Fault::Lag { member, by_ms } => etcd.member(member).lag_watches(Duration::from_millis(by_ms)),
            Fault::Latency { node, member, millis } => self.latency(node, member, millis),
            Fault::Stop { node } => {
                self.stage.history.count(|tally| tally.stops += 1);
                self.machine(node).stops.fetch_add(1, Ordering::SeqCst);
                let _closed = self.machine(node).gate.close();
            }
        }
    }

    fn begin_quietly(&self, fault: Fault) {
        match fault {
            Fault::Cut { node, member } => self.sim.partition(format!("node{node}"), format!("etcd{member}")),
            Fault::Hold { node, member } => self.sim.hold(format!("node{node}"), format!("etcd{member}")),
            _ => {}
        }
    }

    fn end(&mut self, fault: Fault) {
        self.stage.history.note(&format!("ends: {fault:?}"));
        let etcd = &self.stage.etcd;
        match fault {
            Fault::Compact | Fault::ExpireLeases => {}
            Fault::CrashMember { member } => {
                let etcd = etcd.clone();
                self.crash_member(member);
                self.sim.bounce(format!("etcd{member}"));
                etcd.member(member).rejoin();
            }
            Fault::CrashNode { node } => {
                // Of two faults that overlap, the first to end has started it again.
                self.crash_node(node);
                self.sim.bounce(format!("node{node}"));
            }
            Fault::Cut { node, member } => self.repair(node, member),
            Fault::CutOff { node } => (1..=MEMBERS).for_each(|member| self.repair(node, member)),
            Fault::Delays { .. } => self.delays_ms.store(0, Ordering::SeqCst),
            Fault::Hold { node, member } => self.sim.release(format!("node{node}"), format!("etcd{member}")),
            Fault::HoldOff { node } => {
                for member in 1..=MEMBERS {
                    self.sim.release(format!("node{node}"), format!("etcd{member}"));
                }
            }
            Fault::HoldWatches => {
                // Now and then what was held back is gone.
                if self.chance.happens(50) {
                    etcd.compact(etcd.revision());
                }
                etcd.release_watches();
            }
            Fault::Isolate { member } => etcd.member(member).rejoin(),
            Fault::Lag { member, .. } => etcd.member(member).lag_watches(Duration::ZERO),
            Fault::Latency { node, member, .. } => self.latency(node, member, 2),
            Fault::Stop { node } => self.machine(node).gate.open(),
        }
    }

    /// Ends a node's process, its connections first: left to the end of its runtime they would close in the order of tokio's task
    /// ids, which count over all runs of this process, and another run of the seed would take another turn.
    fn crash_node(&mut self, node: u64) {
        let name = format!("node{node}");
        if self.sim.is_host_running(name.as_str()) {
            let stood_still = self.machine(node).gate.close();
            self.machine(node).links.iter().for_each(|link| link.tear());
            self.step();
            self.sim.crash(name);
            self.machine(node).inbox.clear();
            if !stood_still {
                self.machine(node).gate.open();
            }
        }
    }

    /// The same for a member of etcd.
    fn crash_member(&mut self, member: u64) {
        let name = format!("etcd{member}");
        if self.sim.is_host_running(name.as_str()) {
            self.sockets[index(member)].tear();
            self.step();
            self.sim.crash(name);
        }
    }

    fn repair(&self, node: u64, member: u64) {
        self.sim.repair(format!("node{node}"), format!("etcd{member}"));
        // Packets that were lost are not sent again here; whoever waits for them must see that the connection is gone.
        self.machine(node).links[index(member)].tear();
    }

    fn latency(&self, node: u64, member: u64, millis: u64) {
        let latency = Duration::from_millis(millis);
        self.sim.set_link_latency(format!("node{node}"), format!("etcd{member}"), latency);
    }

    /// Ends whatever may still be wrong; faults may have overlapped.
    fn make_whole(&mut self) {
        for node in 1..=NODES {
            self.end(Fault::Stop { node });
            self.end(Fault::HoldOff { node });
            self.end(Fault::CutOff { node });
            if !self.sim.is_host_running(format!("node{node}")) {
                self.end(Fault::CrashNode { node });
            }
        }
        for member in 1..=MEMBERS {
            self.end(Fault::Isolate { member });
            self.end(Fault::Lag { member, by_ms: 0 });
            if !self.sim.is_host_running(format!("etcd{member}")) {
                self.end(Fault::CrashMember { member });
            }
        }
        self.end(Fault::HoldWatches);
        self.end(Fault::Delays { longest_ms: 0 });
        let crowd = Arc::clone(&self.crowd);
        let gone = || crowd.gone.load(Ordering::SeqCst) == CLIENTS;
        if !self.step_until(GOING, gone) {
            self.stage.history.breach("clients still wait for answers although everything is whole".into());
        }
    }

    /// Everything is whole: all nodes must serve, soon, and agree.
    fn conclude(&mut self) {
        let ends = self.sim.elapsed() + RECOVERY;
        for machine in self.machines.clone() {
            let served = Operation::Use { key: 0, signer: Signer::Root };
            while !matches!(self.ask(&machine, served, WHOLE), Some(Outcome::Done(_) | Outcome::Denied)) {
                if self.sim.elapsed() > ends {
                    let why = format!("node {} does not serve although everything is whole", machine.number);
                    self.stage.history.breach(why);
                    return;
                }
            }
        }
        for machine in self.machines.clone() {
            let number = machine.number;
            let write = Operation::Write { key: 0, writer: CLIENTS, number };
            let outcome = self.ask(&machine, write, WHOLE);
            if !matches!(outcome, Some(Outcome::Done(_))) {
                self.stage.history.breach(format!("node {number} cannot write: {outcome:?}"));
            }
        }
        let mut views = Vec::new();
        for machine in self.machines.clone() {
            let signers = [Signer::Root, Signer::User(0), Signer::User(1)];
            let uses = (0..KEYS).flat_map(|key| signers.map(|signer| Operation::Use { key, signer }));
            let view: Vec<_> = uses.map(|used| (used, self.ask(&machine, used, WHOLE))).collect();
            views.push(view);
        }
        verdict::judge(&self.stage, &views);
    }

    /// Asks a node and goes on until it has answered.
    fn ask(&mut self, machine: &Machine, operation: Operation, limit: Duration) -> Option<Outcome> {
        let mut answer = ask(machine, operation);
        let ends = self.sim.elapsed() + limit;
        while self.sim.elapsed() < ends {
            match answer.try_recv() {
                Ok(outcome) => return Some(outcome),
                Err(tokio::sync::oneshot::error::TryRecvError::Closed) => return None,
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => self.step(),
            }
        }
        None
    }

    fn step_until(&mut self, limit: Duration, done: impl Fn() -> bool) -> bool {
        let ends = self.sim.elapsed() + limit;
        while !done() {
            if self.sim.elapsed() >= ends {
                return false;
            }
            self.step();
        }
        true
    }

    fn step(&mut self) {
        self.sim.step().expect("nobody on the stage fails");
        self.stage.history.set_now(self.sim.elapsed());
    }

    fn machine(&self, node: u64) -> &Machine {
        &self.machines[index(node)]
    }
}

/// Where the node or member of that number stands in a list of them.
fn index(number: u64) -> usize {
    usize::try_from(number - 1).expect("a few")
}
