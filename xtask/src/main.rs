//! What a developer runs: `cargo xtask test`, `cargo xtask bench`. See `--help` of each.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod account;
mod bench;
mod caller;
mod chance;
mod clock;
mod cluster;
mod crash;
mod etcd;
mod faults;
mod history;
mod http;
mod process;
mod proxy;
mod release;
mod server;
mod sign;
mod signal;
mod test;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the release binary against a bare echo and a bare fsync loop, as ratios in one run.
    Bench(bench::Options),
    /// One load generator; started by `bench` as a process of its own.
    #[command(hide = true)]
    BenchClient(bench::ClientOptions),
    /// The bare hyper server that `bench` compares with.
    #[command(hide = true)]
    BenchEcho(bench::EchoOptions),
    /// Start etcd and three nodes on loopback, show that they work together, and wait for Ctrl-C.
    Cluster(cluster::Options),
    /// Kill the release binary at random moments and check that nothing acknowledged is lost.
    Crash(crash::Options),
    /// Break a cluster in every way under load, and judge what its clients saw.
    Faults(faults::Options),
    /// Everything CI runs: formatting, lints, tests, crash and fault tests, and the official clients.
    Test(test::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::BenchClient(options) => bench::run_client(&options),
        Command::BenchEcho(options) => bench::run_echo(&options),
        Command::Cluster(options) => cluster::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Test(options) => return test::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
