//! What the serving side of a node does: it follows the watch, renews its lease, fills its cache, registers and leaves.

use crate::protocol::Protocol;
use crate::rule::Rule;
use crate::state::{Event, Node, Power, Reading, Renewal, Standing, State};

/// A step of a node. Whatever a node is not seen to do is delayed, as long as the checker likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStep {
    /// It tells etcd the version it has applied.
    Acknowledge,
    /// Its watch applies the next commit.
    Apply,
    /// It goes on after a stop.
    Continue,
    /// It dies.
    Crash,
    /// The store's answer reaches the cache.
    FillAnswered,
    /// A request finds nothing cached, and etcd reads the record for it.
    FillRead,
    /// It leaves cleanly.
    Leave,
    /// Its watch shows that its registration was deleted.
    NoticeDeletion,
    /// It registers under a new id.
    Register,
    /// A renewal's answer reaches it, and may be used.
    RenewalAnswered,
    /// A renewal or its answer is lost.
    RenewalLost,
    /// etcd reads what a renewal asks.
    RenewalRead,
    /// It reads its clock and asks for a renewal.
    RenewalSent,
    /// Its watch was compacted: it goes on from the newest revision.
    Reread,
    /// It starts, with nothing in memory.
    Start,
    /// It is stopped.
    Stop,
}

impl NodeStep {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Acknowledge,
        Self::Apply,
        Self::Continue,
        Self::Crash,
        Self::FillAnswered,
        Self::FillRead,
        Self::Leave,
        Self::NoticeDeletion,
        Self::Register,
        Self::RenewalAnswered,
        Self::RenewalLost,
        Self::RenewalRead,
        Self::RenewalSent,
        Self::Reread,
        Self::Start,
        Self::Stop,
    ];

    /// Whether the step is possible in this power.
    fn takes(self, power: Power) -> bool {
        match self {
            Self::Continue => power == Power::Stopped,
            Self::RenewalRead => power != Power::Down,
            Self::Start => power == Power::Down,
            _ => power == Power::Running,
        }
    }
}

impl Protocol {
    /// Does the step; nothing if it is not possible.
    pub(crate) fn step_of_a_node(&self, state: &mut State, node: usize, step: NodeStep) -> Option<()> {
        if !step.takes(state.nodes[node].power) {
            return None;
        }
        match step {
            NodeStep::Acknowledge => return self.acknowledge(state, node),
            NodeStep::FillAnswered => return self.fill_answered(&mut state.nodes[node]),
            NodeStep::Leave => return self.leave(state, node),
            NodeStep::NoticeDeletion => return self.notice_deletion(state, node),
            NodeStep::Register => return self.register(state, node),
            NodeStep::RenewalAnswered => return self.renewal_answered(&mut state.nodes[node]),
            NodeStep::RenewalRead => return self.renewal_read(state, node),
            _ => {}
        }
        let head = state.log.head();
        let node = &mut state.nodes[node];
        match step {
            NodeStep::Apply if node.applied < head => {
                (node.applied, node.cached) = (node.applied + 1, None);
            }
            NodeStep::Continue => node.power = Power::Running,
            NodeStep::Crash => *node = Node::DOWN,
            NodeStep::FillRead if node.cached.is_none() && node.fill.is_none() => node.fill = Some(head),
            NodeStep::RenewalLost => node.renewal = None,
            NodeStep::RenewalSent if node.renewal.is_none() => {
                node.renewal = Some(Renewal { id: node.id?, age: 0, read: None });
            }
            NodeStep::Reread if node.applied < head => {
                node.applied = head;
                node.cached = node.cached.filter(|_| !self.keeps(Rule::CompactionDropsCaches));
            }
            NodeStep::Start => *node = Node { power: Power::Running, applied: head, ..Node::DOWN },
            // A node without a lease can as well be slow.
            NodeStep::Stop if node.lease.is_some() => node.power = Power::Stopped,
            _ => return None,
        }
        Some(())
    }

    fn acknowledge(&self, state: &mut State, node: usize) -> Option<()> {
        let node = &state.nodes[node];
        let version = if self.keeps(Rule::AcknowledgeAfterDrop) { node.applied } else { state.log.head() };
        let acknowledged = &mut state.acknowledged[usize::from(node.id?)];
        *acknowledged = version.max(*acknowledged);
        Some(())
    }

    fn fill_answered(&self, node: &mut Node) -> Option<()> {
        let version = node.fill.take()?;
        if version >= node.applied || !self.keeps(Rule::StaleFillRefused) {
            node.cached = Some(version);
        }
        Some(())
    }

    fn leave(&self, state: &mut State, node: usize) -> Option<()> {
        let id = state.nodes[node].id?;
        self.depart(state, Event::Left(id), id)?;
        let node = &mut state.nodes[node];
        node.id = None;
        if self.keeps(Rule::LeaveAfterStop) {
            (node.lease, node.renewal) = (None, None);
        }
        Some(())
    }

    /// What it has of leases it may use up, and renewals under way may still give it one.
    fn notice_deletion(&self, state: &mut State, node: usize) -> Option<()> {
        let id = state.nodes[node].id?;
        let deleted = self.standing(state, id) == Standing::Deleted;
        deleted.then(|| state.nodes[node].id = None)
    }

    fn register(&self, state: &mut State, node: usize) -> Option<()> {
        let id = state.log.next_id(self.bounds.nodes);
        if state.nodes[node].id.is_some() || id == self.bounds.ids {
            return None;
        }
        state.log.push(Event::Registered(id));
        state.nodes[node].id = Some(id);
        Some(())
    }

    fn renewal_read(&self, state: &mut State, node: usize) -> Option<()> {
        let mut renewal = state.nodes[node].renewal.filter(|renewal| renewal.read.is_none())?;
        renewal.read = Some(if self.keeps(Rule::LinearizableRenewal) {
            let registered = self.standing(state, renewal.id) == Standing::Registered;
            Reading { head: state.log.head(), registered }
        } else {
            // The member lags as far behind as the watch that it also serves.
            Reading { head: state.nodes[node].applied, registered: true }
        });
        state.nodes[node].renewal = Some(renewal);
        Some(())
    }

    fn renewal_answered(&self, node: &mut Node) -> Option<()> {
        let renewal = node.renewal?;
        let read = renewal.read?;
        if !read.registered && self.keeps(Rule::OwnRegistration) {
            node.renewal = None;
            if node.id == Some(renewal.id) {
                (node.id, node.lease) = (None, None);
            }
            return Some(());
        }
        if node.applied < read.head && self.keeps(Rule::WatchBeforeLease) {
            return None;
        }
        node.renewal = None;
        let age = if self.keeps(Rule::LeaseFromStart) { renewal.age } else { 0 };
        if age < self.lease_end() {
            node.lease = Some(node.lease.map_or(age, |lease| lease.min(age)));
        }
        Some(())
    }
}
