//! The load generator: many keep-alive connections writing pre-rendered requests, as cheaply as can be, because it
//! shares the cores with the server. Every answer is looked at.

use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::load::Measured;
use super::workload::{Material, Workload, succeeded};
use crate::http::{Answer, Head};

/// Threads, each with a runtime and a share of the connections.
const THREADS: usize = 2;
/// Signed requests that repeatable workloads cycle through.
const PREPARED: u64 = 2048;
/// Where the next connection's numbers begin: no two connections ever send the same write. A prime, so that connections do not
/// go through the keys in step, all waiting for the same one.
const NUMBERS_PER_CONNECTION: u64 = 1_000_000_007;

/// The material of the requests comes as JSON on standard input.
#[derive(Args)]
pub struct Options {
    #[arg(long, value_enum)]
    workload: Workload,
    #[arg(long)]
    target: SocketAddr,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
}

/// Loads the target and prints one line of JSON.
pub fn run(options: &Options) -> Result<()> {
    let material: Material =
        serde_json::from_reader(std::io::stdin()).context("material on standard input")?;
    let prepared: Vec<Vec<u8>> = if options.workload.repeats() {
        (0..PREPARED).map(|n| material.request(options.workload, n)).collect()
    } else {
        Vec::new()
    };
    let shares: Vec<Vec<u64>> = (0..THREADS as u64)
        .map(|thread| (0..options.connections as u64).filter(|c| c % THREADS as u64 == thread).collect())
        .collect();
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(options.seconds);
    let mut results = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = shares
            .iter()
            .map(|share| scope.spawn(|| drive(options, &material, &prepared, share, until)))
            .collect();
        for thread in threads {
            results.push(thread.join().expect("a client thread does not panic")?);
        }
        Ok(())
    })?;
    let elapsed = started.elapsed().as_secs_f64();
    println!("{}", serde_json::to_string(&summarise(results, elapsed))?);
    Ok(())
}

/// Times of one connection in microseconds, and how many answers were no success.
#[derive(Default)]
struct Samples {
    micros: Vec<u32>,
    failures: u64,
}

fn summarise(results: Vec<Samples>, elapsed: f64) -> Measured {
    let failures = results.iter().map(|samples| samples.failures).sum();
    let mut micros: Vec<u32> = results.into_iter().flat_map(|samples| samples.micros).collect();
    micros.sort_unstable();
    let rank = |per_cent: usize| micros.get(micros.len() * per_cent / 100).copied().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
    let per_second = micros.len() as f64 / elapsed;
    Measured { per_second, p50_micros: rank(50), p99_micros: rank(99), failures }
}

/// One thread's connections.
fn drive(
    options: &Options,
    material: &Material,
    prepared: &[Vec<u8>],
    share: &[u64],
    until: Instant,
) -> Result<Samples> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let source = Rc::new(Source {
        material: material.clone(),
        prepared: prepared.to_vec(),
        workload: options.workload,
    });
    let local = LocalSet::new();
    let tasks: Vec<_> = share
        .iter()
        .map(|connection| {
            let number = *connection;
            local.spawn_local(one_connection(options.target, Rc::clone(&source), number, until))
        })
        .collect();
    let mut all = Samples::default();
    local.block_on(&runtime, async {
        for task in tasks {
            let samples = task.await.expect("a connection does not panic")?;
            all.micros.extend(samples.micros);
            all.failures += samples.failures;
        }
        anyhow::Ok(())
    })?;
    Ok(all)
}

/// Where requests come from.
struct Source {
    material: Material,
    prepared: Vec<Vec<u8>>,
    workload: Workload,
}

async fn one_connection(
    target: SocketAddr,
    source: Rc<Source>,
    number: u64,
    until: Instant,
) -> Result<Samples> {
    let mut stream = TcpStream::connect(target).await.context("connect")?;
    stream.set_nodelay(true)?;
    let mut samples = Samples::default();
    let mut received = Vec::with_capacity(16 * 1024);
    let mut next = number * NUMBERS_PER_CONNECTION;
    let mut position = usize::try_from(number).unwrap_or(0) * 31;
    while Instant::now() < until {
        let started = Instant::now();
        if source.prepared.is_empty() {
            stream.write_all(&source.material.request(source.workload, next)).await?;
            next += 1;
        } else {
            position = (position + 1) % source.prepared.len();
            let request = source.prepared.get(position).expect("position was reduced by the length");
            stream.write_all(request).await?;
        }
        let answer = read_answer(&mut stream, &mut received).await?;
        samples.micros.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
        samples.failures += u64::from(!succeeded(&answer));
    }
    Ok(samples)
}

/// Requests are not pipelined, so an answer is all that arrives.
async fn read_answer(stream: &mut TcpStream, received: &mut Vec<u8>) -> Result<Answer> {
    received.clear();
    loop {
        let read = stream.read_buf(received).await.context("receive")?;
        ensure!(read > 0, "the server closed a connection");
        let Some(head) = Head::parse(received)? else { continue };
        if received.len() >= head.bytes + head.body_bytes {
            let body = received.get(head.bytes..).unwrap_or_default().to_vec();
            return Ok(Answer { status: head.status, body });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Samples, summarise};

    #[test]
    fn percentiles_of_all_threads() {
        let samples = |range: std::ops::Range<u32>| Samples { micros: range.collect(), failures: 1 };
        let measured = summarise(vec![samples(0..50), samples(50..100)], 2.0);
        assert_eq!((measured.p50_micros, measured.p99_micros, measured.failures), (50, 99, 2));
        assert!((measured.per_second - 50.0).abs() < f64::EPSILON);
        assert_eq!(summarise(Vec::new(), 1.0).p99_micros, 0);
    }
}
