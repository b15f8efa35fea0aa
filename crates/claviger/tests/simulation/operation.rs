//! What clients ask of nodes, and what comes of it.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

/// Keys that are used.
pub(crate) const KEYS: usize = 3;
/// Keys whose deletion falls due during the run.
pub(crate) const DUE: usize = 3;
/// Access keys of the user that is not the root user.
pub(crate) const ACCESS_KEYS: usize = 2;

/// Something that is on or off, and decides whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Switch {
    /// The user's access key of this number is active.
    AccessKey(usize),
    /// The key of this number is enabled.
    Key(usize),
    /// The policy is attached to the user.
    Policy,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Position {
    Off,
    On,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// The root user, who may everything.
    Root,
    /// The user, with the access key of this number.
    User(usize),
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Make a key of this number.
    Create { number: u64 },
    /// Make everything that the run begins with.
    Found,
    /// Turn a switch.
    Turn { switch: Switch, to: Position },
    /// Encrypt with a key, and see its tags.
    Use { key: usize, signer: Signer },
    /// Set this writer's tag on a key.
    Write { key: usize, writer: u64, number: u64 },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done. With what a use has seen: the number in each writer's tag.
    Done(BTreeMap<u64, u64>),
    /// Refused because of a switch.
    Denied,
    /// The node does not serve now. Nothing was done.
    Stale,
    /// Nothing was done.
    Failed(String),
    /// It was done or not.
    Unknown(String),
}

/// An operation on its way to a node.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    pub(crate) done: oneshot::Sender<Outcome>,
}
