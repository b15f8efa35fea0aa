//! Work that takes longer than about 100 µs leaves the runtime's thread: RSA, key generation, password hashes. A bounded number
//! of calls may run and wait; past that the request is shed. Logins have places of their own, so that no other work shuts them
//! out.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::fault::Fault;

/// The bounded pool.
#[derive(Debug)]
pub(crate) struct Workers {
    keys: Arc<Semaphore>,
    passwords: Arc<Semaphore>,
}

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// RSA: making keys and unwrapping material.
    Keys,
    /// Hashing and checking passwords.
    Passwords,
}

impl Workers {
    /// Most calls of each kind running or waiting.
    const MOST: usize = 16;

    pub(crate) fn new() -> Self {
        Self { keys: Arc::new(Semaphore::new(Self::MOST)), passwords: Arc::new(Semaphore::new(Self::MOST)) }
    }

    /// Runs `work` off the runtime's thread. Its place is taken until the work itself is done, whether or not anybody still
    /// waits for it: a client that hangs up does not make room.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let places = match kind {
            Work::Keys => &self.keys,
            Work::Passwords => &self.passwords,
        };
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| Fault::Unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "a worker failed");
            Fault::Internal
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_place_is_taken_until_the_work_is_done() {
        let workers = Workers::new();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..Workers::MOST {
            let wait = Arc::clone(&wait);
            let work = workers.run(Work::Keys, move || drop(wait.lock().map(|wait| wait.recv())));
            // Nobody waits for it: the call is dropped after its first poll.
            let polled = tokio::time::timeout(std::time::Duration::from_millis(1), work).await;
            assert!(polled.is_err());
        }
        assert_eq!(workers.run(Work::Keys, || 1).await, Err(Fault::Unavailable));
        assert_eq!(workers.run(Work::Passwords, || 1).await, Ok(1), "logins have places of their own");
        for _ in 0..Workers::MOST {
            release.send(()).expect("workers wait");
        }
        while workers.run(Work::Keys, || 1).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}
