//! `claviger dev` on a store that fails on command, for testing what clients are told then.
//!
//! `--control FILE` is read before every use of the store, so that what is written there holds for the next request. `refuse` in
//! it: commits fail and change nothing. `unknown`: commits take place, and their outcome is not told. `reads`: nothing can be
//! read. `stale`: the node may have missed what others committed. Empty: nothing fails.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use clap::{Parser, Subcommand};
use claviger::{cli, dev};
use claviger_store::{
    Answer, Batch, Engine, Faults, FaultyEngine, Observer, Page, Read, Scan, Stats, Version,
};

/// `--control`; there before the store is opened.
static CONTROL: OnceLock<PathBuf> = OnceLock::new();

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The same as `claviger dev`, with faults.
    Dev {
        #[command(flatten)]
        args: dev::Args,
        /// The file that says what fails.
        #[arg(long, value_name = "FILE")]
        control: PathBuf,
    },
}

fn main() -> ExitCode {
    let Command::Dev { args, control } = Cli::parse().command;
    CONTROL.get_or_init(|| control);
    cli::finish(cli::block_on(dev::run(args, controlled)))
}

fn controlled(engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
    let faults: Arc<Faults> = Arc::default();
    Arc::new(Controlled { engine: FaultyEngine::new(engine, Arc::clone(&faults)), faults })
}

/// A store that looks at the file first.
struct Controlled {
    engine: FaultyEngine,
    faults: Arc<Faults>,
}

impl Controlled {
    fn engine(&self) -> &FaultyEngine {
        let said =
            CONTROL.get().and_then(|control| std::fs::read_to_string(control).ok()).unwrap_or_default();
        let said = said.trim();
        self.faults.refuse.store(said == "refuse", Ordering::SeqCst);
        self.faults.lose_answer.store(said == "unknown", Ordering::SeqCst);
        self.faults.fail_reads.store(said == "reads", Ordering::SeqCst);
        self.faults.stale.store(said == "stale", Ordering::SeqCst);
        &self.engine
    }
}

impl Engine for Controlled {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Read> {
        self.engine().get(key)
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Answer<'a, Page> {
        self.engine().scan(scan)
    }

    fn commit(&self, batch: Batch) -> Answer<'_, Version> {
        self.engine().commit(batch)
    }

    fn observe(&self, observer: Observer) {
        self.engine.observe(observer);
    }

    fn stats(&self) -> Stats {
        self.engine.stats()
    }

    fn fresh(&self) -> bool {
        self.engine().fresh()
    }

    fn live_nodes(&self) -> u32 {
        self.engine.live_nodes()
    }

    fn leave(&self) -> Answer<'_, ()> {
        self.engine.leave()
    }
}
