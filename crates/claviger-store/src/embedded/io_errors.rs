//! A medium that fails, once or until it is mended, at every single op: nothing acknowledged is lost, what is
//! reported as undone is undone, and the engine recovers by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::medium::{Fault, TestMedium};
use super::tests::{batch, commit_together, runtime};
use super::{EmbeddedEngine, EmbeddedOptions};
use crate::{Batch, Change, Engine, Scan, StoreError, Version};

const BURSTS: usize = 8;
/// More than any workload here takes.
const OPS_MAX: usize = 2000;

#[test]
fn a_failure_that_passes_costs_one_group() {
    for_every_op(|born, n| {
        let mut run = Run::start(Duration::ZERO);
        run.medium.set_fault(Fault::Once(born + n));
        for _ in 0..BURSTS {
            run.commit_one();
        }
        let failures = run.outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(failures <= 1, "{:?}", run.outcomes);
        let failed = run.medium.failed();
        run.check();
        failed
    });
}

#[test]
fn a_failure_that_passes_spoils_no_other_group() {
    for_every_op(|born, n| {
        let mut run = Run::start(Duration::ZERO);
        run.medium.set_fault(Fault::Once(born + n));
        for _ in 0..BURSTS {
            run.commit_burst(3);
        }
        let failed = run.medium.failed();
        run.check();
        failed
    });
}

#[test]
fn a_failure_that_stays_ends_when_it_is_mended() {
    for_every_op(|born, n| {
        let mut run = Run::start(Duration::ZERO);
        run.medium.set_fault(Fault::From(born + n));
        for _ in 0..BURSTS {
            run.commit_burst(2);
            let read = runtime().block_on(run.engine.get(b"shared"));
            assert!(matches!(read, Ok(_) | Err(StoreError::Unavailable(_))), "{read:?}");
        }
        let failed = run.medium.failed();
        run.check();
        failed
    });
}

#[test]
fn a_file_that_does_not_open_is_left_alone_for_a_while() {
    let mut run = Run::start(Duration::from_hours(1));
    run.commit_one();
    run.medium.set_fault(Fault::From(run.medium.ops()));
    run.commit_one();
    assert!(matches!(run.outcomes.last(), Some(Err(StoreError::OutcomeUnknown(_)))), "{:?}", run.outcomes);

    run.medium.set_fault(Fault::None);
    let ops = run.medium.ops();
    run.commit_one();
    assert!(matches!(run.outcomes.last(), Some(Err(StoreError::Unavailable(_)))), "{:?}", run.outcomes);
    let read = runtime().block_on(run.engine.get(b"shared"));
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert_eq!((run.medium.ops(), run.engine.stats().reopens), (ops, 0));
}

#[test]
fn a_read_opens_the_file_again() {
    let mut run = Run::start(Duration::ZERO);
    run.commit_one();
    run.medium.set_fault(Fault::From(run.medium.ops()));
    run.commit_one();
    run.medium.set_fault(Fault::None);
    runtime().block_on(run.engine.get(b"shared")).expect("it reads again");
    assert_eq!(run.engine.stats().reopens, 1);
    run.check();
}

#[test]
fn a_store_that_went_back_is_refused() {
    let mut run = Run::start(Duration::ZERO);
    run.commit_one();
    let old = run.medium.bytes();
    run.commit_one();
    run.medium.set_fault(Fault::Once(run.medium.ops()));
    run.medium.set_bytes(old);
    run.commit_one();
    assert!(matches!(run.outcomes.last(), Some(Err(StoreError::OutcomeUnknown(_)))), "{:?}", run.outcomes);
    run.commit_one();
    assert!(matches!(run.outcomes.last(), Some(Err(StoreError::Corrupt(_)))), "{:?}", run.outcomes);
    let read = runtime().block_on(run.engine.get(b"shared"));
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}

#[test]
fn opening_an_existing_store_fails_cleanly() {
    let mut run = Run::start(Duration::ZERO);
    run.commit_one();
    let Run { medium, engine, .. } = run;
    let crashed = medium.bytes();
    drop(engine);
    for bytes in [crashed, medium.bytes()] {
        for n in 0.. {
            let medium = TestMedium::holding(bytes.clone());
            medium.set_fault(Fault::From(n));
            match open(&medium, Duration::ZERO) {
                Ok(_) if medium.failed() => {}
                Ok(_) => break,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "op {n}: {error}"),
            }
            medium.set_fault(Fault::None);
            let engine = open(&medium, Duration::ZERO).expect("it opens once the medium is mended");
            let read = runtime().block_on(engine.get(b"shared")).expect("it reads");
            assert_eq!((read.at, read.stored.map(|stored| stored.value)), (1, Some(b"0".to_vec())));
        }
    }
}

