//! Which part of a list.

use claviger_api::Request;
use claviger_core::Fault;

use crate::iam::query;

/// Highest offset.
const MOST_OFFSET: usize = 0x7fff_ffff;
/// Most entries of a page.
const MOST_LIMIT: usize = 100;
/// Entries of a page unless the query says otherwise.
const USUAL_LIMIT: usize = 20;

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Entries before it.
    pub(super) offset: usize,
    /// Most entries in it.
    pub(super) limit: usize,
}

impl Page {
    /// From `offset` and `limit` in the query.
    pub(super) fn read(request: &Request) -> Result<Self, Fault> {
        let offset = query::number(request, "offset", 0..=MOST_OFFSET)?.unwrap_or(0);
        let limit = query::number(request, "limit", 1..=MOST_LIMIT)?.unwrap_or(USUAL_LIMIT);
        Ok(Self { offset, limit })
    }
}
