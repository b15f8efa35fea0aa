//! What every engine owes its callers, as one list of checks to run on each.
//!
//! An engine in another crate runs the same list: enable the feature `suite` and call [`run`] with a constructor.
//! A broken promise panics with what was expected; the checks need a tokio runtime with time enabled.

mod commits;
mod observers;
mod records;
mod transactions;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::{Batch, Change, Engine, Entry, Expect, Scan, StoreError, Version};

/// Runs every check, each on a fresh, empty engine from `open`.
///
/// # Panics
/// When the engine breaks a promise.
pub async fn run<A: Future<Output = Arc<dyn Engine>>>(open: impl Fn() -> A) {
    records::a_record_is_read_as_it_was_put(&*open().await).await;
    records::a_record_is_replaced_and_deleted(&*open().await).await;
    records::a_key_no_record_may_have_is_not_there(&*open().await).await;
    records::a_scan_keeps_to_its_prefix(&*open().await).await;
    records::a_scan_goes_on_after_a_key(&*open().await).await;
    records::pages_join_without_gap_or_repeat(&*open().await).await;
    records::a_page_has_limits(&*open().await).await;
    commits::versions_grow(&*open().await).await;
    commits::expectations_decide(&*open().await).await;
    commits::a_conflict_leaves_nothing(&*open().await).await;
    commits::a_batch_that_puts_nothing_only_checks(&*open().await).await;
    commits::of_two_puts_of_a_key_the_later_counts(&*open().await).await;
    commits::limits_are_kept(&*open().await).await;
    commits::one_of_many_wins(open().await).await;
    commits::a_counter_counts_every_increment(open().await).await;
    commits::a_read_reflects_everything_up_to_its_commit(open().await).await;
    observers::told_in_order_before_the_answer(&*open().await).await;
    observers::never_told_of_a_conflict(open().await).await;
    observers::may_register_and_read_late(&*open().await).await;
    observers::a_dropped_answer_stops_nothing(&*open().await).await;
    transactions::reads_see_own_writes(&*open().await).await;
    transactions::what_was_read_must_still_hold(&*open().await).await;
    transactions::what_was_expected_must_hold(&*open().await).await;
    transactions::without_writes_nothing_is_committed(&*open().await).await;
}

/// How long a check waits for something that happens on its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// A batch that puts these values, whatever is there.
fn put(records: &[(&str, &str)]) -> Batch {
    let put = records.iter().map(|(key, value)| (key.as_bytes().to_vec(), Some(value.as_bytes().to_vec())));
    Batch { expect: Vec::new(), put: put.collect() }
}

/// The same batch, if `key` is as expected.
fn only_if(key: &str, expect: Expect, batch: Batch) -> Batch {
    Batch { expect: vec![(key.as_bytes().to_vec(), expect)], ..batch }
}

async fn commit(engine: &dyn Engine, batch: Batch) -> Version {
    engine.commit(batch).await.expect("nothing stands against this commit")
}

async fn value(engine: &dyn Engine, key: &str) -> Option<String> {
    let read = engine.get(key.as_bytes()).await.expect("a healthy engine reads");
    read.stored.map(|stored| text(&stored.value))
}

async fn version(engine: &dyn Engine, key: &str) -> Version {
    let read = engine.get(key.as_bytes()).await.expect("a healthy engine reads");
    read.stored.expect("this key was put").version
}

/// All records, as `key=value`.
async fn everything(engine: &dyn Engine) -> Vec<String> {
    let page = engine.scan(Scan::forward(b"", crate::limits::PAGE_ENTRIES_MAX)).await.expect("it scans");
    page.entries.iter().map(show).collect()
}

fn show(entry: &Entry) -> String {
    format!("{}={}", text(&entry.key), text(&entry.value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything an observer heard, for comparing.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<News>>>);

/// A version and the keys it put.
type News = (Version, Vec<String>);

impl Heard {
    /// Listens to `engine` from now on.
    fn on(engine: &dyn Engine) -> Self {
        let heard = Self::default();
        let list = heard.clone();
        engine.observe(Arc::new(move |change| match change {
            Change::Committed { version, keys } => {
                list.note(*version, keys.iter().map(|key| text(key)).collect());
            }
            Change::Lost { at } => list.note(*at, vec!["lost".into()]),
        }));
        heard
    }

    fn note(&self, version: Version, keys: Vec<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((version, keys));
    }

    /// The version and the key of everything heard, in no matter how many pieces it came.
    fn by_key(&self) -> Vec<(Version, String)> {
        by_key(self.all())
    }

    fn all(&self) -> Vec<News> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One entry for each key, in order.
fn by_key(news: Vec<News>) -> Vec<(Version, String)> {
    let mut keys: Vec<(Version, String)> = news
        .into_iter()
        .flat_map(|(version, keys)| keys.into_iter().map(move |key| (version, key)))
        .collect();
    keys.sort();
    keys
}

fn is_conflict(outcome: &Result<Version, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Conflict))
}
