//! Nodes over a simulated etcd, network and clock, in one thread and from one seed: what goes wrong there goes wrong again.
//!
//! `CLAVIGER_SEED=n` runs one seed, `CLAVIGER_SEEDS=n` that many; `CLAVIGER_REPEATED=n` repeats that many.

mod chance;
mod clients;
mod faults;
mod gate;
mod history;
mod node;
mod operation;
mod perform;
mod run;
mod stage;
mod verdict;
mod watched;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use history::Tally;
use run::{Report, run};
use watched::Sabotage;

/// Seeds of one run of the tests, unless told otherwise.
const SEEDS: u64 = 200;
/// Seeds that are run twice, to see the same run twice.
const REPEATED: u64 = 20;

#[test]
fn no_seed_breaks_a_promise() {
    let seeds = match number("CLAVIGER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CLAVIGER_SEEDS").unwrap_or(SEEDS),
    };
    let all = seeds.end - seeds.start;
    let (failed, tally) = run_all(seeds, Sabotage::None);
    println!("{tally:?}");
    for (seed, report) in &failed {
        show(*seed, report);
    }
    assert!(failed.is_empty(), "{} of {all} seeds broke a promise; see above", failed.len());
    if all >= SEEDS {
        let Tally { slow, stale, registered_again, lost, unknown, crashes, stops, denied, settled, .. } =
            tally;
        for (what, count) in [
            ("commits that waited for a lease to run out", slow),
            ("requests refused without a lease", stale),
            ("registrations after the first", registered_again),
            ("watches behind a compaction", lost),
            ("outcomes unknown", unknown),
            ("crashes", crashes),
            ("stops", stops),
            ("refusals", denied),
            ("due keys settled", settled),
        ] {
            assert!(count > 10, "there were {count} {what}: that is not much of a test");
        }
    }
}

#[test]
fn what_is_broken_on_purpose_is_noticed() {
    for sabotage in [Sabotage::Deaf, Sabotage::IgnoresFresh, Sabotage::WildClocks] {
        let noticed = (0..SEEDS).find_map(|seed| Some((seed, run(seed, sabotage).breaches.first()?.clone())));
        println!("{sabotage:?}: noticed with seed {noticed:?}");
        assert!(noticed.is_some(), "{sabotage:?} was not noticed");
    }
}

#[test]
fn a_seed_is_a_run() {
    let seeds = 0..number("CLAVIGER_REPEATED").unwrap_or(REPEATED);
    let traces = || -> Vec<Mutex<Vec<String>>> { seeds.clone().map(|_| Mutex::default()).collect() };
    let (once, again) = (traces(), traces());
    for traces in [&once, &again] {
        on_all_processors(seeds.clone(), |seed| {
            let place = traces.get(usize::try_from(seed).expect("few seeds")).expect("one for each");
            *place.lock().expect("no thread panics") = run(seed, Sabotage::None).trace;
        });
    }
    let mut parted = 0;
    for ((seed, once), again) in seeds.zip(once).zip(again) {
        let (once, again) =
            (once.into_inner().expect("no thread panics"), again.into_inner().expect("no thread panics"));
        assert!(once.len() > 100, "seed {seed}: not much of a run");
        let line = once.iter().zip(&again).position(|(once, again)| once != again);
        if let Some(line) = line.or((once.len() != again.len()).then_some(once.len().min(again.len()))) {
            let told = |trace: &[String]| trace.get(line).cloned().unwrap_or_default();
            println!("seed {seed} parts in line {}:\n{}\n{}", line + 1, told(&once), told(&again));
            parted += 1;
        }
    }
    assert_eq!(parted, 0, "runs of one seed that differ; see above");
}

/// Runs seeds on all processors; answers those that failed, and what happened in all.
fn run_all(seeds: std::ops::Range<u64>, sabotage: Sabotage) -> (Vec<(u64, Report)>, Tally) {
    let failed = Mutex::new(Vec::new());
    let tally = Mutex::new(Tally::default());
    on_all_processors(seeds, |seed| {
        let report = run(seed, sabotage);
        tally.lock().expect("no thread panics").add(&report.tally);
        if !report.breaches.is_empty() {
            failed.lock().expect("no thread panics").push((seed, report));
        }
    });
    let mut failed = failed.into_inner().expect("no thread panics");
    failed.sort_by_key(|(seed, _)| *seed);
    (failed, tally.into_inner().expect("no thread panics"))
}

fn on_all_processors(seeds: std::ops::Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    work(seed);
                }
            });
        }
    });
}

fn show(seed: u64, report: &Report) {
    println!(
        "seed {seed}: CLAVIGER_SEED={seed} cargo test -p claviger --test simulation no_seed_breaks_a_promise"
    );
    report.breaches.iter().for_each(|breach| println!("    {breach}"));
    // One seed by itself is told in full.
    if number("CLAVIGER_SEED").is_some() {
        report.trace.iter().enumerate().for_each(|(line, text)| println!("{:>6} {text}", line + 1));
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
