//! What etcd refuses, in etcd's own codes and words (`api/v3rpc/rpctypes/error.go`).

use tonic::{Code, Status};

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    AuthFailed,
    AuthNotEnabled,
    Compacted,
    DuplicateKey,
    EmptyKey,
    FutureRevision,
    InvalidToken,
    LeaseExists,
    LeaseNotFound,
    NoLeader,
    NoSpace,
    Timeout,
    TooLarge,
    TooManyOps,
    UserEmpty,
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, words) = match refusal {
            Refusal::AuthFailed => {
                (Code::InvalidArgument, "authentication failed, invalid user ID or password")
            }
            Refusal::AuthNotEnabled => (Code::FailedPrecondition, "authentication is not enabled"),
            Refusal::Compacted => (Code::OutOfRange, "mvcc: required revision has been compacted"),
            Refusal::DuplicateKey => (Code::InvalidArgument, "duplicate key given in txn request"),
            Refusal::EmptyKey => (Code::InvalidArgument, "key is not provided"),
            Refusal::FutureRevision => (Code::OutOfRange, "mvcc: required revision is a future revision"),
            Refusal::InvalidToken => (Code::Unauthenticated, "invalid auth token"),
            Refusal::LeaseExists => (Code::FailedPrecondition, "lease already exists"),
            Refusal::LeaseNotFound => (Code::NotFound, "requested lease not found"),
            Refusal::NoLeader => (Code::Unavailable, "no leader"),
            Refusal::NoSpace => (Code::ResourceExhausted, "mvcc: database space exceeded"),
            Refusal::Timeout => (Code::Unavailable, "request timed out"),
            Refusal::TooLarge => (Code::InvalidArgument, "request is too large"),
            Refusal::TooManyOps => (Code::InvalidArgument, "too many operations in txn request"),
            Refusal::UserEmpty => (Code::InvalidArgument, "user name is empty"),
        };
        Self::new(code, format!("etcdserver: {words}"))
    }
}
