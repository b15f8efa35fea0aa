//! Clients: each asks one node after the other for something, until the run closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::chance::Chance;
use crate::node::Machine;
use crate::operation::{ACCESS_KEYS, Job, KEYS, Operation, Outcome, Position, Signer, Switch};

/// Clients at once.
pub(crate) const CLIENTS: u64 = 3;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two requests of a client, in milliseconds.
const THINKING: std::ops::Range<u64> = 1..60;
/// Keys made during a run are numbered from here, each client in a range of its own.
const CREATED: u64 = 1000;

/// Where all clients are.
#[derive(Default)]
pub(crate) struct Crowd {
    pub(crate) closing: AtomicBool,
    pub(crate) gone: AtomicU64,
}

/// One client.
pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) chance: Chance,
    pub(crate) machines: Vec<Arc<Machine>>,
    pub(crate) crowd: Arc<Crowd>,
}

impl Client {
    pub(crate) async fn live(self) {
        let mut written = 0;
        while !self.crowd.closing.load(Ordering::SeqCst) {
            let operation = self.choose(&mut written);
            let machine = &self.machines[self.chance.index(self.machines.len())];
            // What it says stands in the history.
            let _answer = timeout(PATIENCE, ask(machine, operation)).await;
            sleep(self.chance.millis(THINKING)).await;
        }
        self.crowd.gone.fetch_add(1, Ordering::SeqCst);
    }

    fn choose(&self, written: &mut u64) -> Operation {
        let key = self.chance.index(KEYS);
        match self.chance.below(100) {
            0..70 => {
                let signer = match self.chance.index(ACCESS_KEYS + 1) {
                    0 => Signer::Root,
                    number => Signer::User(number - 1),
                };
                Operation::Use { key, signer }
            }
            70..84 => {
                let switch = match self.chance.below(4) {
                    0 => Switch::AccessKey(self.chance.index(ACCESS_KEYS)),
                    1 => Switch::Policy,
                    _ => Switch::Key(key),
                };
                let to = if self.chance.happens(60) { Position::On } else { Position::Off };
                Operation::Turn { switch, to }
            }
            84..98 => {
                *written += 1;
                Operation::Write { key, writer: self.number, number: *written }
            }
            _ => {
                *written += 1;
                Operation::Create { number: self.number * CREATED + *written }
            }
        }
    }
}

/// Asks one node.
pub(crate) fn ask(machine: &Machine, operation: Operation) -> oneshot::Receiver<Outcome> {
    let (done, answer) = oneshot::channel();
    machine.inbox.put(Job { operation, done });
    answer
}