/// Runs `trial` with a failure at each op after the store was made, until the workload ends before it.
fn for_every_op(trial: impl Fn(usize, usize) -> bool) {
    let born = Run::start(Duration::ZERO).medium.ops();
    let trials = (0..OPS_MAX).take_while(|n| trial(born, *n)).count();
    assert!(trials > BURSTS * 3 && trials < OPS_MAX, "{trials} ops");
}

struct Run {
    medium: TestMedium,
    engine: EmbeddedEngine,
    /// What became of each batch, in order.
    outcomes: Vec<Result<Version, StoreError>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Committed(Version),
    Lost(Version),
}

impl Run {
    fn start(reopen_pause: Duration) -> Self {
        let medium = TestMedium::default();
        let engine = open(&medium, reopen_pause).expect("a healthy medium opens");
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let list = Arc::clone(&heard);
        engine.observe(Arc::new(move |change| {
            let news = match *change {
                Change::Committed { version, .. } => Heard::Committed(version),
                Change::Lost { at } => Heard::Lost(at),
            };
            list.lock().unwrap_or_else(PoisonError::into_inner).push(news);
        }));
        Self { medium, engine, outcomes: Vec::new(), heard }
    }

    fn commit_one(&mut self) {
        self.commit_burst(1);
    }

    fn commit_burst(&mut self, size: usize) {
        let first = self.outcomes.len();
        let burst: Vec<Batch> = (first..first + size).map(work).collect();
        let outcomes = commit_together(&self.engine, &burst);
        for outcome in &outcomes {
            match outcome {
                Ok(version) => assert!(self.heard().contains(&Heard::Committed(*version))),
                Err(StoreError::OutcomeUnknown(_)) => {
                    assert!(self.heard().iter().any(|heard| matches!(heard, Heard::Lost(_))));
                }
                Err(StoreError::Corrupt(_) | StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        self.outcomes.extend(outcomes);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Mends the medium and compares what is stored with what was answered: now, and after closing and opening again.
    fn check(&self) {
        self.medium.set_fault(Fault::None);
        let corrupt = self.outcomes.iter().find(|outcome| matches!(outcome, Err(StoreError::Corrupt(_))));
        assert_eq!(corrupt, None);
        self.check_records(&self.engine);
        let last = self.outcomes.iter().flatten().max().copied().unwrap_or(0);
        let next =
            runtime().block_on(self.engine.commit(batch(b"next", b""))).expect("the engine has recovered");
        assert!(next > last);
        self.check_news();
        let reopened = open(&TestMedium::holding(self.medium.bytes()), Duration::ZERO).expect("it opens");
        self.check_records(&reopened);
        assert_eq!(runtime().block_on(reopened.get(b"next")).expect("it reads").at, next);
    }

    /// A commit is newer than all that was told before it, lost ones included: no version is given twice.
    fn check_news(&self) {
        let mut newest = 0;
        for news in self.heard() {
            match news {
                Heard::Committed(version) => assert!(version > newest, "{version} after {newest}"),
                Heard::Lost(at) => assert!(at >= newest, "lost {at} after {newest}"),
            }
            let (Heard::Committed(version) | Heard::Lost(version)) = news;
            newest = version;
        }
    }

    fn check_records(&self, engine: &EmbeddedEngine) {
        let unseen =
            self.heard().iter().map(|(Heard::Committed(at) | Heard::Lost(at))| *at).max().unwrap_or(0);
        let mut versions = Vec::new();
        for (n, outcome) in self.outcomes.iter().enumerate() {
            let prefix = format!("own/{n:03}/");
            let page =
                runtime().block_on(engine.scan(Scan::forward(prefix.as_bytes(), 10))).expect("it scans");
            let found: Vec<Version> = page.entries.iter().map(|entry| entry.version).collect();
            match outcome {
                Ok(version) => assert_eq!(found, [*version; 2], "batch {n} was acknowledged"),
                Err(StoreError::OutcomeUnknown(_)) => match found[..] {
                    [] => {}
                    [one, two] => assert!(one == two && one <= unseen, "batch {n}: {found:?}, told {unseen}"),
                    _ => panic!("batch {n} is half done"),
                },
                Err(_) => assert_eq!(found, [], "batch {n} was reported undone"),
            }
            versions.extend(found.first().copied());
        }
        assert!(versions.is_sorted_by(|one, two| one < two), "no version is given twice: {versions:?}");
    }
}

/// Two records of its own and one it shares.
fn work(n: usize) -> Batch {
    let own = |part| (format!("own/{n:03}/{part}").into_bytes(), Some(vec![b'.'; 700]));
    Batch {
        expect: vec![],
        put: vec![own("a"), own("b"), (b"shared".to_vec(), Some(n.to_string().into_bytes()))],
    }
}

fn open(medium: &TestMedium, reopen_pause: Duration) -> Result<EmbeddedEngine, StoreError> {
    let options = EmbeddedOptions { cache_bytes: 64 * 1024, reopen_pause, ..EmbeddedOptions::default() };
    let medium = medium.clone();
    EmbeddedEngine::with_backend(move || Ok(medium.clone()), options)
}
