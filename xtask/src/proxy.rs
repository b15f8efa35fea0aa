//! TCP links that can be cut, silenced and slowed down: one proxy stands in front of one port, and what passes through
//! it follows the rule of whoever dialled.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Result;

mod dialer;
mod pipe;

pub use dialer::Dialers;

/// Who dialled, by the number its owner gave it.
pub type Source = usize;

/// What happens to the bytes of a link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rule {
    /// Connections are closed, and new ones as soon as they come: a machine that is there and refuses.
    Cut,
    /// Each chunk is held for a time between the two: a slow network.
    Delay(Duration, Duration),
    #[default]
    Pass,
    /// Nothing moves and nothing closes: a network that swallows everything. What was held goes on when it ends, as what
    /// TCP sends again would.
    Silence,
}

/// Whether proxies stand in some links.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Links {
    /// Nothing stands in them: for figures, and for what people paste.
    Direct,
    /// One proxy in each, to make trouble with.
    #[default]
    Proxied,
}

/// A port that leads to another one.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    closed: AtomicBool,
    rules: Mutex<Rules>,
    /// Told whenever a rule changes.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rules {
    by_source: HashMap<Source, Rule>,
    /// Open connections, to be closed when their link is cut.
    open: Vec<(Source, TcpStream)>,
}

impl Proxy {
    /// For a port that only one dials; its number is 0.
    pub fn new(target: SocketAddr) -> Result<Self> {
        Self::accepting(target, |_, _| Some(0))
    }

    /// For a port that several dial. Who none of them is, is not let in.
    pub fn with_dialers(target: SocketAddr, dialers: &Arc<Dialers>) -> Result<Self> {
        let dialers = Arc::clone(dialers);
        Self::accepting(target, move |from, to| dialers.find(from, to))
    }

    fn accepting(
        target: SocketAddr,
        who: impl Fn(SocketAddr, SocketAddr) -> Option<Source> + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            closed: AtomicBool::new(false),
            rules: Mutex::default(),
            changed: Condvar::new(),
        });
        let inside = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if inside.closed.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let source = stream.peer_addr().ok().and_then(|from| who(from, address));
                if let Some(source) = source {
                    inside.connect(stream, source);
                }
            }
        });
        Ok(Self { address, shared })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this holds for what that one dials and has dialled.
    pub fn set(&self, source: Source, rule: Rule) {
        let mut rules = self.shared.lock();
        rules.by_source.insert(source, rule);
        if rule == Rule::Cut {
            rules.open.retain(|(of, stream)| {
                if *of == source {
                    // One that is closed already is what is wanted.
                    let _ = stream.shutdown(Shutdown::Both);
                }
                *of != source
            });
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        for (_, stream) in self.shared.lock().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
        // Wakes the accepting thread, which then ends.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().expect("nobody panics holding it")
    }

    fn rule(&self, source: Source) -> Rule {
        self.lock().by_source.get(&source).copied().unwrap_or_default()
    }

    /// Waits while the link is silent; the rule that then holds.
    fn await_sound(&self, source: Source) -> Rule {
        let mut rules = self.lock();
        loop {
            let rule = rules.by_source.get(&source).copied().unwrap_or_default();
            if rule != Rule::Silence || self.closed.load(Ordering::Relaxed) {
                return rule;
            }
            rules = self.changed.wait(rules).expect("nobody panics holding it");
        }
    }

    /// Starts the two directions of a new connection, unless its link is cut.
    fn connect(self: &Arc<Self>, near: TcpStream, source: Source) {
        let shared = Arc::clone(self);
        thread::spawn(move || {
            if shared.await_sound(source) == Rule::Cut {
                return;
            }
            let Ok(far) = TcpStream::connect_timeout(&shared.target, Duration::from_secs(5)) else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { return };
            {
                let mut rules = shared.lock();
                // The rule may have changed since it was asked.
                if rules.by_source.get(&source) == Some(&Rule::Cut) || shared.closed.load(Ordering::Relaxed) {
                    return;
                }
                rules.open.retain(|(_, stream)| stream.peer_addr().is_ok());
                rules.open.extend(
                    [near.try_clone(), far.try_clone()].into_iter().flatten().map(|one| (source, one)),
                );
            }
            let other = Arc::clone(&shared);
            thread::spawn(move || pipe::run(&other, source, near_too, far_too));
            pipe::run(&shared, source, far, near);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Dialers, Proxy, Rule};

    /// A port that sends back what it gets.
    fn echo() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut back = stream.try_clone().expect("a handle");
                    std::io::copy(&mut &stream, &mut back)
                });
            }
        });
        address
    }

    /// Sends one byte and waits for it that long.
    fn round_trip(stream: &mut TcpStream, within: Duration) -> Option<Duration> {
        let started = Instant::now();
        stream.set_read_timeout(Some(within)).expect("not zero");
        stream.write_all(b"x").ok()?;
        let mut byte = [0];
        matches!(stream.read(&mut byte), Ok(1)).then(|| started.elapsed())
    }

    #[test]
    fn rules() {
        const SOON: Duration = Duration::from_secs(5);
        const NEVER: Duration = Duration::from_millis(100);
        let proxy = Proxy::new(echo()).expect("a port is free");
        let dial = || TcpStream::connect(proxy.address()).expect("the proxy listens");
        let mut stream = dial();
        assert!(round_trip(&mut stream, SOON).is_some());

        proxy.set(0, Rule::Delay(Duration::from_millis(40), Duration::from_millis(50)));
        let slow = round_trip(&mut stream, SOON).expect("it comes, later");
        assert!(slow >= Duration::from_millis(80), "both ways were to be slow: {slow:?}");

        proxy.set(0, Rule::Silence);
        assert!(round_trip(&mut stream, NEVER).is_none());
        assert!(round_trip(&mut dial(), NEVER).is_none());
        proxy.set(0, Rule::Pass);
        assert_eq!(stream.read(&mut [0]).ok(), Some(1), "what was held has to go on");

        proxy.set(0, Rule::Cut);
        assert!(round_trip(&mut stream, SOON).is_none());
        assert!(round_trip(&mut dial(), SOON).is_none());
        proxy.set(0, Rule::Pass);
        assert!(round_trip(&mut dial(), SOON).is_some());
    }

    #[test]
    fn dialers_are_told_apart() {
        let dialers = Arc::new(Dialers::new(2));
        let proxy = Proxy::with_dialers(echo(), &dialers).expect("a port is free");
        let dial = || {
            let mut stream = TcpStream::connect(proxy.address()).expect("the proxy listens");
            round_trip(&mut stream, Duration::from_secs(5)).is_some()
        };
        assert!(!dial(), "nobody knows this process yet");
        dialers.set(1, std::process::id());
        proxy.set(0, Rule::Cut);
        assert!(dial(), "the rule is another's");
        proxy.set(1, Rule::Cut);
        assert!(!dial());
    }
}
