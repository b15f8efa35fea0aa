//! The fault tests: real processes, three members of etcd and three nodes, clients on every node all the while, and every kind
//! of trouble. The clients' history is judged: nothing acknowledged is lost, nothing revoked is honoured.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::chance::Chance;
use crate::clock::unix_millis;
use crate::cluster::{Cluster, Settings};
use crate::etcd::{Binary, obtain};
use crate::process::target;

mod conclude;
mod crashes;
mod cuts;
mod line;
mod load;
mod moves;
mod pauses;
mod probe;
mod restarts;
mod space;
mod starts;

use conclude::conclude;
use load::{Clients, Load, World};
use probe::Probe;

/// How long the load runs before a fault and after it.
const AROUND: Duration = Duration::from_secs(2);
/// What is granted beyond a stated bound: two cores, three etcd members, three nodes and their clients.
const SLACK: Duration = Duration::from_millis(1200);
/// What the protocol states: a lease, and the same with how far two clocks may drift apart in it.
const LEASE: Duration = Duration::from_secs(2);
const LEASE_AND_DRIFT: Duration = Duration::from_millis(2400);

/// Which, for how long, and from which number all chance is drawn.
#[derive(Args)]
pub struct Options {
    /// Run this scenario alone; may be given several times.
    #[arg(long)]
    only: Vec<String>,
    /// How long the trouble lasts, in seconds, where a scenario leaves it open.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Repeats the choices of an earlier run, not its timing.
    #[arg(long)]
    seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { only: Vec::new(), seconds: 6, seed: None }
    }
}

/// One kind of trouble.
struct Scenario {
    name: &'static str,
    about: &'static str,
    run: fn(&mut Scene) -> Result<()>,
}

/// All of them, in the order in which they run.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "starts", about: "configurations that must be refused", run: starts::refused },
    Scenario {
        name: "moves",
        about: "a live store copied from etcd to a data folder and back",
        run: moves::there_and_back,
    },
    Scenario { name: "kill-leader", about: "SIGKILL of etcd's leader", run: crashes::leader },
    Scenario { name: "kill-node", about: "SIGKILL of a node", run: crashes::node },
    Scenario {
        name: "kill-all",
        about: "SIGKILL of everything, and a start of everything",
        run: crashes::all,
    },
    Scenario { name: "stop-leader", about: "SIGSTOP of etcd's leader, SIGCONT", run: pauses::leader },
    Scenario { name: "stop-node", about: "SIGSTOP of a node past its lease, SIGCONT", run: pauses::node },
    Scenario { name: "cut-node", about: "a node cut off from etcd", run: cuts::node },
    Scenario {
        name: "revoke-twice",
        about: "a revocation asked for again while it is under way",
        run: cuts::twice,
    },
    Scenario { name: "cut-minority", about: "a minority of etcd cut off", run: cuts::minority },
    Scenario { name: "compaction", about: "a watch behind a compaction", run: pauses::compaction },
    Scenario { name: "no-space", about: "etcd's quota alarm", run: space::alarm },
    Scenario { name: "slow-etcd", about: "links to etcd of 50 to 300 ms", run: cuts::slow },
    Scenario {
        name: "rolling-restart",
        about: "SIGTERM of one node after the other",
        run: restarts::rolling,
    },
    Scenario {
        name: "rolling-upgrade",
        about: "the former release's nodes replaced one after the other",
        run: restarts::upgrade,
    },
];

/// Which scenarios held.
#[derive(Debug, Default)]
pub struct Ended {
    pub passed: Vec<&'static str>,
    pub failed: Vec<&'static str>,
}

/// Runs the scenarios; any that fails is an error.
pub fn run(options: &Options) -> Result<()> {
    let Ended { failed, .. } = play(options)?;
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Runs the scenarios; one that fails does not stop the others.
pub fn play(options: &Options) -> Result<Ended> {
    for name in &options.only {
        let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        ensure!(known.contains(&name.as_str()), "no scenario {name}; there are {}", known.join(", "));
    }
    let etcd = obtain()?;
    let seed = options.seed.unwrap_or_else(unix_millis);
    println!("fault tests: etcd {} ({}), --seed {seed}", etcd.version, etcd.path.display());
    let started = Instant::now();
    let mut ended = Ended::default();
    for scenario in SCENARIOS {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == scenario.name) {
            continue;
        }
        println!("  {}: {}", scenario.name, scenario.about);
        let began = Instant::now();
        let trouble = Duration::from_secs(options.seconds);
        let mut scene =
            Scene { etcd: etcd.clone(), trouble, chance: Chance::new(seed), settings: Settings::default() };
        match (scenario.run)(&mut scene) {
            Ok(()) => ended.passed.push(scenario.name),
            Err(error) => {
                println!("    FAILED with --seed {seed}: {error:#}");
                ended.failed.push(scenario.name);
            }
        }
        println!("    {} s", began.elapsed().as_secs());
    }
    let Ended { passed, failed } = &ended;
    println!(
        "fault tests: {} held, {} failed, {} s",
        passed.len(),
        failed.len(),
        started.elapsed().as_secs()
    );
    Ok(ended)
}

/// What a scenario is given.
struct Scene {
    etcd: Binary,
    trouble: Duration,
    chance: Chance,
    settings: Settings,
}

impl Scene {
    /// A cluster of its own under load: trouble is made of it, then it gets time to recover, and everything is judged.
    fn under_load(
        &mut self,
        clients: Clients,
        trouble: impl FnOnce(&Cluster, &World, &mut Chance) -> Result<()>,
    ) -> Result<()> {
        let cluster = Cluster::start(&self.etcd, self.settings).context("starting the cluster")?;
        let load = Load::start(&cluster, clients, &mut self.chance)?;
        let probe = Probe::start(&cluster.etcd);
        sleep(AROUND);
        let outcome = trouble(&cluster, &load.world, &mut self.chance);
        if outcome.is_ok() {
            sleep(AROUND);
        }
        let etcds_own = probe.stop();
        let world = load.stop()?;
        let report = outcome.with_context(|| told(&world)).and_then(|()| conclude(&cluster, &world));
        if report.is_err() {
            let kept = target().join("faults");
            cluster.keep_logs(&kept)?;
            println!("    logs in {}", kept.display());
        }
        println!("{}", report?);
        println!("    longest gap of etcd itself: {:.2} s", etcds_own.as_secs_f64());
        Ok(())
    }
}

/// What the clients were told so far.
fn told(world: &World) -> String {
    let tally = world.tally();
    tally.iter().map(|((kind, told), count)| format!("{kind} {told} {count}")).collect::<Vec<_>>().join(", ")
}

/// One line of what is done.
fn note(world: &World, text: &str) {
    println!("    {:6.2} s  {text}", world.clock.read().as_secs_f64());
}
