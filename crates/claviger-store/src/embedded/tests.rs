//! The embedded engine as an engine, and what only a file can do: persist, be shared, be foreign, go missing.

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, TableDefinition};
use tokio::runtime::{Builder, Runtime};

use super::layout::META;
use super::writer::QUEUED_BATCHES_MAX;
use super::{EmbeddedEngine, EmbeddedOptions};
use crate::{Batch, Engine, StoreError, Version, suite};

#[test]
fn passes_the_suite() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = std::cell::Cell::new(0);
    runtime().block_on(suite::run(|| {
        made.set(made.get() + 1);
        let engine = open(&folder.path().join(made.get().to_string())).expect("a new store opens");
        async move { Arc::new(engine) as Arc<dyn Engine> }
    }));
}

#[test]
fn passes_the_suite_with_quick_repair() {
    let options = EmbeddedOptions { quick_repair: true, ..EmbeddedOptions::default() };
    runtime().block_on(suite::run(|| async move {
        let engine = EmbeddedEngine::with_backend(|| Ok(InMemoryBackend::new()), options);
        Arc::new(engine.expect("a new store opens")) as Arc<dyn Engine>
    }));
}

#[test]
fn a_store_is_there_after_closing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let mut last = 0;
    for n in 0..5_u8 {
        let engine = open(&path).expect("it opens");
        let read = runtime().block_on(engine.get(b"n")).expect("it reads");
        assert_eq!(
            (read.at, read.stored.map(|stored| stored.value)),
            (last, n.checked_sub(1).map(|n| vec![n]))
        );
        last = put(&engine, b"n", &[n]).expect("it commits");
        assert_eq!(last, Version::from(n) + 1);
    }
}

#[test]
fn what_is_queued_is_committed_when_the_engine_closes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let engine = open(&path).expect("it opens");
    let mut context = Context::from_waker(Waker::noop());
    for n in 0..100_u8 {
        let _ = engine.commit(batch(&[n], b"")).as_mut().poll(&mut context);
    }
    drop(engine);
    let engine = open(&path).expect("the file is free again");
    let page = runtime().block_on(engine.scan(crate::Scan::forward(b"", 1000))).expect("it scans");
    assert_eq!(page.entries.len(), 100);
}

#[test]
fn a_full_queue_refuses() {
    let engine = in_memory();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    engine.observe(Arc::new(move |_| wait.lock().expect("no panic").recv().unwrap_or(())));
    let mut context = Context::from_waker(Waker::noop());
    // The writer holds the first batch; wait until it has taken it off the queue.
    let mut first = engine.commit(batch(b"first", b""));
    assert!(first.as_mut().poll(&mut context).is_pending());
    while engine.stats().commits == 0 {
        std::thread::yield_now();
    }
    let mut waiting: Vec<_> = (0..QUEUED_BATCHES_MAX).map(|_| engine.commit(batch(b"more", b""))).collect();
    assert!(waiting.iter_mut().all(|answer| answer.as_mut().poll(&mut context).is_pending()));
    let refused = runtime().block_on(engine.commit(batch(b"too much", b"")));
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");

    drop(release);
    for answer in waiting {
        runtime().block_on(answer).expect("what was queued is committed");
    }
    let stats = engine.stats();
    assert_eq!(stats.commits, QUEUED_BATCHES_MAX as u64 + 1);
    assert!(stats.flushes < 20, "{} durable writes for a full queue", stats.flushes);
    assert_eq!(runtime().block_on(engine.get(b"too much")).expect("it reads").stored, None);
}

#[test]
fn a_file_has_one_user() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let engine = open(&path).expect("it opens");
    let refused = open(&path).expect_err("it is open already");
    assert_eq!(refused, StoreError::Busy(path.display().to_string()));
    put(&engine, b"a", b"").expect("the first user goes on");
    drop(engine);
    open(&path).expect("it is free again");
}

#[cfg(unix)]
#[test]
fn a_new_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let _engine = open(&path).expect("it opens");
    assert_eq!(fs::metadata(&path).expect("it exists").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_creation_cut_short_is_begun_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, new) = (folder.path().join("store.redb"), folder.path().join("store.redb.new"));
    for left in [vec![], vec![0; 100], vec![0; 1 << 20]] {
        fs::write(&new, left).expect("it writes");
        let engine = open(&path).expect("a new store opens");
        put(&engine, b"a", b"").expect("it commits");
        drop(engine);
        assert!(!new.exists());
        let engine = open(&path).expect("it is where it belongs");
        assert!(runtime().block_on(engine.get(b"a")).expect("it reads").stored.is_some());
        drop(engine);
        // An empty file is no store either.
        fs::write(&path, b"").expect("it writes");
    }

    let _creating = Database::create(&new).expect("another process is about to make the store");
    assert!(matches!(open(&path), Err(StoreError::Busy(_))));
}

