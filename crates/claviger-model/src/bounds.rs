//! How large a model is, and how long its leases are.

use crate::node_step::NodeStep;

/// What limits the states of a model, and its times in ticks.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// A line of the report.
    pub name: &'static str,
    /// How many nodes serve.
    pub nodes: u8,
    /// How many nodes write.
    pub writers: u8,
    /// Most commits.
    pub commits: u8,
    /// Most registrations, the first ones included.
    pub ids: u8,
    /// Most deletions of registrations by etcd and most leaves, together.
    pub departures: u8,
    /// L: how long a lease lasts by the clock of its node.
    pub lease: u8,
    /// How much longer it may last in true time, because that clock is slow.
    pub slow: u8,
    /// How much too early a writer's wait may end in true time, because its clock is fast; and how much too late.
    pub fast: u8,
    /// Steps of nodes that are left out to keep the model small.
    pub without: &'static [NodeStep],
}

const NO_FILLS_OR_STOPS: &[NodeStep] = &[NodeStep::FillRead, NodeStep::Stop];

impl Bounds {
    /// One node and one writer with everything that can go wrong, at lengths that a test has time for.
    pub const SHORT: Self = Self {
        name: "one node, every fault, short lease",
        nodes: 1,
        writers: 1,
        commits: 1,
        ids: 2,
        departures: 1,
        lease: 1,
        slow: 1,
        fast: 0,
        without: &[],
    };
    /// The same with a longer lease.
    pub const WHOLE: Self = Self { name: "one node, every fault", lease: 2, ..Self::SHORT };
    /// Both clocks off at once.
    pub const TWO_CLOCKS: Self =
        Self { name: "one slow node, one fast writer", fast: 1, without: NO_FILLS_OR_STOPS, ..Self::WHOLE };
    /// Two revocations, which may overlap.
    pub const TWO_COMMITS: Self =
        Self { name: "two revocations", commits: 2, without: NO_FILLS_OR_STOPS, ..Self::SHORT };
    /// Two writers, of which one may repeat what the other has not answered.
    pub const TWO_WRITERS: Self =
        Self { name: "two writers", writers: 2, ids: 1, without: NO_FILLS_OR_STOPS, ..Self::SHORT };
    /// Two nodes.
    pub const TWO_NODES: Self =
        Self { name: "two nodes", nodes: 2, without: NO_FILLS_OR_STOPS, ..Self::SHORT };
    /// Three nodes on clocks that agree, whose registrations last.
    pub const THREE_NODES: Self = Self {
        name: "three nodes, equal clocks, no departures",
        nodes: 3,
        ids: 3,
        departures: 0,
        slow: 0,
        without: &[
            NodeStep::Crash,
            NodeStep::FillRead,
            NodeStep::Leave,
            NodeStep::RenewalLost,
            NodeStep::Reread,
            NodeStep::Stop,
        ],
        ..Self::SHORT
    };
}
