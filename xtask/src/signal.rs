//! Signals to processes that this tool started.

use std::process::Command;

use anyhow::{Result, ensure};

/// What can be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// Go on after [`Signal::Stop`].
    Continue,
    /// Stand still; the process notices nothing but that time has passed.
    Stop,
    /// End in order.
    Terminate,
}

/// Sends it.
pub fn send(process: u32, signal: Signal) -> Result<()> {
    let name = match signal {
        Signal::Continue => "-CONT",
        Signal::Stop => "-STOP",
        Signal::Terminate => "-TERM",
    };
    let sent = Command::new("kill").arg(name).arg(process.to_string()).status()?;
    ensure!(sent.success(), "kill {name} {process}: {sent}");
    Ok(())
}
