//! One measurement: a client process started, awaited and read.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::workload::{Material, Workload, succeeded};
use super::{Options, store};
use crate::http::Connection;

/// What a client process measured. Times are in microseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Measured {
    pub per_second: f64,
    pub p50_micros: u32,
    pub p99_micros: u32,
    /// Answers that were no success.
    pub failures: u64,
}

/// A load that can be run many times.
pub struct Load {
    workload: Workload,
    target: SocketAddr,
    material: Material,
    connections: usize,
    seconds: f64,
}

impl Load {
    pub fn new(options: &Options, workload: Workload, target: SocketAddr, keys: &[String]) -> Self {
        let material = store::material(target, keys);
        let Options { connections, seconds, .. } = *options;
        Self { workload, target, material, connections, seconds }
    }

    /// With resources and values of that round.
    pub fn in_round(mut self, round: usize) -> Self {
        self.material.round = round;
        self
    }

    /// The very same bytes sent to another address.
    pub fn against(&self, target: SocketAddr) -> Self {
        let Self { workload, connections, seconds, .. } = *self;
        Self { workload, target, material: self.material.clone(), connections, seconds }
    }

    /// Length of the body that the server answers with.
    pub fn answer_bytes(&self) -> Result<usize> {
        let answer = Connection::open(self.target)?.call(&self.material.request(self.workload, 0))?;
        ensure!(succeeded(&answer), "{:?}: {}", self.workload, String::from_utf8_lossy(&answer.body));
        Ok(answer.body.len())
    }

    /// Runs it once. A single answer that is no success is an error.
    pub fn run(&self) -> Result<Measured> {
        let workload = clap::ValueEnum::to_possible_value(&self.workload).expect("no workload is hidden");
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench-client", "--workload", workload.get_name(), "--target", &self.target.to_string()])
            .args(["--connections", &self.connections.to_string(), "--seconds", &self.seconds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the client process")?;
        let mut stdin = child.stdin.take().expect("stdin was piped above");
        stdin.write_all(&serde_json::to_vec(&self.material)?)?;
        drop(stdin);
        let done = child.wait_with_output()?;
        ensure!(done.status.success(), "the client process ended with {}", done.status);
        let measured: Measured = serde_json::from_slice(&done.stdout)?;
        ensure!(
            measured.failures == 0,
            "{} answers of {:?} were no success",
            measured.failures,
            self.workload
        );
        Ok(measured)
    }
}
