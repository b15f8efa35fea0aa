//! Reads: linearizable, from etcd or from what the watch keeps; pages all from one revision, in chunks that fit a message.

use std::sync::atomic::Ordering;

use claviger_store::limits::{PAGE_BYTES_MAX, Pager};
use claviger_store::{Direction, Entry, Page, Read, Scan, StoreError, Stored, Version};

use crate::ask;
use crate::engine::EtcdEngine;
use crate::layout::{Span, is_record_key};
use crate::proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::proto::etcdserverpb::{RangeRequest, RangeResponse, ResponseHeader};
use crate::replica::Known;
use crate::shared::{Counters, Shared};

/// Records asked for at first, before their size is known: as many of the largest as fit a message.
const FIRST_CHUNK: usize = 16;
/// The most records asked for at once.
const CHUNK_MAX: usize = 1024;

impl EtcdEngine {
    pub(crate) async fn read(&self, key: &[u8]) -> Result<Read, StoreError> {
        let shared = &self.shared;
        Counters::add(&shared.counters.gets, 1);
        if !is_record_key(key) {
            return Ok(Read { stored: None, at: shared.applied() });
        }
        // Before the look: what is found is at least as new.
        let applied = shared.applied();
        if shared.fresh()
            && let Some(Known(stored)) = shared.replica.get(key)
        {
            return Ok(Read { stored, at: applied });
        }
        let pending = shared.replica.begin(key);
        let answer = shared.client.range(ask::one(shared.layout.data(key))).await?;
        let at = revision(shared, answer.header.as_ref())?;
        let stored = answer.kvs.into_iter().next();
        let stored = stored.map(|kv| Stored { value: kv.value, version: kv.mod_revision.unsigned_abs() });
        pending.keep(stored.clone(), at);
        Ok(Read { stored, at })
    }

    /// What the watch keeps of a record, or that there is none.
    pub(crate) async fn guessed(&self, key: &[u8]) -> Result<Read, StoreError> {
        let shared = &self.shared;
        if !shared.fresh() {
            return self.read(key).await;
        }
        let at = shared.applied();
        Ok(match shared.replica.get(key) {
            Some(Known(stored)) => Read { stored, at },
            None => Read { stored: None, at: 0 },
        })
    }

    pub(crate) async fn page(&self, scan: Scan<'_>) -> Result<Page, StoreError> {
        let shared = &self.shared;
        Counters::add(&shared.counters.scans, 1);
        let mut at = self.pinned.as_ref().map_or(0, |pinned| pinned.load(Ordering::SeqCst));
        let mut pager = Pager::new(scan.limit);
        let mut left = range(shared, &scan);
        let mut chunk = FIRST_CHUNK.min(scan.limit.max(1));
        loop {
            let Some(range) = left.take() else { return Ok(pager.finish(at)) };
            let answer = shared.client.range(request(range.clone(), scan.direction, chunk, at)).await?;
            let now = revision(shared, answer.header.as_ref())?;
            if at == 0 {
                at = now;
                if let Some(pinned) = &self.pinned {
                    pinned.store(at, Ordering::SeqCst);
                }
            }
            let RangeResponse { kvs, more, .. } = answer;
            let (count, mut bytes) = (kvs.len(), 0);
            let last = kvs.last().map(|kv| kv.key.clone());
            for kv in kvs {
                if !pager.wants_more() {
                    return Ok(pager.finish(at));
                }
                bytes += kv.key.len() + kv.value.len();
                let Some(key) = shared.layout.record(&kv.key) else { continue };
                pager.push(Entry {
                    key: key.to_vec(),
                    value: kv.value,
                    version: kv.mod_revision.unsigned_abs(),
                });
            }
            if more && !pager.wants_more() {
                return Ok(pager.finish(at));
            }
            if let (true, Some(last)) = (more, last) {
                left = Some(beyond(range, last, scan.direction));
            }
            // As many as a page holds of the size that these have.
            let each = (bytes / count.max(1)).max(1);
            chunk = (PAGE_BYTES_MAX / each).clamp(1, CHUNK_MAX);
        }
    }
}

/// The keys of etcd's that a scan covers; none when no record can match.
fn range(shared: &Shared, scan: &Scan<'_>) -> Option<Span> {
    scan.range()?;
    let start = shared.layout.data(scan.prefix);
    let end = crate::layout::successor(&start);
    let range = (start.clone(), end.clone());
    let Some(after) = scan.after else { return Some(range) };
    let after = shared.layout.data(after);
    Some(match scan.direction {
        // Beyond the prefix altogether is no record, or every one.
        Direction::Forward if after < start => range,
        Direction::Backward if after >= end => range,
        Direction::Backward | Direction::Forward => beyond(range, after, scan.direction),
    })
}

/// What is left of a range beyond `key`.
fn beyond((start, end): Span, mut key: Vec<u8>, direction: Direction) -> Span {
    match direction {
        Direction::Backward => (start, key),
        Direction::Forward => {
            key.push(0);
            (key, end)
        }
    }
}

fn request((key, range_end): Span, direction: Direction, limit: usize, at: Version) -> RangeRequest {
    let order = match direction {
        Direction::Backward => SortOrder::Descend,
        // Ranges come in this order by themselves, and unsorted ones end at the limit.
        Direction::Forward => SortOrder::None,
    };
    RangeRequest {
        key,
        range_end,
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
        revision: i64::try_from(at).unwrap_or(0),
        sort_order: order.into(),
        sort_target: SortTarget::Key.into(),
        ..RangeRequest::default()
    }
}

pub(crate) fn revision(shared: &Shared, header: Option<&ResponseHeader>) -> Result<Version, StoreError> {
    shared.client.revision(header).map_err(|status| StoreError::Unavailable(status.message().to_owned()))
}
