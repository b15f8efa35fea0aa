//! What goes wrong: a plan of faults, each with its beginning and its end.

use std::ops::Range;
use std::time::Duration;

use crate::chance::Chance;
use crate::node::MEMBERS;

/// When faults begin, in milliseconds of the run.
const BEGIN: Range<u64> = 1500..8500;
/// How long they last.
const LAST: Range<u64> = 100..3000;
/// Fewest and most in one run.
const COUNT: Range<u64> = 2..8;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// etcd forgets what it can.
    Compact,
    /// The process of a member ends.
    CrashMember { member: u64 },
    /// The process of a node ends.
    CrashNode { node: u64 },
    /// Packets between a node and a member are lost, until connections end.
    Cut { node: u64, member: u64 },
    /// The same towards all members.
    CutOff { node: u64 },
    /// etcd takes long for everything.
    Delays { longest_ms: u64 },
    /// etcd's leases run out.
    ExpireLeases,
    /// Packets between a node and a member wait, and come in the end.
    Hold { node: u64, member: u64 },
    /// The same towards all members.
    HoldOff { node: u64 },
    /// Watches tell nothing, and etcd forgets meanwhile.
    HoldWatches,
    /// A member is without the others.
    Isolate { member: u64 },
    /// A member's watches are late.
    Lag { member: u64, by_ms: u64 },
    /// Packets between a node and a member take long.
    Latency { node: u64, member: u64, millis: u64 },
    /// A node is stopped, while the time goes on.
    Stop { node: u64 },
}

/// A fault with its times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
}

/// The plan of one run among so many nodes.
pub(crate) fn plan(chance: &Chance, nodes: u64) -> Vec<Planned> {
    let count = COUNT.start + chance.below(COUNT.end - COUNT.start);
    let planned = (0..count).map(|_| {
        let begin = chance.millis(BEGIN);
        Planned { fault: fault(chance, nodes), begin, end: begin + chance.millis(LAST) }
    });
    planned.collect()
}

fn fault(chance: &Chance, nodes: u64) -> Fault {
    let (node, member) = (1 + chance.below(nodes), 1 + chance.below(MEMBERS));
    match chance.below(20) {
        0 => Fault::Compact,
        1 => Fault::CrashMember { member },
        2..4 => Fault::CrashNode { node },
        4 => Fault::Cut { node, member },
        5..7 => Fault::CutOff { node },
        7 => Fault::Delays { longest_ms: 20 + chance.below(600) },
        8 => Fault::ExpireLeases,
        9 => Fault::Hold { node, member },
        10..13 => Fault::HoldOff { node },
        13 => Fault::HoldWatches,
        14 => Fault::Isolate { member },
        15..17 => Fault::Lag { member, by_ms: 50 + chance.below(1500) },
        17 => Fault::Latency { node, member, millis: 5 + chance.below(150) },
        _ => Fault::Stop { node },
    }
}
