//! etcd by itself, asked all the while: what of a gap in service is etcd's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use crate::etcd::Etcd;
use crate::history::Stopwatch;

/// How long a member may take; one that takes longer does not serve.
const PATIENCE: Duration = Duration::from_secs(1);
const PACE: Duration = Duration::from_millis(50);

/// One client of etcd per member, each with nothing but linearizable reads of a key that is not there.
pub(super) struct Probe {
    over: Arc<AtomicBool>,
    answered: Arc<Mutex<Vec<Duration>>>,
    clock: Stopwatch,
    threads: Vec<JoinHandle<()>>,
}

impl Probe {
    pub(super) fn start(etcd: &Arc<Etcd>) -> Self {
        let (over, answered, clock) = (Arc::default(), Arc::default(), Stopwatch::start());
        let mut probe = Self { over, answered, clock, threads: Vec::new() };
        for member in 0..etcd.len() {
            let (etcd, over, answered) =
                (Arc::clone(etcd), Arc::clone(&probe.over), Arc::clone(&probe.answered));
            probe.threads.push(spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if etcd.gateway(member).within(PATIENCE).count("nothing/").is_ok() {
                        answered.lock().expect("nobody panics holding it").push(clock.read());
                    }
                    sleep(PACE);
                }
            }));
        }
        probe
    }

    /// The longest time in which no member answered.
    pub(super) fn stop(self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        let mut ends = self.answered.lock().expect("nobody panics holding it").clone();
        ends.push(self.clock.read());
        for thread in self.threads {
            // One that panicked has nothing more to say.
            let _ = thread.join();
        }
        ends.sort_unstable();
        ends.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default()
    }
}
