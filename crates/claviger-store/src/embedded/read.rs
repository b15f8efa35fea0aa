//! Lookups, each in one read transaction on the calling thread: a few microseconds when the page is in memory.

use redb::{AccessGuard, Database, ReadTransaction, ReadableDatabase, StorageError};

use super::layout::{self, COMMIT, META, RECORDS};
use crate::limits::Pager;
use crate::{Direction, Entry, Page, Read, Scan, StoreError, Version};

/// The outer error is redb's, the inner one ours: bytes that are not a record.
type Outcome<T> = Result<Result<T, StoreError>, redb::Error>;

/// The record under `key`.
pub(super) fn get(database: &Database, key: &[u8]) -> Outcome<Read> {
    let transaction = database.begin_read()?;
    let at = newest_commit(&transaction)?;
    let found = transaction.open_table(RECORDS)?.get(key)?;
    let stored = found.map(|bytes| layout::unpack(bytes.value())).transpose();
    Ok(stored.map(|stored| Read { stored, at }))
}

/// A page of records.
pub(super) fn scan(database: &Database, scan: &Scan<'_>) -> Outcome<Page> {
    let transaction = database.begin_read()?;
    let at = newest_commit(&transaction)?;
    let mut pager = Pager::new(scan.limit);
    let Some(range) = scan.range() else { return Ok(Ok(pager.finish(at))) };
    let records = transaction.open_table(RECORDS)?.range::<&[u8]>(range.bounds())?;
    let filled = match scan.direction {
        Direction::Backward => fill(&mut pager, records.rev())?,
        Direction::Forward => fill(&mut pager, records)?,
    };
    Ok(filled.map(|()| pager.finish(at)))
}

/// The counter as this transaction sees it: all commits up to it are visible in the same transaction.
fn newest_commit(transaction: &ReadTransaction) -> Result<Version, redb::Error> {
    layout::number(&transaction.open_table(META)?, COMMIT)
}

fn fill<'a>(pager: &mut Pager, records: impl Iterator<Item = Result<Pair<'a>, StorageError>>) -> Outcome<()> {
    for record in records {
        if !pager.wants_more() {
            break;
        }
        let (key, bytes) = record?;
        match layout::unpack(bytes.value()) {
            Ok(stored) => {
                pager.push(Entry { key: key.value().to_vec(), value: stored.value, version: stored.version });
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

type Pair<'a> = (AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>);
