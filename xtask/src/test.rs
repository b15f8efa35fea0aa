//! `cargo xtask test`: everything CI runs, step by step, with one closing line.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::process::{binary, command, succeed, target, watch};
use crate::{cluster, crash, etcd, faults};

mod clients;

/// What to run. Without `--only`, everything, in this order.
#[derive(Args)]
pub struct Options {
    /// Run this step alone; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Step>,
    /// Arguments for the client suites' own runner, after `--`.
    #[arg(last = true)]
    more: Vec<String>,
}

/// One part of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Step {
    /// `cargo fmt --check`.
    Fmt,
    /// Clippy over all targets, warnings being errors.
    Clippy,
    /// Unit, golden, engine and tidy tests.
    Cargo,
    /// The release binary, and the one whose commits fail on command.
    Build,
    /// SIGKILL at random moments.
    Crash,
    /// etcd from this machine or its packages, and its version.
    Etcd,
    /// Every run of a small model of the freshness protocol.
    Model,
    /// The cluster to play with: started, shown to work, and ended.
    Cluster,
    /// A cluster of real processes in every kind of trouble.
    Faults,
    /// Tencent's and Huawei's Python SDKs and tccli.
    ClientsPython,
    /// Tencent's and Huawei's Node SDKs.
    ClientsNode,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// A step that is one check.
    fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs the steps; a failing one does not stop the others, except that nothing runs against a binary that was not built.
pub fn run(options: &Options) -> ExitCode {
    let steps = if options.only.is_empty() { Step::value_variants() } else { &options.only };
    let mut total = Tally::default();
    let mut summary = Vec::new();
    let (mut built, mut has_etcd) = (true, true);
    for step in steps {
        let name = step.to_possible_value().expect("no step is hidden").get_name().to_owned();
        println!("\n=== {name}");
        let started = Instant::now();
        let outcome = if step.needs_binary() && !built {
            Err(anyhow::anyhow!("the build failed"))
        } else if matches!(step, Step::Cluster | Step::Faults) && !has_etcd {
            Err(anyhow::anyhow!("there is no etcd"))
        } else {
            step.run(&options.more)
        };
        let tally = outcome.unwrap_or_else(|error| {
            eprintln!("error: {name}: {error:#}");
            Tally::one(false)
        });
        built &= *step != Step::Build || tally.failed == 0;
        has_etcd &= *step != Step::Etcd || tally.failed == 0;
        total.add(tally);
        let seconds = started.elapsed().as_secs();
        summary
            .push(format!("{name:<15} {:>6} passed {:>4} failed {seconds:>5} s", tally.passed, tally.failed));
    }
    println!("\n{}\n{} passed, {} failed", summary.join("\n"), total.passed, total.failed);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Step {
    fn needs_binary(self) -> bool {
        matches!(self, Self::Crash | Self::Cluster | Self::Faults | Self::ClientsPython | Self::ClientsNode)
    }

    fn run(self, more: &[String]) -> Result<Tally> {
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Clippy => cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
            Self::Cargo => cargo_tests(),
            Self::Build => {
                let tally = cargo(&["build", "--release", "-p", "claviger", "--bins", "--examples"])?;
                succeed(Command::new(binary()?).arg("--version")).context("the built binary does not run")?;
                Ok(tally)
            }
            Self::Crash => crash::run(&crash::Options::default()).map(|()| Tally::one(true)),
            Self::Etcd => engine_tests(),
            Self::Model => cargo(&["run", "-p", "claviger-model"]),
            Self::Cluster => cluster::run(&cluster::Options::CHECK).map(|()| Tally::one(true)),
            Self::Faults => {
                let ended = faults::play(&faults::Options::default())?;
                let count = |names: Vec<_>| u64::try_from(names.len()).expect("a dozen scenarios");
                Ok(Tally { passed: count(ended.passed), failed: count(ended.failed) })
            }
            Self::ClientsPython => clients::python(more),
            Self::ClientsNode => clients::node(more),
        }
    }
}

fn cargo(arguments: &[&str]) -> Result<Tally> {
    let done = command("cargo", arguments).status().context("cannot start cargo")?;
    Ok(Tally::one(done.success()))
}

/// All of `cargo test`, counted.
fn cargo_tests() -> Result<Tally> {
    counted(&mut command("cargo", ["test", "--workspace", "--no-fail-fast"]))
}

/// The engine's tests against a real etcd of one member.
fn engine_tests() -> Result<Tally> {
    let binary = etcd::obtain()?;
    println!("etcd {} ({})", binary.version, binary.path.display());
    let folder = tempfile::Builder::new().prefix("etcd-").tempdir_in(target())?;
    let etcd = etcd::Etcd::start(&binary, folder.path(), 1, etcd::Settings::default())?;
    let client = etcd.clients().first().context("one member")?.to_string();
    let tests = ["--test", "real", "--test", "contract"];
    let arguments = ["test", "-p", "claviger-store-etcd", "--features", "real-etcd"].into_iter().chain(tests);
    let mut tests = command("cargo", arguments);
    tests.env("CLAVIGER_ETCD_URL", format!("http://{client}")).env("CLAVIGER_ETCD", &binary.path);
    counted(&mut tests)
}

/// A run of `cargo test`, counted.
fn counted(tests: &mut Command) -> Result<Tally> {
    let mut tally = Tally::default();
    let succeeded = watch(tests, |line| {
        if line.starts_with("test result:") {
            tally.add(Tally { passed: count(line, "passed"), failed: count(line, "failed") });
        }
    })?;
    if !succeeded && tally.failed == 0 {
        tally.failed = 1; // it did not compile
    }
    Ok(tally)
}

/// The number before that word: `3` in `2 failed, 3 passed in 1.2s`; 0 where the word is absent.
fn count(line: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, name] if *name == word => number.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_of_the_runners() {
        for (line, word, expected) in [
            ("test result: ok. 12 passed; 3 failed; 0 ignored; finished in 0.1s", "passed", 12),
            ("test result: FAILED. 12 passed; 3 failed; 0 ignored", "failed", 3),
            ("2 failed, 830 passed, 1 error in 12.34s", "passed", 830),
            ("830 passed in 12.34s", "failed", 0),
            ("# pass 17", "pass", 0),
            ("", "passed", 0),
        ] {
            assert_eq!(count(line, word), expected, "{line}");
        }
    }
}
