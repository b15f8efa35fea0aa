//! What etcd's refusals mean.

use std::error::Error as _;

use claviger_store::StoreError;
use tonic::{Code, ConnectError, Status};

/// Why a store in etcd cannot be used. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A release of etcd that is known to damage what it stores.
    #[error(
        "etcd {version} at {endpoint} can lose data (etcd issue 13766); upgrade etcd to 3.5.3 or later before Claviger uses it"
    )]
    Broken {
        /// The member.
        endpoint: String,
        /// Its version.
        version: String,
    },
    /// What is there cannot be read.
    #[error(
        "the cluster's record in etcd, key {key:?}, is not one of Claviger's: {why}; is the prefix right?"
    )]
    Damaged {
        /// Where.
        key: String,
        /// Why not.
        why: String,
    },
    /// The prefix is in use by something else.
    #[error(
        "etcd has keys under {prefix:?}, and they are not Claviger's (the first is {found:?}); choose another [store] prefix"
    )]
    Foreign {
        /// The prefix.
        prefix: String,
        /// A key found.
        found: String,
    },
    /// Endpoints of more than one etcd cluster.
    #[error(
        "the endpoints belong to different etcd clusters: {one} to {one_cluster:016x}, {other} to {other_cluster:016x}; \
         list the members of one cluster only"
    )]
    Mixed {
        /// An endpoint.
        one: String,
        /// Its cluster.
        one_cluster: u64,
        /// Another endpoint.
        other: String,
        /// Its cluster.
        other_cluster: u64,
    },
    /// Written by a later release.
    #[error(
        "the store in etcd has format {found}, this release knows {known}; use the release that wrote it"
    )]
    NewerFormat {
        /// The format found.
        found: u64,
        /// The newest format this release reads.
        known: u64,
    },
    /// Something in the configuration.
    #[error("{0}")]
    Options(String),
    /// The store belongs to a cluster of another name.
    #[error(
        "this store belongs to the cluster {found:?}, and this node is configured for {given:?}; check [store] endpoints, \
         prefix and cluster: two clusters' configurations may have been mixed up"
    )]
    OtherCluster {
        /// The name configured.
        given: String,
        /// The name in the store.
        found: String,
    },
    /// The other nodes of the cluster count on another lease.
    #[error(
        "the nodes of this cluster have leases of {found} ms, and this node is configured for {given} ms; set [store] \
         lease_seconds to the same on all nodes"
    )]
    OtherLease {
        /// Milliseconds configured.
        given: u64,
        /// Milliseconds in the store.
        found: u64,
    },
    /// etcd failed meanwhile.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An etcd without what Claviger needs.
    #[error("etcd {version} at {endpoint} is too old; Claviger needs 3.4 or later")]
    TooOld {
        /// The member.
        endpoint: String,
        /// Its version.
        version: String,
    },
    /// No member answers.
    #[error("no etcd endpoint answers; is etcd running there? {0}")]
    Unreachable(String),
}

/// Whether the request has certainly not reached etcd: another member may be asked without risk.
pub(crate) fn is_unsent(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Whether etcd has looked at the request and refused it: nothing was applied, and no other member will say otherwise.
pub(crate) fn is_final(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::NotFound
            | Code::OutOfRange
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::Unauthenticated
            | Code::Unimplemented
    )
}

/// Whether etcd wants a new token.
pub(crate) fn login_expired(status: &Status) -> bool {
    status.code() == Code::Unauthenticated
        || (status.code() == Code::InvalidArgument && status.message().contains("user name is empty"))
}

/// What to say of a failure after which nothing was applied.
pub(crate) fn unavailable(status: &Status) -> StoreError {
    let message = status.message();
    StoreError::Unavailable(match status.code() {
        Code::ResourceExhausted if message.contains("space exceeded") => {
            "etcd is out of space and takes no more writes (alarm NOSPACE): compact and defragment it, raise its quota, then \
             disarm the alarm"
                .into()
        }
        Code::PermissionDenied => {
            format!("etcd does not permit this; give its user the whole range of [store] prefix: {message}")
        }
        Code::InvalidArgument if message.contains("too many operations") => {
            "etcd refuses transactions of 128 operations; do not lower its --max-txn-ops".into()
        }
        Code::InvalidArgument if message.contains("too large") => {
            "etcd refuses requests of 1.5 MiB; do not lower its --max-request-bytes".into()
        }
        code => format!("etcd: {message} ({code:?})"),
    })
}
