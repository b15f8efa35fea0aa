//! The few shapes of requests that the engine makes.

use crate::layout::Span;
use crate::proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::proto::etcdserverpb::request_op::Request;
use crate::proto::etcdserverpb::response_op::Response;
use crate::proto::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RangeResponse, RequestOp, ResponseOp, TxnRequest,
};

/// One key, as it is now.
pub(crate) fn one(key: Vec<u8>) -> RangeRequest {
    RangeRequest { key, ..RangeRequest::default() }
}

/// All keys of a span.
pub(crate) fn all((key, range_end): Span) -> RangeRequest {
    RangeRequest { key, range_end, ..RangeRequest::default() }
}

/// A transaction that reads these, all from the same moment.
pub(crate) fn reads(ranges: impl IntoIterator<Item = RangeRequest>) -> TxnRequest {
    let success = ranges.into_iter().map(read).collect();
    TxnRequest { success, ..TxnRequest::default() }
}

/// Puts a value, under an etcd lease or, with 0, for ever.
pub(crate) fn put(key: Vec<u8>, value: Vec<u8>, lease: i64) -> RequestOp {
    op(Request::RequestPut(PutRequest { key, value, lease }))
}

/// Deletes one key.
pub(crate) fn delete(key: Vec<u8>) -> RequestOp {
    op(Request::RequestDeleteRange(DeleteRangeRequest { key, range_end: Vec::new() }))
}

/// Reads within a transaction.
pub(crate) const fn read(range: RangeRequest) -> RequestOp {
    op(Request::RequestRange(range))
}

/// A transaction within one.
pub(crate) fn nested(txn: TxnRequest) -> RequestOp {
    op(Request::RequestTxn(txn))
}

/// That a key has no value.
pub(crate) fn absent(key: Vec<u8>) -> Compare {
    compare(key, CompareTarget::Create, TargetUnion::CreateRevision(0))
}

/// That a key was last put by this revision.
pub(crate) fn unchanged(key: Vec<u8>, revision: u64) -> Compare {
    // A number no revision has must match nothing; 0 would match an absent key.
    let revision = i64::try_from(revision).ok().filter(|revision| *revision > 0).unwrap_or(i64::MAX);
    compare(key, CompareTarget::Mod, TargetUnion::ModRevision(revision))
}

/// What a read within a transaction has found.
pub(crate) fn found(response: Option<ResponseOp>) -> RangeResponse {
    match response.and_then(|response| response.response) {
        Some(Response::ResponseRange(range)) => range,
        _ => RangeResponse::default(),
    }
}

/// That a key has been there since this revision.
pub(crate) fn made_by(key: Vec<u8>, revision: i64) -> Compare {
    compare(key, CompareTarget::Create, TargetUnion::CreateRevision(revision))
}

fn compare(key: Vec<u8>, target: CompareTarget, expected: TargetUnion) -> Compare {
    Compare { result: CompareResult::Equal.into(), target: target.into(), key, target_union: Some(expected) }
}

const fn op(request: Request) -> RequestOp {
    RequestOp { request: Some(request) }
}
