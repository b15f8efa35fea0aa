//! Whether a history of one register is linearizable.
//!
//! The search is Wing and Gong's, as Lowe arranged it ("Testing for linearizability", 2017): events are taken in the
//! order of time, and an operation is made to happen only when its return demands it, together with the writes that have
//! to happen before. What is remembered between two events are all the ways things can stand, each once; since one that
//! is left with more freedom can do whatever another can, those that another one covers are forgotten. Libraries that do
//! this search want every operation to have returned; here writes may stay open for ever.

use std::collections::{HashMap, HashSet};

use super::{Act, Op};

/// One way things can stand: the value, and the operations that were called and have not happened yet.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Standing {
    value: u64,
    /// Positions in the history, ascending. Those that will return.
    open: Vec<usize>,
    /// Writes that nobody heard of, by value: two that write the same are interchangeable.
    adrift: Vec<u64>,
}

/// The position of the operation at whose return no order was left.
pub fn check(initial: u64, ops: &[Op]) -> Result<(), usize> {
    let seen: HashSet<u64> = ops.iter().filter_map(Op::read).collect();
    // A write that nobody heard of and nobody saw may as well never happen.
    let matters = |op: &Op| op.end.is_some() || op.written().is_some_and(|value| seen.contains(&value));
    let mut events: Vec<(_, bool, usize)> = Vec::new();
    for (at, op) in ops.iter().enumerate().filter(|(_, op)| matters(op)) {
        // At one instant calls come before returns: then the two operations overlap, which allows more.
        events.push((op.start, false, at));
        events.extend(op.end.map(|end| (end, true, at)));
    }
    events.sort_unstable();
    let mut standings = vec![Standing { value: initial, open: Vec::new(), adrift: Vec::new() }];
    for (_, returns, at) in events {
        if returns {
            standings = settled(ops, standings, at);
        } else {
            for standing in &mut standings {
                standing.call(ops, at);
            }
        }
        if standings.is_empty() {
            return Err(at);
        }
    }
    Ok(())
}

/// Every way in which the operation has happened.
fn settled(ops: &[Op], standings: Vec<Standing>, at: usize) -> Vec<Standing> {
    let mut found = HashSet::new();
    let mut visited = HashSet::new();
    let mut unvisited = standings;
    while let Some(standing) = unvisited.pop() {
        if !standing.open.contains(&at) {
            found.insert(standing);
        } else if visited.insert(standing.clone()) {
            standing.next(ops, &mut unvisited);
        }
    }
    uncovered(found)
}

/// Leaves out those that can do nothing another one could not: same value, same open operations, fewer writes in hand.
fn uncovered(found: HashSet<Standing>) -> Vec<Standing> {
    let mut groups: HashMap<(u64, Vec<usize>), Vec<Vec<u64>>> = HashMap::new();
    for Standing { value, open, adrift } in found {
        let group = groups.entry((value, open)).or_default();
        if group.iter().any(|other| covers(other, &adrift)) {
            continue;
        }
        group.retain(|other| !covers(&adrift, other));
        group.push(adrift);
    }
    let one = |((value, open), group): ((u64, Vec<usize>), Vec<Vec<u64>>)| {
        group.into_iter().map(move |adrift| Standing { value, open: open.clone(), adrift })
    };
    groups.into_iter().flat_map(one).collect()
}

/// Whether one sorted list has all that the other has.
fn covers(more: &[u64], less: &[u64]) -> bool {
    let mut rest = more.iter();
    less.iter().all(|value| rest.any(|other| other == value))
}

impl Standing {
    fn call(&mut self, ops: &[Op], at: usize) {
        let op = &ops[at];
        match op.act {
            // A reading changes nothing: where it can happen at once, it has.
            Act::Read(value) if value == self.value => {}
            Act::Write(value) if op.end.is_none() => {
                let place = self.adrift.partition_point(|other| *other < value);
                self.adrift.insert(place, value);
            }
            Act::Read(_) | Act::Write(_) => {
                let place = self.open.partition_point(|other| *other < at);
                self.open.insert(place, at);
            }
        }
    }

