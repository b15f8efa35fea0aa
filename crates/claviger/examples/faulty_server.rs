//! `claviger dev` on a store that fails on command, for testing what clients are told then.
//!
//! `--control FILE` is read every 50 ms. `refuse` in it: commits fail and change nothing. `unknown`: commits take place, and
//! their outcome is not told. `reads`: nothing can be read. Empty: nothing fails.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::thread::{sleep, spawn};
use std::time::Duration;

use clap::{Parser, Subcommand};
use claviger::{cli, dev};
use claviger_store::{Engine, Faults, FaultyEngine};

static FAULTS: LazyLock<Arc<Faults>> = LazyLock::new(Arc::default);

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
    spawn(move || {
        loop {
            let said = std::fs::read_to_string(&control).unwrap_or_default();
            let said = said.trim();
            FAULTS.refuse.store(said == "refuse", Ordering::SeqCst);
            FAULTS.lose_answer.store(said == "unknown", Ordering::SeqCst);
            FAULTS.fail_reads.store(said == "reads", Ordering::SeqCst);
            sleep(Duration::from_millis(50));
        }
    });
    cli::finish(cli::block_on(dev::run(args, faulty)))
}

fn faulty(engine: Arc<dyn Engine>) -> Arc<dyn Engine> {
    Arc::new(FaultyEngine::new(engine, Arc::clone(&FAULTS)))
}
