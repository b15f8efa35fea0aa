//! What clients did and were told, with the times of both ends of every request, and what may be concluded from it.
//!
//! Three kinds of object are watched, each a register of one value: whether a key is enabled, whether an access key is
//! active, and a tag. An encryption that succeeded read both the key's state and the access key's; they are two separate
//! readings, because admitting a caller and loading the key it names are two separate steps.
//!
//! What must hold, of each object and each node: the node's readings and everybody's writes are linearizable. So a node
//! never goes back, and no reading that starts after a write returned is older than that write, whichever node took it.
//! While a revocation is *under way*, one node may already refuse while another still serves, and that is all the product
//! promises less than one linearizable register for the whole cluster.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

mod invariants;
mod register;
#[cfg(test)]
mod toy;

pub use invariants::{kept, revoked};

/// What the values of a state mean. Tags have values of their own, all different.
pub const OFF: u64 = 0;
pub const ON: u64 = 1;

/// One thing that has a state.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Object {
    /// Whether an access key is active.
    AccessKey(usize),
    /// Whether a key is enabled.
    Key(usize),
    Tag(usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    Read(u64),
    Write(u64),
}

/// One reading or writing of one object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Op {
    pub object: Object,
    /// The node that was asked.
    pub node: usize,
    pub act: Act,
    /// Before the first byte was sent, on the one clock of the history.
    pub start: Duration,
    /// After the last byte came. Absent where nobody said what became of it: a write may then have happened at any time
    /// since its start, or may happen yet. There are no such readings.
    pub end: Option<Duration>,
}

impl Op {
    /// Whether it was over before that moment.
    fn ended_before(&self, moment: Duration) -> bool {
        self.end.is_some_and(|end| end < moment)
    }

    fn written(&self) -> Option<u64> {
        match self.act {
            Act::Read(_) => None,
            Act::Write(value) => Some(value),
        }
    }

    fn read(&self) -> Option<u64> {
        match self.act {
            Act::Read(value) => Some(value),
            Act::Write(_) => None,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, value) = match self.act {
            Act::Read(value) => ("read", value),
            Act::Write(value) => ("wrote", value),
        };
        let start = self.start.as_secs_f64();
        write!(to, "{start:.6} s .. ")?;
        match self.end {
            Some(end) => write!(to, "{:.6} s", end.as_secs_f64())?,
            None => write!(to, "unknown")?,
        }
        write!(to, ": {verb} {value} at node {}", self.node + 1)
    }
}

/// The one clock of a history.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn read(self) -> Duration {
        self.0.elapsed()
    }
}

/// What was found out about a history.
#[derive(Debug, Default)]
pub struct Verdict {
    pub objects: usize,
    pub ops: usize,
    /// Empty where all is well.
    pub violations: Vec<String>,
    /// Objects whose readings on all nodes together are not those of a single register: a node still served while a
    /// write was under way that another had applied. Allowed, and worth knowing.
    pub uneven: usize,
}

/// Judges a whole history. Every object begins as [`ON`].
pub fn judge(ops: &[Op]) -> Verdict {
    let objects: BTreeSet<Object> = ops.iter().map(|op| op.object).collect();
    let mut verdict = Verdict { objects: objects.len(), ops: ops.len(), ..Verdict::default() };
    for object in objects {
        let of_object: Vec<Op> = ops.iter().filter(|op| op.object == object).copied().collect();
        let nodes: BTreeSet<usize> = of_object.iter().map(|op| op.node).collect();
        for node in nodes {
            let seen: Vec<Op> =
                of_object.iter().filter(|op| op.node == node || op.written().is_some()).copied().collect();
            if let Err(stuck) = register::check(ON, &seen) {
                verdict.violations.push(format!(
                    "{object:?} on node {}: {}",
                    node + 1,
                    explain(&seen, stuck)
                ));
            }
        }
        verdict.uneven += usize::from(register::check(ON, &of_object).is_err());
        verdict.violations.extend(revoked(&of_object));
    }
    verdict
}

/// The operation that fits nowhere, and the writes around it.
fn explain(ops: &[Op], stuck: usize) -> String {
    let op = ops[stuck];
    let until = op.end.unwrap_or(op.start);
    let mut writes: Vec<&Op> =
        ops.iter().filter(|other| other.written().is_some() && other.start <= until).collect();
    writes.sort_by_key(|write| write.start);
    let around = writes.iter().rev().take(4).rev().map(|write| format!("\n      {write}"));
    format!("not linearizable\n      {op}; the writes before it:{}", around.collect::<String>())
}
