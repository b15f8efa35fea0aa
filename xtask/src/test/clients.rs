//! The official clients: installed from the registries into `target/clients/`, pinned, and run against the release binary.
//! A client that cannot be installed fails the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Tally, count};
use crate::process::{binary, repository, succeed, target, watch};

/// Marks a folder as installed from exactly that text.
const STAMP: &str = ".installed-from";

/// pytest over `clients/python`, in a virtual environment of its own.
pub fn python(more: &[String]) -> Result<Tally> {
    let suite = repository().join("clients").join("python");
    let venv = target().join("clients").join("python");
    let pinned = fs::read_to_string(suite.join("requirements.txt"))?;
    install(&venv, &pinned, || {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
        succeed(Command::new(venv.join("bin/python")).args(arguments).arg(suite.join("requirements.txt")))
    })?;
    let mut pytest = Command::new(venv.join("bin/python"));
    pytest.args(["-m", "pytest"]).args(more).current_dir(&suite).env("CLAVIGER_BIN", binary()?);
    let mut tally = Tally::default();
    let succeeded = watch(&mut pytest, |line| {
        if line.contains(" in ")
            && (line.contains("passed") || line.contains("failed") || line.contains("error"))
        {
            let broken = count(line, "failed") + count(line, "error") + count(line, "errors");
            let skipped = count(line, "skipped") + count(line, "xfailed") + count(line, "deselected");
            tally = Tally { passed: count(line, "passed"), failed: broken + skipped };
        }
    })?;
    closed(tally, succeeded, "pytest")
}

/// `node --test` over `clients/node`, copied beside its installed packages.
pub fn node(more: &[String]) -> Result<Tally> {
    let suite = repository().join("clients").join("node");
    let folder = target().join("clients").join("node");
    let pinned = fs::read_to_string(suite.join("package-lock.json"))?;
    let files = copy(&suite, &folder)?;
    install(&folder, &pinned, || {
        let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        succeed(Command::new("npm").args(arguments).current_dir(&folder))
    })?;
    let mut runner = Command::new("node");
    runner.args(["--test", "--test-reporter=tap"]).args(more);
    runner.args(files.iter().filter(|file| file.to_string_lossy().ends_with(".test.mjs")));
    runner.current_dir(&folder).env("CLAVIGER_BIN", binary()?);
    let mut tally = Tally::default();
    let succeeded = watch(&mut runner, |line| {
        let figure = |name| line.strip_prefix(name).and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        tally.passed += figure("# pass ");
        tally.failed += figure("# fail ") + figure("# cancelled ") + figure("# skipped ") + figure("# todo ");
    })?;
    closed(tally, succeeded, "node --test")
}

/// A runner's tally and its exit code have to agree.
fn closed(mut tally: Tally, succeeded: bool, runner: &str) -> Result<Tally> {
    ensure!(tally != Tally::default(), "{runner} ran no test");
    if !succeeded && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Runs `steps` unless the folder was made from the very same text before.
fn install(folder: &Path, pinned: &str, steps: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|text| text == pinned) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    steps().with_context(|| format!("cannot install into {}", folder.display()))?;
    fs::write(stamp, pinned)?;
    Ok(())
}

/// Copies the files of one folder; their names.
fn copy(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(to)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
            names.push(PathBuf::from(entry.file_name()));
        }
    }
    names.sort();
    Ok(names)
}
