//! What the engine asks of the machine it runs on: the time that has passed, and connections. Both come in from outside, so
//! that a simulation can bend them.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncWrite};
use uuid::Uuid;

/// Time since some moment, which never goes back; compared only with itself.
pub type LeaseClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A connection to an etcd member.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Wire for T {}

/// A connection on its way.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send>>;

/// Connects to `host:port`.
pub type Dial = Arc<dyn Fn(String) -> Dialing + Send + Sync>;

/// The machine.
#[derive(Clone)]
pub struct World {
    /// The clock that leases are measured with.
    pub clock: LeaseClock,
    /// Ids that nobody else has: a node is one thing from its registration to its end.
    pub ids: Arc<dyn Fn() -> String + Send + Sync>,
    /// The time of day, in milliseconds since the epoch; told to people in `cluster status`, and used for nothing else.
    pub unix_millis: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// How to connect; `None` for TCP.
    pub dial: Option<Dial>,
}

impl World {
    /// The machine this runs on. Its clock counts the time that the machine was suspended too.
    pub fn system() -> Self {
        let clock = || {
            let time = clock_gettime(ClockId::Boottime);
            Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
        };
        #[expect(clippy::disallowed_methods, reason = "not a secret, and nothing else needs chance here")]
        let ids = || Uuid::new_v4().simple().to_string();
        #[expect(clippy::disallowed_methods, reason = "for people only")]
        let unix_millis = || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        };
        Self { clock: Arc::new(clock), ids: Arc::new(ids), unix_millis: Arc::new(unix_millis), dial: None }
    }

    /// The time by the lease clock.
    pub fn now(&self) -> Duration {
        (self.clock)()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("World").field("dial", &self.dial.is_some()).finish_non_exhaustive()
    }
}
