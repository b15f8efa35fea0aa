//! A cluster small enough to be right by inspection, with a mistake that can be put into it: it shows that the judge
//! finds what it is for. Time is counted in steps and chance comes from a seed, so every run is the same run.

use std::time::Duration;

use super::{Act, OFF, ON, Object, Op, judge};
use crate::chance::Chance;

const NODES: usize = 3;
const CLIENTS: usize = 6;
const STEPS: u64 = 20_000;
/// For how many steps a forgotten cache keeps what it has.
const STALE_STEPS: u64 = 60;

/// How a commit treats the caches of the other nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    /// It returns once they have dropped what it changed.
    Right,
    /// The mistake: it returns at once, and they drop it a while later.
    StaleCache,
}

/// What a client is in the middle of. Each step does one part of it.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Nothing,
    /// Asked; nothing was looked at yet.
    Reading {
        start: u64,
    },
    Read {
        start: u64,
        value: u64,
    },
    Writing {
        start: u64,
        value: u64,
    },
    /// Stored; so many nodes have dropped their cache.
    Stored {
        start: u64,
        value: u64,
        dropped: usize,
    },
}

struct Toy {
    protocol: Protocol,
    now: u64,
    stored: u64,
    caches: [Option<u64>; NODES],
    /// When a forgotten cache is dropped at last.
    due: [Option<u64>; NODES],
    chance: Chance,
    ops: Vec<Op>,
}

impl Toy {
    fn history(protocol: Protocol, seed: u64) -> Vec<Op> {
        let chance = Chance::new(seed);
        let (caches, due) = ([None; NODES], [None; NODES]);
        let mut toy = Self { protocol, now: 0, stored: ON, caches, due, chance, ops: Vec::new() };
        let mut clients = [Doing::Nothing; CLIENTS];
        while toy.now < STEPS {
            toy.now += 1;
            let client = toy.chance.below(CLIENTS);
            clients[client] = toy.step(client, clients[client]);
            toy.drop_late();
        }
        for doing in clients {
            if let Doing::Writing { start, value } | Doing::Stored { start, value, .. } = doing {
                let (act, start) = (Act::Write(value), Duration::from_micros(start));
                toy.ops.push(Op { object: Object::Key(0), node: 0, act, start, end: None });
            }
        }
        toy.ops
    }

    /// Client 0 writes, the others read, each on its node.
    fn step(&mut self, client: usize, doing: Doing) -> Doing {
        let node = client % NODES;
        match doing {
            Doing::Nothing if client == 0 && self.chance.one_in(4) => {
                Doing::Writing { start: self.now, value: if self.chance.one_in(2) { ON } else { OFF } }
            }
            Doing::Nothing if client == 0 => Doing::Nothing,
            Doing::Nothing => Doing::Reading { start: self.now },
            Doing::Reading { start } => {
                let value = *self.caches[node].get_or_insert(self.stored);
                Doing::Read { start, value }
            }
            Doing::Read { start, value } => self.record(node, start, Act::Read(value)),
            Doing::Writing { start, value } => {
                self.stored = value;
                Doing::Stored { start, value, dropped: 0 }
            }
            Doing::Stored { start, value, dropped } => match self.protocol {
                Protocol::Right if dropped < NODES => {
                    self.caches[dropped] = None;
                    Doing::Stored { start, value, dropped: dropped + 1 }
                }
                Protocol::Right => self.record(node, start, Act::Write(value)),
                Protocol::StaleCache => {
                    self.caches[node] = None;
                    self.due = [Some(self.now + STALE_STEPS); NODES];
                    self.record(node, start, Act::Write(value))
                }
            },
        }
    }

    fn record(&mut self, node: usize, start: u64, act: Act) -> Doing {
        let at = Duration::from_micros;
        self.ops.push(Op { object: Object::Key(0), node, act, start: at(start), end: Some(at(self.now)) });
        Doing::Nothing
    }

    fn drop_late(&mut self) {
        for (cache, due) in self.caches.iter_mut().zip(&mut self.due) {
            if due.is_some_and(|due| due <= self.now) {
                *due = None;
                *cache = None;
            }
        }
    }
}

#[test]
fn a_right_cluster_is_accepted() {
    let mut uneven = 0;
    for seed in 0..20 {
        let verdict = judge(&Toy::history(Protocol::Right, seed));
        assert_eq!(verdict.violations, Vec::<String>::new(), "seed {seed}");
        uneven += verdict.uneven;
    }
    assert!(uneven > 0, "nodes that differ while a write is under way were to be seen");
}

#[test]
fn a_stale_cache_is_caught() {
    for seed in 0..20 {
        let verdict = judge(&Toy::history(Protocol::StaleCache, seed));
        let found = |what: &str| verdict.violations.iter().any(|violation| violation.contains(what));
        assert!(found("not linearizable"), "seed {seed}: by the search");
        assert!(found("honoured after its revocation"), "seed {seed}: directly");
    }
}
