//! A Txn request: what of it is refused unseen, which of its branches are taken, and what they do.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::leases::Leases;
use super::range::range;
use super::refusal::Refusal;
use super::span::Span;
use super::store::{Store, Writing};
use crate::proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::proto::etcdserverpb::request_op::Request;
use crate::proto::etcdserverpb::response_op::Response;
use crate::proto::etcdserverpb::{
    Compare, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse, RangeRequest, RequestOp,
    ResponseHeader, ResponseOp, TxnRequest, TxnResponse,
};
use crate::proto::mvccpb::KeyValue;

/// Most operations of a transaction, unless etcd is told otherwise (`--max-txn-ops`).
const OPS_MAX: usize = 128;

/// Refuses what etcd refuses before it looks at the state.
pub(super) fn check(request: &TxnRequest) -> Result<(), Refusal> {
    check_ops(request, OPS_MAX)?;
    intervals(&request.success)?;
    intervals(&request.failure)?;
    Ok(())
}

/// A nested transaction has what the one around it has left over.
fn check_ops(request: &TxnRequest, most: usize) -> Result<(), Refusal> {
    let ops = request.compare.len().max(request.success.len()).max(request.failure.len());
    let left = most.checked_sub(ops).ok_or(Refusal::TooManyOps)?;
    if request.compare.iter().any(|compare| compare.key.is_empty()) {
        return Err(Refusal::EmptyKey);
    }
    for op in request.success.iter().chain(&request.failure) {
        match &op.request {
            Some(Request::RequestTxn(txn)) => check_ops(txn, left)?,
            Some(
                Request::RequestDeleteRange(DeleteRangeRequest { key, .. })
                | Request::RequestPut(PutRequest { key, .. })
                | Request::RequestRange(RangeRequest { key, .. }),
            ) => not_empty(key)?,
            None => {}
        }
    }
    Ok(())
}

/// No request may name no key.
pub(super) fn not_empty(key: &[u8]) -> Result<(), Refusal> {
    if key.is_empty() { Err(Refusal::EmptyKey) } else { Ok(()) }
}

/// What the operations of one branch, and of all below it, put and delete.
#[derive(Default)]
struct Intervals<'r> {
    puts: BTreeSet<&'r [u8]>,
    deletes: Vec<Span>,
}

impl<'r> Intervals<'r> {
    fn put(&mut self, key: &'r [u8]) -> Result<(), Refusal> {
        self.keep_apart(key)?;
        if self.puts.insert(key) { Ok(()) } else { Err(Refusal::DuplicateKey) }
    }

    fn keep_apart(&self, key: &[u8]) -> Result<(), Refusal> {
        let deleted = self.deletes.iter().any(|span| span.contains(key));
        if deleted { Err(Refusal::DuplicateKey) } else { Ok(()) }
    }
}

/// No key may be put twice, or put and deleted. The two branches of one nested transaction may share keys: only one is taken.
fn intervals(ops: &[RequestOp]) -> Result<Intervals<'_>, Refusal> {
    let mut here = Intervals::default();
    for op in ops {
        if let Some(Request::RequestDeleteRange(delete)) = &op.request {
            here.deletes.push(Span::new(&delete.key, &delete.range_end));
        }
    }
    for op in ops {
        if let Some(Request::RequestTxn(txn)) = &op.request {
            let (success, failure) = (intervals(&txn.success)?, intervals(&txn.failure)?);
            for key in &success.puts {
                here.put(key)?;
            }
            for key in failure.puts.difference(&success.puts) {
                here.put(key)?;
            }
            here.deletes.extend(success.deletes.into_iter().chain(failure.deletes));
        }
    }
    for op in ops {
        if let Some(Request::RequestPut(put)) = &op.request {
            here.put(&put.key)?;
        }
    }
    Ok(here)
}

/// A transaction with its branches chosen.
pub(super) struct Taken<'r> {
    succeeded: bool,
    steps: Vec<Step<'r>>,
}

enum Step<'r> {
    Delete(&'r DeleteRangeRequest),
    Nested(Taken<'r>),
    Put(&'r PutRequest),
    Range(&'r RangeRequest),
}

/// Chooses the branches. Every compare, of nested transactions too, looks at the state before the whole of it.
pub(super) fn take<'r>(store: &Store, request: &'r TxnRequest, revision: i64) -> Taken<'r> {
    let succeeded = request.compare.iter().all(|compare| holds(store, compare, revision));
    let ops = if succeeded { &request.success } else { &request.failure };
    let step = |op: &'r RequestOp| {
        Some(match op.request.as_ref()? {
            Request::RequestDeleteRange(delete) => Step::Delete(delete),
            Request::RequestPut(put) => Step::Put(put),
            Request::RequestRange(range) => Step::Range(range),
            Request::RequestTxn(txn) => Step::Nested(take(store, txn, revision)),
        })
    };
    Taken { succeeded, steps: ops.iter().filter_map(step).collect() }
}

