//! A Range request and its answer.

use super::refusal::Refusal;
use super::span::Span;
use super::store::Store;
use crate::proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::proto::etcdserverpb::{RangeRequest, RangeResponse};
use crate::proto::mvccpb::KeyValue;

/// Answers without a header. `newest` is the newest revision that the reader may see.
pub(super) fn range(store: &Store, request: &RangeRequest, newest: i64) -> Result<RangeResponse, Refusal> {
    let revision = if request.revision > 0 { request.revision } else { newest };
    store.readable(revision, newest)?;
    let span = Span::new(&request.key, &request.range_end);
    let mut found = store.span_at(&span, revision);
    let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    if request.count_only {
        return Ok(RangeResponse { count, ..RangeResponse::default() });
    }
    sort(&mut found, request.sort_order(), request.sort_target());
    let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    let kvs = found.into_iter().take(limit).map(|kv| told(kv, request.keys_only)).collect();
    Ok(RangeResponse { header: None, kvs, more, count })
}

fn sort(found: &mut [&KeyValue], order: SortOrder, target: SortTarget) {
    match target {
        // They come in the order of their keys.
        SortTarget::Key => {}
        SortTarget::Version => found.sort_by_key(|kv| kv.version),
        SortTarget::Create => found.sort_by_key(|kv| kv.create_revision),
        SortTarget::Mod => found.sort_by_key(|kv| kv.mod_revision),
        SortTarget::Value => found.sort_by(|left, right| left.value.cmp(&right.value)),
    }
    if order == SortOrder::Descend {
        found.reverse();
    }
}

fn told(kv: &KeyValue, keys_only: bool) -> KeyValue {
    let mut kv = kv.clone();
    if keys_only {
        kv.value.clear();
    }
    kv
}
