//! Checks the protocol exhaustively, and that each of its rules is needed.

use std::fmt;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::bounds::Bounds;
use crate::protocol::{Protocol, Step};
use crate::rule::Rule;

/// What a check has found.
#[derive(Debug)]
pub struct Report {
    /// What was checked.
    pub protocol: Protocol,
    /// How many different states were visited.
    pub states: usize,
    /// How many steps the farthest of them is away.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// The property that does not hold, and the shortest way there.
    pub violation: Option<(&'static str, Vec<Step>)>,
    /// What should have been possible and was not.
    pub impossible: Vec<&'static str>,
    /// How many things were shown to be possible.
    pub possible: usize,
}

/// The protocol within all these bounds, then without each rule within `broken`.
pub fn suite(whole: &[Bounds], broken: &Bounds) -> Vec<Protocol> {
    let protocol = |bounds: &Bounds| Protocol { bounds: bounds.clone(), left_out: None };
    let without = |rule: &Rule| Protocol { bounds: broken.clone(), left_out: Some(*rule) };
    whole.iter().map(protocol).chain(Rule::ALL.iter().map(without)).collect()
}

/// Checks all of them, as many at a time as there are processors, and hands each report over in order.
pub fn check_all(protocols: Vec<Protocol>, mut report: impl FnMut(&Report)) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (to, from) = mpsc::channel();
    let queue = Mutex::new(protocols.into_iter().enumerate());
    thread::scope(|scope| {
        for _ in 0..threads {
            let (to, queue) = (to.clone(), &queue);
            scope.spawn(move || {
                let next = || queue.lock().expect("nothing panics while holding it").next();
                while let Some((place, protocol)) = next() {
                    to.send((place, check(protocol))).expect("the receiver outlives the scope");
                }
            });
        }
        drop(to);
        let mut early = Vec::new();
        let mut place = 0;
        for arrived in &from {
            early.push(arrived);
            while let Some(found) = early.iter().position(|(at, _)| *at == place) {
                report(&early.swap_remove(found).1);
                place += 1;
            }
        }
    });
}

/// Visits every state, or as many as it takes to find a violation.
pub fn check(protocol: Protocol) -> Report {
    let start = Instant::now();
    // One thread, breadth first: the first violation found is a shortest one, in every run the same.
    let checker =
        protocol.clone().checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let mut found = checker.discoveries();
    let mut report = Report {
        protocol,
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        took: start.elapsed(),
        violation: None,
        impossible: Vec::new(),
        possible: 0,
    };
    for property in report.protocol.properties() {
        let path = found.remove(property.name);
        match (property.expectation.discovery_is_failure(), path) {
            (true, Some(path)) => report.violation = Some((property.name, path.into_actions())),
            (true, None) => {}
            (false, Some(_)) => report.possible += 1,
            (false, None) => report.impossible.push(property.name),
        }
    }
    report
}

impl Report {
    /// Whether the whole protocol holds, or the broken one fails in the way it should.
    pub fn is_as_expected(&self) -> bool {
        match (self.protocol.left_out, &self.violation) {
            (None, None) => self.impossible.is_empty(),
            (Some(rule), Some((property, _))) => rule.property() == *property,
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.is_as_expected(), self.protocol.left_out) {
            (false, _) => "WRONG ",
            (true, None) => "holds ",
            (true, Some(_)) => "caught",
        };
        let name = self.protocol.left_out.map_or(self.protocol.bounds.name, Rule::left_out);
        let seconds = self.took.as_secs_f32();
        write!(f, "{verdict}  {name}: {} states, depth {}, {seconds:.1} s", self.states, self.depth)?;
        if self.possible > 0 {
            write!(f, ", {} examples possible", self.possible)?;
        }
        for name in &self.impossible {
            write!(f, "\n        never: {name}")?;
        }
        if let Some((property, steps)) = &self.violation {
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            write!(f, "\n        not so: {property}\n        {}", steps.join("; "))?;
        }
        Ok(())
    }
}
