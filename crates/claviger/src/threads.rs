//! The threads that serve: each has a runtime and listeners of its own and shares no work with the others.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use claviger_api::{Phase, Shell};
use rustls::ServerConfig;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The listeners of one thread.
pub type Share = Vec<(TcpListener, Option<Arc<ServerConfig>>)>;

/// Threads per runtime for what blocks: password hashes and private-key work.
const BLOCKING_THREADS: usize = 2;
/// How long after the drain what still runs may take before it is given up.
const LAST_TASKS: Duration = Duration::from_secs(5);

/// The signals that mean stop.
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Listens for SIGTERM and SIGINT from now on.
    pub fn on_signals() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves on one thread per share until told to stop; then for the time of notice, while `phase` says that it is leaving; then
/// until every thread has drained. Every further signal ends the wait of its moment.
pub async fn serve(
    shell: &Shell,
    shares: Vec<Share>,
    phase: &watch::Sender<Phase>,
    mut stop: Stop,
) -> Result<()> {
    let (ended, mut ends) = mpsc::channel(shares.len().max(1));
    for (number, share) in shares.into_iter().enumerate() {
        let (shell, ended) = (shell.clone(), ended.clone());
        let run = move || {
            // The receiver outlives the threads, and the channel has room for all of them.
            let _ = ended.try_send(run(&shell, share));
        };
        thread::Builder::new()
            .name(format!("serve-{number}"))
            .spawn(run)
            .context("a thread cannot be started")?;
    }
    // What is left are the threads' own: the channel closes when the last of them has ended, however it did.
    drop(ended);
    let early = tokio::select! {
        () = stop.come() => None,
        end = ends.recv() => Some(end),
    };
    if early.is_none() {
        give_notice(shell, phase, &mut stop).await;
        tracing::info!("stopping: no new connections; ending what is under way");
    }
    phase.send_replace(Phase::Stopping);
    let mut outcome = match early {
        None => Ok(()),
        Some(end) => end
            .unwrap_or_else(|| Err(anyhow!("a serving thread died")))
            .and_then(|()| Err(anyhow!("a serving thread ended before it was told to"))),
    };
    loop {
        tokio::select! {
            end = ends.recv() => match end {
                Some(end) => outcome = outcome.and(end),
                None => return outcome,
            },
            () = stop.come() => {
                tracing::warn!("told to stop again: not waiting any longer");
                return outcome;
            }
        }
    }
}

/// Goes on serving, not ready any more, until whoever sends requests here has had time to notice.
async fn give_notice(shell: &Shell, phase: &watch::Sender<Phase>, stop: &mut Stop) {
    phase.send_replace(Phase::Leaving);
    let seconds = shell.limits.notice_seconds;
    if seconds == 0 {
        return;
    }
    tracing::info!(seconds, "leaving: not ready any more, serving what still comes");
    tokio::select! {
        () = sleep(Duration::from_secs(seconds)) => {}
        () = stop.come() => {}
    }
}

/// One thread's life.
fn run(shell: &Shell, share: Share) -> Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .context("a runtime cannot be started")?;
    let outcome = runtime.block_on(async {
        let mut listening = JoinSet::new();
        for (listener, tls) in share {
            listening.spawn(shell.clone().listen(listener, tls));
        }
        while let Some(listened) = listening.join_next().await {
            listened.context("a listener died")?.context("a listener failed")?;
        }
        // Writes whose clients have hung up go on by themselves, into the audit.
        if timeout(LAST_TASKS, no_tasks()).await.is_err() {
            tracing::warn!("some requests did not come to their end in time");
        }
        Ok(())
    });
    runtime.shutdown_background();
    outcome
}

async fn no_tasks() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
}
