//! Work that takes longer than about 100 µs leaves the runtime's thread: RSA, key generation, password hashes. A bounded number
//! of calls may run and wait; past that the request is shed.

use tokio::sync::Semaphore;

use crate::fault::Fault;

/// The bounded pool.
#[derive(Debug)]
pub(crate) struct Workers {
    waiting: Semaphore,
}

impl Workers {
    /// Most calls running or waiting.
    const MOST: usize = 64;

    pub(crate) const fn new() -> Self {
        Self { waiting: Semaphore::const_new(Self::MOST) }
    }

    /// Runs `work` off the runtime's thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let _permit = self.waiting.try_acquire().map_err(|_| Fault::Unavailable)?;
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "a worker failed");
            Fault::Internal
        })
    }
}
