//! The release binary as a child process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::http::Connection;
use crate::process::binary;
use crate::signal::{Signal, send};

/// How long a start may take; a hundred thousand seeded keys are written within it.
const READY_SECONDS: u64 = 300;
/// How long one look at `/readyz` may take.
const READY_ANSWER: Duration = Duration::from_secs(5);
/// Pause between two looks at `/readyz`.
const POLL: Duration = Duration::from_millis(2);

/// How to start one server on one data folder.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What is started.
    pub program: PathBuf,
    pub address: SocketAddr,
    pub data: PathBuf,
    pub arguments: Vec<String>,
}

impl Launch {
    /// `claviger dev` on a free port.
    pub fn dev(data: &Path, more: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let data_text = text(data)?;
        let mut arguments: Vec<String> =
            ["dev", "--listen", &address.to_string(), "--data", data_text].map(String::from).into();
        arguments.extend(more.iter().map(ToString::to_string));
        Ok(Self { program: binary()?, address, data: data.to_owned(), arguments })
    }

    /// `claviger serve` with that file, which must name `address`.
    pub fn serve(address: SocketAddr, data: &Path, config: &Path) -> Result<Self> {
        let arguments = ["serve", "--config", text(config)?].map(String::from).into();
        Ok(Self { program: binary()?, address, data: data.to_owned(), arguments })
    }

    /// Starts it without waiting. Both outputs go to `<data>.log`.
    pub fn spawn(&self) -> Result<Server> {
        let path = self.data.with_extension("log");
        let log = File::options().create(true).append(true).open(&path)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Server { child, address: self.address, log: path })
    }

    /// Starts it and waits for `/readyz`; the time that took.
    pub fn start(&self) -> Result<(Server, Duration)> {
        let started = Instant::now();
        let mut server = self.spawn()?;
        server.await_ready()?;
        Ok((server, started.elapsed()))
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For signals.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn await_ready(&mut self) -> Result<()> {
        self.await_ready_within(Duration::from_secs(READY_SECONDS))
    }

    pub fn await_ready_within(&mut self, time: Duration) -> Result<()> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at start with {status}: {}", self.log_tail());
            }
            if ready(self.address) {
                return Ok(());
            }
            sleep(POLL);
        }
        bail!("the server was not ready after {} s: {}", time.as_secs(), self.log_tail())
    }

    /// How it ended by itself within that time.
    pub fn await_end(&mut self, time: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "the server did not end: {}", self.log_tail());
            sleep(POLL);
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and the end.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        send(self.child.id(), Signal::Terminate)?;
        Ok(self.child.wait()?)
    }

    /// The most memory it ever held, in bytes (`VmHWM`).
    pub fn peak_memory_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
        let kilobytes = line.split_whitespace().nth(1).context("no figure in VmHWM")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// The last lines of both its outputs, and of those of earlier servers on the same data.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n  ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is what is wanted.
        let _ = self.kill();
    }
}

/// Whether whoever listens there says that it may serve.
pub fn ready(address: SocketAddr) -> bool {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    let connection = Connection::open_within(address, READY_ANSWER);
    connection
        .and_then(|mut connection| connection.call(request.as_bytes()))
        .is_ok_and(|answer| answer.status == 200)
}

/// A loopback address nobody listens on at this moment.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A path as text for a command line or a TOML file.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