    /// All that can come of one more write.
    fn next(&self, ops: &[Op], to: &mut Vec<Self>) {
        for (place, at) in self.open.iter().enumerate() {
            if let Some(value) = ops[*at].written() {
                let mut next = self.clone();
                next.open.remove(place);
                to.push(next.holding(ops, value));
            }
        }
        for (place, value) in self.adrift.iter().enumerate() {
            let first = place == 0 || self.adrift.get(place - 1) != Some(value);
            if first && *value != self.value {
                let mut next = self.clone();
                next.adrift.remove(place);
                to.push(next.holding(ops, *value));
            }
        }
    }

    /// Takes the value, and with it every open reading of it.
    fn holding(mut self, ops: &[Op], value: u64) -> Self {
        self.value = value;
        self.open.retain(|at| ops[*at].read() != Some(value));
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Act, Object, Op};
    use super::check;
    use Act::{Read, Write};

    /// An operation in milliseconds: its start, its end, or 0 where that is unknown, and what it was.
    type Written = (u64, u64, Act);

    /// Operations of a register that begins as 1.
    fn history(ops: &[Written]) -> Vec<Op> {
        let one = |&(start, end, act): &Written| Op {
            object: Object::Key(0),
            node: 0,
            act,
            start: Duration::from_millis(start),
            end: (end > 0).then(|| Duration::from_millis(end)),
        };
        ops.iter().map(one).collect()
    }

    #[test]
    fn linearizable() {
        let cases: &[&[Written]] = &[
            &[],
            &[(1, 2, Read(1)), (3, 4, Write(0)), (5, 6, Read(0))],
            // Under way, either may be read, the new one only after the old one.
            &[(1, 9, Write(0)), (2, 3, Read(1)), (4, 5, Read(0)), (6, 7, Read(0))],
            // A reading that overlaps the write and lasts longer.
            &[(1, 3, Write(0)), (2, 8, Read(1))],
            // Two writes at a time happen in the order that the readings need.
            &[(1, 9, Write(2)), (1, 9, Write(3)), (2, 4, Read(3)), (5, 6, Read(2)), (10, 11, Read(2))],
            // Nobody heard of it: it never happened, it happened late, it happened after another write.
            &[(1, 0, Write(0)), (2, 3, Read(1))],
            &[(1, 0, Write(0)), (2, 3, Read(1)), (8, 9, Read(0))],
            &[(1, 0, Write(0)), (2, 3, Write(1)), (4, 5, Read(1)), (6, 7, Read(0))],
            // Each of them may happen once.
            &[(1, 0, Write(0)), (1, 0, Write(0)), (2, 3, Read(0)), (4, 5, Write(1)), (6, 7, Read(0))],
            // Touching at one instant counts as overlapping.
            &[(1, 2, Write(0)), (2, 3, Read(1))],
        ];
        for case in cases {
            assert_eq!(check(1, &history(case)), Ok(()), "{case:?}");
        }
    }

    #[test]
    fn not_linearizable() {
        let cases: &[(&[Written], usize)] = &[
            // Stale: the write had returned.
            (&[(1, 2, Write(0)), (3, 4, Read(1))], 1),
            // Back and forth within one write.
            (&[(1, 9, Write(0)), (2, 3, Read(0)), (4, 5, Read(1))], 2),
            // Never written.
            (&[(1, 2, Read(7))], 0),
            (&[(1, 2, Write(0)), (3, 4, Write(1)), (5, 6, Read(0))], 2),
            // Two orders of the same two writes.
            (&[(1, 2, Write(2)), (1, 2, Write(3)), (3, 4, Read(2)), (5, 6, Read(3))], 3),
            // From the future.
            (&[(1, 2, Read(0)), (3, 4, Write(0))], 0),
            // One unheard write cannot happen twice.
            (&[(1, 0, Write(0)), (2, 3, Read(0)), (4, 5, Write(1)), (6, 7, Read(0))], 3),
            // It cannot happen before it was asked for.
            (&[(1, 2, Read(0)), (3, 0, Write(0))], 0),
        ];
        for (case, stuck) in cases {
            assert_eq!(check(1, &history(case)), Err(*stuck), "{case:?}");
        }
    }

    #[test]
    fn many_unheard_writes_stay_cheap() {
        let mut ops = Vec::new();
        for round in 0..2000 {
            let start = round * 10 + 1;
            ops.push((start, 0, Write(round % 2)));
            ops.push((start + 3, start + 5, Read(u64::from(round % 40 < 20))));
        }
        assert_eq!(check(1, &history(&ops)), Ok(()));
    }
}