#[test]
fn a_foreign_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text");
    fs::write(&text, "dear diary, ".repeat(1000)).expect("it writes");
    let refused = open(&text).expect_err("it is not a store");
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");

    let folder_as_file = open(folder.path()).expect_err("it is a folder");
    assert!(matches!(folder_as_file, StoreError::Unavailable(_)), "{folder_as_file}");
    let nowhere = open(&folder.path().join("no/such/folder")).expect_err("there is no folder");
    assert!(matches!(nowhere, StoreError::Unavailable(_)), "{nowhere}");
}

#[test]
fn the_format_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    drop(open(&path).expect("it opens"));
    let newer = StoreError::NewerFormat { found: 2, known: 1 };
    let cases = [(Some(2), Some(newer)), (Some(0), None), (None, None)];
    for (format, expected) in cases {
        set_format(&path, format);
        let refused = open(&path).expect_err("the format is wrong");
        match expected {
            Some(expected) => assert_eq!(refused, expected),
            None => assert!(matches!(refused, StoreError::Corrupt(_)), "{format:?}: {refused}"),
        }
    }
    set_format(&path, Some(1));
    open(&path).expect("the format is right again");
}

#[test]
fn a_record_without_a_version_is_corrupt() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    drop(open(&path).expect("it opens"));
    let database = Database::open(&path).expect("redb opens it");
    let transaction = database.begin_write().expect("it begins");
    let records: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
    let short: &[u8] = &[0; 7];
    transaction.open_table(records).expect("it opens").insert(b"a".as_slice(), short).expect("it inserts");
    transaction.commit().expect("it commits");
    drop(database);

    let engine = open(&path).expect("it opens");
    let read = runtime().block_on(engine.get(b"a"));
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let scanned = runtime().block_on(engine.scan(crate::Scan::forward(b"", 1)));
    assert!(matches!(scanned, Err(StoreError::Corrupt(_))), "{scanned:?}");
    let expecting = Batch { expect: vec![(b"a".to_vec(), crate::Expect::Absent)], ..batch(b"b", b"") };
    let committed = runtime().block_on(engine.commit(expecting));
    assert!(matches!(committed, Err(StoreError::Corrupt(_))), "{committed:?}");
    put(&engine, b"b", b"").expect("the rest of the store is well");
    assert_eq!(engine.stats().reopens, 0);
}

#[test]
fn an_observer_that_panics_stops_the_writer_for_good() {
    let engine = in_memory();
    engine.observe(Arc::new(|_| panic!("this observer is broken")));
    let first = put(&engine, b"a", b"");
    assert!(matches!(first, Err(StoreError::OutcomeUnknown(_))), "{first:?}");
    // Unknown to one that was queued while the writer unwound, and certain to all after it.
    while let Err(StoreError::OutcomeUnknown(_)) = put(&engine, b"b", b"") {}
    let later = put(&engine, b"b", b"");
    assert!(matches!(later, Err(StoreError::Unavailable(_))), "{later:?}");
    assert_eq!(runtime().block_on(engine.get(b"b")).expect("it reads").stored, None);
}

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime starts")
}

/// Commits all at once and waits for all.
pub(super) fn commit_together(engine: &dyn Engine, batches: &[Batch]) -> Vec<Result<Version, StoreError>> {
    runtime().block_on(async {
        let answers: Vec<_> = batches.iter().map(|batch| engine.commit(batch.clone())).collect();
        let mut answers: Vec<_> = answers.into_iter().map(|answer| (answer, None)).collect();
        poll_fn(|cx| {
            let mut waiting = false;
            for (answer, outcome) in answers.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
                match answer.as_mut().poll(cx) {
                    Poll::Pending => waiting = true,
                    Poll::Ready(done) => *outcome = Some(done),
                }
            }
            if waiting { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        answers.into_iter().filter_map(|(_, outcome)| outcome).collect()
    })
}

pub(super) fn batch(key: &[u8], value: &[u8]) -> Batch {
    Batch { expect: vec![], put: vec![(key.to_vec(), Some(value.to_vec()))] }
}

fn put(engine: &EmbeddedEngine, key: &[u8], value: &[u8]) -> Result<Version, StoreError> {
    runtime().block_on(engine.commit(batch(key, value)))
}

fn open(path: &Path) -> Result<EmbeddedEngine, StoreError> {
    EmbeddedEngine::open(path, EmbeddedOptions::default())
}

fn in_memory() -> EmbeddedEngine {
    let engine = EmbeddedEngine::with_backend(|| Ok(InMemoryBackend::new()), EmbeddedOptions::default());
    engine.expect("a new store opens")
}

fn set_format(path: &Path, format: Option<u64>) {
    let database = Database::open(path).expect("redb opens it");
    let transaction = database.begin_write().expect("it begins");
    let mut meta = transaction.open_table(META).expect("it opens");
    match format {
        Some(format) => drop(meta.insert("format", format).expect("it inserts")),
        None => drop(meta.remove("format").expect("it removes")),
    }
    drop(meta);
    transaction.commit().expect("it commits");
    assert!(database.begin_read().is_ok());
}
