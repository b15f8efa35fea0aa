//! `cargo xtask bench`: the release binary with signatures, authorisation, audit, rate limits and metrics on, against a
//! bare hyper echo and a bare fsync loop. Everything is a ratio within one run, because absolute figures follow the machine.
//!
//! The load comes from processes of its own (`bench-client`), as does the echo (`bench-echo`): client and server share
//! the cores in both cases, so what the client costs is in numerator and denominator alike.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::process::target;

mod client;
mod cluster;
mod echo;
mod fsync;
mod load;
mod report;
mod store;
mod workload;

pub use client::{Options as ClientOptions, run as run_client};
pub use echo::{Options as EchoOptions, run as run_echo};

use load::Load;
use report::Report;
use store::Store;
use workload::Workload;

/// Keys of the small store.
const FEW_KEYS: u32 = 10;
/// Keys that the durable writes go to.
const WRITE_KEYS: u32 = 512;
/// Bytes of every Encrypt's plaintext.
const PLAINTEXT_BYTES: usize = 32;

/// How long, how often, and where the result goes.
#[derive(Args)]
pub struct Options {
    /// Interleaved rounds; medians are taken over them.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load per measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections of the load generator.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Keys in the large store.
    #[arg(long, default_value_t = 100_000)]
    keys: u32,
    /// Measure this part alone.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Also write the tables to this file.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Part {
    /// Several nodes over etcd.
    Cluster,
    /// One node on the embedded engine.
    Node,
}

/// Runs all measurements and prints them.
pub fn run(options: &Options) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target())?;
    let mut text = String::new();
    if options.only != Some(Part::Cluster) {
        let mut report = Report::new(options.rounds, options.seconds, options.connections);
        data_plane(options, folder.path(), &mut report)?;
        durable_writes(options, folder.path(), &mut report)?;
        many_keys(options, folder.path(), &mut report)?;
        text += &report.markdown();
    }
    if options.only != Some(Part::Node) {
        text += &cluster::run(options, folder.path())?;
    }
    println!("{text}");
    if let Some(path) = &options.markdown {
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Signed encryption through both dialects against an echo of the same sizes.
fn data_plane(options: &Options, folder: &Path, report: &mut Report) -> Result<()> {
    let store = Store::prepare(&folder.join("few"), FEW_KEYS, 0)?;
    let (server, _) = store.launch()?.start()?;
    let keys = Store::some_keys(server.address(), FEW_KEYS)?;
    for workload in [Workload::TencentEncrypt, Workload::HuaweiEncrypt] {
        let load = Load::new(options, workload, server.address(), &keys);
        let answer_bytes = load.answer_bytes()?;
        let echo = echo::Process::start(answer_bytes)?;
        load.run()?; // caches are warm before the first figure
        for _ in 0..options.rounds {
            report.bare.entry(workload).or_default().push(load.against(echo.address()).run()?);
            report.served.entry(workload).or_default().push(load.run()?);
        }
    }
    report.memory.push((format!("{FEW_KEYS} keys, after the data plane"), server.peak_memory_bytes()?));
    Ok(())
}

/// Acknowledged writes against one thread that appends and syncs.
fn durable_writes(options: &Options, folder: &Path, report: &mut Report) -> Result<()> {
    let store = Store::prepare(&folder.join("writes"), WRITE_KEYS, 0)?;
    let (server, _) = store.launch()?.start()?;
    let keys = Store::some_keys(server.address(), WRITE_KEYS)?;
    for round in 0..options.rounds {
        report.fsync.push(fsync::append_and_sync(folder, options.seconds)?);
        for workload in [Workload::Bind, Workload::Tag] {
            let load = Load::new(options, workload, server.address(), &keys).in_round(round);
            report.served.entry(workload).or_default().push(load.run()?);
        }
    }
    report.memory.push((format!("{WRITE_KEYS} keys, after the durable writes"), server.peak_memory_bytes()?));
    Ok(())
}

/// Start time and encryption with few keys and with many, both servers running, rounds interleaved.
fn many_keys(options: &Options, folder: &Path, report: &mut Report) -> Result<()> {
    let few = Store::prepare(&folder.join("start-few"), FEW_KEYS, 0)?;
    let many = Store::prepare(&folder.join("start-many"), FEW_KEYS, options.keys)?;
    for (store, starts) in [(&few, &mut report.start_few), (&many, &mut report.start_many)] {
        for _ in 0..options.rounds {
            let (mut server, took) = store.launch()?.start()?;
            starts.push(took.as_secs_f64());
            server.stop()?;
        }
    }
    let (few_server, _) = few.launch()?.start()?;
    let (many_server, _) = many.launch()?.start()?;
    let few_keys = Store::some_keys(few_server.address(), FEW_KEYS)?;
    let many_keys = Store::some_keys(many_server.address(), store::SAMPLE)?;
    let few_load = Load::new(options, Workload::TencentEncrypt, few_server.address(), &few_keys);
    let many_load = Load::new(options, Workload::TencentEncrypt, many_server.address(), &many_keys);
    few_load.run()?;
    many_load.run()?;
    for _ in 0..options.rounds {
        report.encrypt_few.push(few_load.run()?);
        report.encrypt_many.push(many_load.run()?);
    }
    report.keys = options.keys;
    report
        .memory
        .push((format!("{} keys, after encrypting", options.keys), many_server.peak_memory_bytes()?));
    Ok(())
}
