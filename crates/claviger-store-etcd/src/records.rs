//! What the engine itself keeps in etcd, as JSON beside the records.

use serde::{Deserialize, Serialize};

/// The newest format that this release reads and writes.
pub(crate) const FORMAT: u64 = 1;

/// The cluster, under the key `c`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// The format of everything under the prefix.
    pub(crate) v: u64,
    /// Its name, if its operator gave it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The lease of all its nodes.
    pub(crate) lease_ms: u64,
}

/// A node, under the key `n/<its id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) v: u64,
    pub(crate) name: String,
    pub(crate) release: String,
    /// When it registered, in milliseconds since the epoch; for people only.
    pub(crate) since_ms: u64,
    pub(crate) state: NodeState,
}

/// Whether a node may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeState {
    /// It has said that it does not, and never will again under this id.
    Left,
    /// It may.
    Live,
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("structs of plain members have a JSON form")
}

impl Node {
    /// One that this release cannot read, and that may serve.
    pub(crate) fn unreadable() -> Self {
        Self { v: 0, name: "?".into(), release: "?".into(), since_ms: 0, state: NodeState::Live }
    }
}
