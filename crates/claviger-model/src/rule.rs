//! The rules of the protocol, one by one, so that each can be left out to see what it is for.

use crate::protocol::{BOUNDED, SAFE};

/// A rule that makes the protocol safe, or an assumption that it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A node acknowledges a commit only after its caches dropped what the commit wrote.
    AcknowledgeAfterDrop,
    /// Each request looks at the clock before it looks at cached state.
    CheckOnRequest,
    /// The clock of a lease goes on while the node stands still.
    ClockCountsStops,
    /// A node whose watch was compacted drops all caches.
    CompactionDropsCaches,
    /// A node whose registration was deleted counts as serving until its leases have run out.
    DeletionGrace,
    /// What waits for a lease to run out waits longer than the lease, by the bound on the clocks' drift.
    DriftMargin,
    /// Who has just read the registry waits for the nodes that were deleted before.
    FreshRegistryGrace,
    /// That wait counts from the answer of the read, not from its start.
    GraceFromAnswer,
    /// A lease counts from the start of its renewal, not from the answer.
    LeaseFromStart,
    /// A node that leaves says so only after it has stopped serving.
    LeaveAfterStop,
    /// A renewal is a linearizable read.
    LinearizableRenewal,
    /// A renewal reads the node's own registration and gives no lease without it.
    OwnRegistration,
    /// The fast path needs a view of the registry at least as new as the commit.
    RegistryAsOfCommit,
    /// A revocation that finds its work done already waits like the commit that did it.
    RepeatWaits,
    /// A writer waits for no node longer than that node's leases can last.
    SlowPath,
    /// Reading the registry afresh does not prolong a wait that is under way.
    SlowPathRegardless,
    /// An answer from the store older than what the watch has applied fills no cache.
    StaleFillRefused,
    /// The wait after a commit counts from the answer, not from the request.
    WaitFromAnswer,
    /// A lease is usable only once the watch has applied the newest commit that its renewal saw.
    WatchBeforeLease,
    /// The margin covers a slow node and a fast writer at once.
    WholeDriftMargin,
}

impl Rule {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AcknowledgeAfterDrop,
        Self::CheckOnRequest,
        Self::ClockCountsStops,
        Self::CompactionDropsCaches,
        Self::DeletionGrace,
        Self::DriftMargin,
        Self::FreshRegistryGrace,
        Self::GraceFromAnswer,
        Self::LeaseFromStart,
        Self::LeaveAfterStop,
        Self::LinearizableRenewal,
        Self::OwnRegistration,
        Self::RegistryAsOfCommit,
        Self::RepeatWaits,
        Self::SlowPath,
        Self::SlowPathRegardless,
        Self::StaleFillRefused,
        Self::WaitFromAnswer,
        Self::WatchBeforeLease,
        Self::WholeDriftMargin,
    ];

    /// The property that does not hold without it.
    pub fn property(self) -> &'static str {
        match self {
            Self::SlowPath | Self::SlowPathRegardless => BOUNDED,
            _ => SAFE,
        }
    }

    /// What is done instead when the rule is left out, as a line of the report.
    pub fn left_out(self) -> &'static str {
        match self {
            Self::AcknowledgeAfterDrop => "a commit is acknowledged before the caches are dropped",
            Self::CheckOnRequest => "requests do not look at the clock; a timer closes the node",
            Self::ClockCountsStops => "the clock stands while the machine is suspended",
            Self::CompactionDropsCaches => "the caches survive a compacted watch",
            Self::DeletionGrace => "a deleted registration is dropped at once",
            Self::DriftMargin => "no drift margin",
            Self::FreshRegistryGrace => "a fresh writer knows of no deleted nodes and does not wait for them",
            Self::GraceFromAnswer => "a fresh writer's wait counts from the start of its read",
            Self::LeaseFromStart => "a lease counts from the renewal's answer",
            Self::LeaveAfterStop => "a leave is announced before serving stops",
            Self::LinearizableRenewal => "renewals are answered by a lagging member",
            Self::OwnRegistration => "a renewal does not look at its own registration",
            Self::RegistryAsOfCommit => "the fast path trusts a registry older than the commit",
            Self::RepeatWaits => "a repeated revocation finds its work done and answers at once",
            Self::SlowPath => "a writer waits for every acknowledgement, however long",
            Self::SlowPathRegardless => "a writer that reads the registry afresh waits anew",
            Self::StaleFillRefused => "a late answer from the store fills the cache",
            Self::WaitFromAnswer => "a writer's wait counts from the commit's request",
            Self::WatchBeforeLease => "a lease is usable before the watch has caught up",
            Self::WholeDriftMargin => "a margin that is one tick short",
        }
    }
}