fn holds(store: &Store, compare: &Compare, revision: i64) -> bool {
    let found = store.at(&compare.key, revision);
    let (result, target) = (compare.result(), compare.target());
    // A key that is not there has no value that could be compared with; its numbers are 0.
    if found.is_none() && target == CompareTarget::Value {
        return false;
    }
    let absent = KeyValue::default();
    let found = found.unwrap_or(&absent);
    let given = |wanted: fn(&TargetUnion) -> Option<i64>| {
        compare.target_union.as_ref().and_then(wanted).unwrap_or_default()
    };
    let ordering = match target {
        CompareTarget::Create => found.create_revision.cmp(&given(|union| match union {
            TargetUnion::CreateRevision(revision) => Some(*revision),
            _ => None,
        })),
        CompareTarget::Lease => found.lease.cmp(&given(|union| match union {
            TargetUnion::Lease(lease) => Some(*lease),
            _ => None,
        })),
        CompareTarget::Mod => found.mod_revision.cmp(&given(|union| match union {
            TargetUnion::ModRevision(revision) => Some(*revision),
            _ => None,
        })),
        CompareTarget::Value => match &compare.target_union {
            Some(TargetUnion::Value(value)) => found.value.cmp(value),
            _ => found.value.as_slice().cmp(b""),
        },
        CompareTarget::Version => found.version.cmp(&given(|union| match union {
            TargetUnion::Version(version) => Some(*version),
            _ => None,
        })),
    };
    match result {
        CompareResult::Equal => ordering == Ordering::Equal,
        CompareResult::Greater => ordering == Ordering::Greater,
        CompareResult::Less => ordering == Ordering::Less,
        CompareResult::NotEqual => ordering != Ordering::Equal,
    }
}

impl Taken<'_> {
    /// Refuses what cannot be done as a whole: a lease that is gone, a revision that cannot be read.
    pub(super) fn check(&self, store: &Store, newest: i64, leases: &Leases) -> Result<(), Refusal> {
        self.steps.iter().try_for_each(|step| match step {
            Step::Delete(_) => Ok(()),
            Step::Nested(taken) => taken.check(store, newest, leases),
            Step::Put(put) => leases.check(put.lease),
            Step::Range(range) if range.revision == 0 => Ok(()),
            Step::Range(range) => store.readable(range.revision, newest),
        })
    }

    /// Does it, without making it a revision yet.
    pub(super) fn apply(&self, writing: &mut Writing<'_>) -> Result<TxnResponse, Refusal> {
        let mut responses = Vec::new();
        for step in &self.steps {
            let response = match step {
                Step::Delete(delete) => {
                    let deleted = writing.delete(&Span::new(&delete.key, &delete.range_end));
                    let header = Some(own_header(writing.revision()));
                    Response::ResponseDeleteRange(DeleteRangeResponse { header, deleted })
                }
                Step::Nested(taken) => Response::ResponseTxn(taken.apply(writing)?),
                Step::Put(put) => {
                    writing.put(&put.key, &put.value, put.lease);
                    Response::ResponsePut(PutResponse { header: Some(own_header(writing.revision())) })
                }
                Step::Range(request) => {
                    let mut response = range(writing.store(), request, writing.revision())?;
                    response.header = Some(own_header(writing.revision()));
                    Response::ResponseRange(response)
                }
            };
            responses.push(ResponseOp { response: Some(response) });
        }
        let header = Some(ResponseHeader::default());
        Ok(TxnResponse { header, succeeded: self.succeeded, responses })
    }
}

/// What stands in the answer to one operation: a revision and nothing else.
fn own_header(revision: i64) -> ResponseHeader {
    ResponseHeader { revision, ..ResponseHeader::default() }
}

/// Whether it takes space: etcd looks for puts in the outermost transaction only.
pub(super) fn takes_space(request: &TxnRequest) -> bool {
    let mut ops = request.success.iter().chain(&request.failure);
    ops.any(|op| matches!(&op.request, Some(Request::RequestPut(_))))
}
