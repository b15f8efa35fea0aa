//! The protocol as a [`Model`]: which steps there are, and what must hold.

use std::fmt;

use stateright::{Model, Property};

use crate::bounds::Bounds;
use crate::node_step::NodeStep;
use crate::rule::Rule;
use crate::state::{Event, Id, Node, Power, Standing, State};
use crate::writer_step::WriterStep;

/// No state older than an answered revocation is served.
pub const SAFE: &str = "no node serves state from before a revocation that was answered";
/// Nobody can hold up a revocation.
pub const BOUNDED: &str = "a revocation is free to be answered L and the margin after it was stored";

/// The protocol within bounds, whole or without one rule.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// How large.
    pub bounds: Bounds,
    /// The rule to do without.
    pub left_out: Option<Rule>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// etcd lets a registration expire; its clock is not trusted, so that may be at any time.
    Delete(Id),
    /// The serving side of a node does something, or something is done for it.
    Node(usize, NodeStep),
    /// True time goes on.
    Tick,
    /// The writing side of a node does something.
    Writer(usize, WriterStep),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete(id) => write!(f, "etcd: Delete id {id}"),
            Self::Node(node, step) => write!(f, "node {node}: {step:?}"),
            Self::Tick => f.write_str("Tick"),
            Self::Writer(writer, step) => write!(f, "writer {writer}: {step:?}"),
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(&self.bounds, self.earliest_end())]
    }

    fn actions(&self, _: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick);
        steps.extend((0..self.bounds.ids).map(Step::Delete));
        for node in 0..usize::from(self.bounds.nodes) {
            steps.extend(
                NodeStep::ALL
                    .iter()
                    .filter(|step| !self.bounds.without.contains(step))
                    .map(|step| Step::Node(node, *step)),
            );
        }
        for writer in 0..usize::from(self.bounds.writers) {
            steps.extend(WriterStep::ALL.iter().map(|step| Step::Writer(writer, *step)));
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Delete(id) => self.depart(&mut next, Event::Deleted(id), id)?,
            Step::Node(node, step) => self.step_of_a_node(&mut next, node, step)?,
            Step::Tick => self.tick(&mut next),
            Step::Writer(writer, step) => self.step_of_a_writer(&mut next, writer, step)?,
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = vec![Property::always(SAFE, Self::is_safe), Property::always(BOUNDED, Self::is_bounded)];
        // A smaller model cannot show all of them, and need not.
        if self.left_out.is_some() || !self.bounds.without.is_empty() {
            return always;
        }
        let sometimes = EXAMPLES.iter().map(|(name, condition)| Property::sometimes(name, *condition));
        always.into_iter().chain(sometimes).collect()
    }
}

type Condition = fn(&Protocol, &State) -> bool;

/// What must be possible, or the model would be safe for the wrong reason.
const EXAMPLES: &[(&str, Condition)] = &[
    ("a revocation is answered by the fast path while a node serves", |model, state| {
        let early = |age: u8| age < model.bounds.lease;
        let fast = state.writers.iter().any(|writer| {
            writer.wait.is_some_and(|wait| early(wait.age) && model.is_reached(state, writer, wait))
        });
        fast && state.nodes.iter().any(|node| model.serves(node).is_some())
    }),
    ("a revocation is answered by the slow path past a dead node", |model, state| {
        let slow = |age: u8| age >= model.earliest_end();
        let past = state.writers.iter().any(|writer| {
            writer.wait.is_some_and(|wait| slow(wait.age) && !model.is_reached(state, writer, wait))
        });
        past && state.nodes[0].power == Power::Down
    }),
    ("a node serves an old state while the revocation waits", |model, state| {
        state.nodes.iter().any(|node| model.serves(node).is_some_and(|version| version < state.log.head()))
    }),
    ("a stopped node wakes past its lease", |model, state| {
        let past = |node: &Node| node.lease.is_some_and(|age| age >= model.lease_end());
        state.nodes.iter().any(|node| node.power == Power::Running && node.cached.is_some() && past(node))
    }),
    ("a node serves under a new registration", |model, state| {
        let new = |node: &Node| node.id.is_some_and(|id| id >= model.bounds.nodes);
        state.nodes.iter().any(|node| new(node) && model.serves(node).is_some())
    }),
    ("a node serves whose registration was deleted", |model, state| {
        let deleted = |id: Id| model.standing(state, id) == Standing::Deleted;
        state.nodes.iter().any(|node| node.id.is_some_and(deleted) && model.serves(node).is_some())
    }),
];

impl Protocol {
    /// Whether the rule is in force.
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.left_out != Some(rule)
    }

    /// The first age at which no lease is valid, on any clock that keeps to its bound.
    pub(crate) fn lease_end(&self) -> u8 {
        self.bounds.lease + self.bounds.slow
    }

    /// The first age at which a writer's clock may say that L and the margin are over.
    pub(crate) fn earliest_end(&self) -> u8 {
        (self.bounds.lease + self.margin()).saturating_sub(self.bounds.fast)
    }

    /// The first age at which every writer's clock says so.
    pub(crate) fn latest_end(&self) -> u8 {
        self.bounds.lease + self.margin() + self.bounds.fast
    }

    /// What etcd holds of an id now.
    pub(crate) fn standing(&self, state: &State, id: Id) -> Standing {
        state.log.standing(id, state.log.length(), self.bounds.nodes)
    }

    /// Stores that a registered node is one no more.
    pub(crate) fn depart(&self, state: &mut State, event: Event, id: Id) -> Option<()> {
        let may = self.standing(state, id) == Standing::Registered
            && state.log.departures() < self.bounds.departures;
        may.then(|| state.log.push(event))
    }

    /// The version that a node would decide a request on, if it took one now and has it cached. Without a cached one it asks the
    /// store, whose answer is always new enough.
    fn serves(&self, node: &Node) -> Option<u8> {
        let age = node.lease?;
        let valid = age < self.lease_end() || !self.keeps(Rule::CheckOnRequest);
        if node.power == Power::Running && valid { node.cached } else { None }
    }

    fn is_safe(&self, state: &State) -> bool {
        !state.nodes.iter().any(|node| self.serves(node).is_some_and(|version| version < state.returned))
    }

    fn is_bounded(&self, state: &State) -> bool {
        state.writers.iter().all(|writer| {
            writer
                .wait
                .is_none_or(|wait| wait.age < self.latest_end() || self.may_answer(state, writer, wait))
        })
    }

    fn margin(&self) -> u8 {
        let whole = self.bounds.slow + self.bounds.fast;
        match self.left_out {
            Some(Rule::DriftMargin) => 0,
            Some(Rule::WholeDriftMargin) => whole - 1,
            _ => whole,
        }
    }

    fn tick(&self, state: &mut State) {
        let older = |age: u8, end: u8| if age < end { age + 1 } else { end };
        for node in &mut state.nodes {
            if node.power == Power::Stopped && !self.keeps(Rule::ClockCountsStops) {
                continue;
            }
            node.lease = node.lease.map(|age| older(age, self.lease_end()));
            if node.power == Power::Running && node.lease == Some(self.lease_end()) {
                node.lease = None;
            }
            if let Some(renewal) = &mut node.renewal {
                renewal.age = older(renewal.age, self.lease_end());
            }
        }
        for writer in &mut state.writers {
            writer.fresh = older(writer.fresh, self.earliest_end());
            for age in &mut writer.deleted {
                *age =
                    age.map(|age| older(age, self.earliest_end())).filter(|age| *age < self.earliest_end());
            }
            if let Some(wait) = &mut writer.wait {
                wait.age = older(wait.age, self.latest_end());
            }
        }
    }
}
