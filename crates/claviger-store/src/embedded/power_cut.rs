//! A recorded run, replayed with the power cut at every single op: whatever the disk had made of the writes since
//! the last sync, nothing acknowledged is lost and nothing is half done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::medium::{Chance, Op, PowerCuts, TestMedium};
use super::tests::{batch, commit_together, runtime};
use super::{EmbeddedEngine, EmbeddedOptions};
use crate::limits::PAGE_ENTRIES_MAX;
use crate::{Batch, Change, Engine, Scan, Stored, Version};

/// Every so many cuts, the recovery is cut as well.
const SECOND_CUT_EVERY: usize = 16;

#[test]
fn a_power_cut_at_any_op_loses_nothing_acknowledged() {
    check_every_cut(&Run::record(options(false), 700));
}

#[test]
fn a_power_cut_at_any_op_loses_nothing_acknowledged_with_quick_repair() {
    check_every_cut(&Run::record(options(true), 150));
}

fn check_every_cut(run: &Run) {
    let mut cuts = PowerCuts::over(Vec::new());
    run.log.iter().take(run.born).for_each(|op| cuts.step(op));
    for at in run.born..=run.log.len() {
        let mut chance = Chance::seeded(at as u64);
        let medium = TestMedium::holding(cuts.cut(&mut chance));
        if at % SECOND_CUT_EVERY == 0 {
            let again = cut_recovery(run, &medium, &mut chance);
            run.check(&again, at);
        } else {
            run.check(&medium, at);
        }
        if let Some(op) = run.log.get(at) {
            cuts.step(op);
        }
    }
}

/// Opens what one cut left, and cuts the power again somewhere in that.
fn cut_recovery(run: &Run, medium: &TestMedium, chance: &mut Chance) -> TestMedium {
    let mut cuts = PowerCuts::over(medium.bytes());
    drop(run.open(medium));
    let log = medium.log();
    let last = usize::try_from(chance.below(log.len() as u64 + 1)).expect("it is small");
    for op in log.iter().take(last) {
        cuts.step(op);
    }
    TestMedium::holding(cuts.cut(chance))
}

type Records = BTreeMap<Vec<u8>, Stored>;

/// What was done to a medium, and what the store said of it at the time.
struct Run {
    options: EmbeddedOptions,
    log: Vec<Op>,
    /// How many ops made the empty store. A file is given its name only after those.
    born: usize,
    /// The records after each commit; the first is before any.
    after: Vec<Records>,
    /// For each commit, in order, how many ops came before its acknowledgement.
    acknowledged: Vec<usize>,
}

impl Run {
    /// Commits `batches` in bursts, so that groups of many sizes form.
    fn record(options: EmbeddedOptions, batches: u64) -> Self {
        let medium = TestMedium::default();
        let engine = open(&medium, options);
        let born = medium.ops();
        let acknowledged: Arc<Mutex<Vec<usize>>> = Arc::default();
        let (list, watched) = (Arc::clone(&acknowledged), medium.clone());
        // The writer is the only one to touch the medium, and it waits for the observer.
        engine.observe(Arc::new(move |change| {
            assert!(matches!(change, Change::Committed { .. }));
            list.lock().unwrap_or_else(PoisonError::into_inner).push(watched.ops());
        }));

        let mut chance = Chance::seeded(batches);
        let mut after = vec![Records::new()];
        let mut n = 0;
        while n < batches {
            let burst: Vec<Batch> = (0..=chance.below(12)).map(|more| work(n + more, &mut chance)).collect();
            n += burst.len() as u64;
            commit_burst(&engine, &burst, &mut after);
        }
        let flushes = engine.stats().flushes;
        assert!((batches / 12..batches).contains(&flushes), "{flushes} groups for {batches} batches");
        drop(engine);
        let acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(acknowledged.len() + 1, after.len());
        Self { options, log: medium.log(), born, after, acknowledged }
    }

    fn open(&self, medium: &TestMedium) -> EmbeddedEngine {
        open(medium, self.options)
    }

    /// Opens what is on `medium` after a cut before op `cut`, and compares.
    fn check(&self, medium: &TestMedium, cut: usize) {
        let engine = self.open(medium);
        let page = runtime().block_on(engine.scan(Scan::forward(b"", PAGE_ENTRIES_MAX))).expect("it scans");
        assert!(!page.more);
        let acknowledged = self.acknowledged.iter().filter(|ops| **ops <= cut).count();
        let at = usize::try_from(page.at).expect("it is small");
        assert!(at >= acknowledged, "cut at {cut}: {acknowledged} were acknowledged, {at} are there");
        let expected = self.after.get(at).expect("no commit is there that never was");
        let found: Records = page
            .entries
            .into_iter()
            .map(|entry| (entry.key, Stored { value: entry.value, version: entry.version }))
            .collect();
        assert!(found == *expected, "cut at {cut}: the records are not those of commit {at}");
        let next = runtime().block_on(engine.commit(batch(b"next", b""))).expect("the store goes on");
        assert_eq!(next, page.at + 1, "cut at {cut}");
    }
}

/// Four records that must always agree, one that comes and goes, and a trail.
fn work(n: u64, chance: &mut Chance) -> Batch {
    let slot = chance.below(16);
    let length = usize::try_from(chance.below(2500)).expect("it is small");
    let value = [n.to_string().as_bytes(), &vec![b'.'; length]].concat();
    let mut put: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        (0..4).map(|part| (format!("slot/{slot}/{part}").into_bytes(), Some(value.clone()))).collect();
    let sometimes = (chance.below(2) == 0).then(|| n.to_string().into_bytes());
    put.push((format!("sometimes/{}", chance.below(16)).into_bytes(), sometimes));
    put.push((format!("trail/{n}").into_bytes(), Some(Vec::new())));
    if let Some(old) = n.checked_sub(40) {
        put.push((format!("trail/{old}").into_bytes(), None));
    }
    Batch { expect: vec![], put }
}

fn commit_burst(engine: &EmbeddedEngine, burst: &[Batch], after: &mut Vec<Records>) {
    for (outcome, batch) in commit_together(engine, burst).into_iter().zip(burst) {
        let version = outcome.expect("a healthy medium takes commits");
        assert_eq!(version, after.len() as Version);
        let mut records = after.last().cloned().unwrap_or_default();
        for (key, value) in batch.put.clone() {
            match value {
                Some(value) => records.insert(key, Stored { value, version }),
                None => records.remove(&key),
            };
        }
        after.push(records);
    }
}

fn open(medium: &TestMedium, options: EmbeddedOptions) -> EmbeddedEngine {
    let medium = medium.clone();
    EmbeddedEngine::with_backend(move || Ok(medium.clone()), options).expect("what a power cut leaves opens")
}

fn options(quick_repair: bool) -> EmbeddedOptions {
    // A cache this small has pages written early, before their commit.
    EmbeddedOptions { cache_bytes: 64 * 1024, quick_repair, ..EmbeddedOptions::default() }
}
