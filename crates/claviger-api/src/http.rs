//! The HTTP shell: one current-thread runtime per core, each with its own listener on the same port (`SO_REUSEPORT`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use claviger_core::Fault;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming as Streamed};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::dialect::Answer;
use crate::incoming::{Incoming, RequestId};
use crate::phase::{Phase, reached};
use crate::serve::{refuse, serve};
use crate::sources::Sources;

/// Limits of the shell; each has its place in the configuration.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Most bytes of one body.
    pub body_bytes: usize,
    /// Most bytes of all bodies in memory.
    pub all_body_bytes: usize,
    /// Most connections over all listeners.
    pub connections: usize,
    /// Most connections from one address (of IPv6: from one /64).
    pub connections_per_source: usize,
    /// Most requests in flight over all listeners; more are shed.
    pub in_flight: usize,
    /// How long a client may take to send a request's head, and may rest between requests.
    pub header_seconds: u64,
    /// How long a client may take to send a body, and may leave an answer unread.
    pub body_seconds: u64,
    /// How long a server that was told to stop goes on serving, not ready any more, so that whoever sends it requests notices.
    pub notice_seconds: u64,
    /// How long requests in flight may take after that.
    pub drain_seconds: u64,
}

/// How long a connection may stay without a first request once the server stops.
const FIRST_REQUEST: Duration = Duration::from_millis(500);
/// Most connections that wait to be accepted; those that wait when the server stops are still served.
const BACKLOG: u16 = 1024;

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            all_body_bytes: 256 << 20,
            connections: 10_000,
            connections_per_source: 1_000,
            in_flight: 4096,
            header_seconds: 60,
            body_seconds: 30,
            notice_seconds: 0,
            drain_seconds: 20,
        }
    }
}

/// One address to listen on.
#[derive(Clone)]
pub struct Listener {
    /// The address.
    pub address: SocketAddr,
    /// TLS, or plain.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Operations that are not a cloud's: health and metrics.
pub type Operations = Arc<dyn Fn(&str) -> Option<Answer> + Send + Sync>;

/// What the shell serves, and how.
#[derive(Clone)]
pub struct Shell {
    /// What is served.
    pub app: Arc<App>,
    /// Within what.
    pub limits: HttpLimits,
    /// Beside it: answers `GET` of its paths.
    pub operations: Operations,
    /// Open connections.
    pub open: Arc<AtomicUsize>,
    /// Open connections by source.
    pub sources: Arc<Sources>,
    /// How far the server has come.
    pub phase: watch::Receiver<Phase>,
}

/// Binds an address so that every runtime can have a listener of its own on it. Port 0 becomes a real port in the first.
pub fn bind(address: SocketAddr, count: usize) -> std::io::Result<Vec<std::net::TcpListener>> {
    let mut listeners = Vec::with_capacity(count);
    let mut address = address;
    // The first one without sharing, so that a port in use is found out instead of shared with a stranger.
    let probe = std::net::TcpListener::bind(address)?;
    address = probe.local_addr()?;
    drop(probe);
    for _ in 0..count {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG.into())?;
        listeners.push(socket.into());
    }
    Ok(listeners)
}

impl Shell {
    /// Accepts connections on one listener until told to stop, then lets those that are open come to their end.
    pub async fn listen(
        self,
        listener: std::net::TcpListener,
        tls: Option<Arc<ServerConfig>>,
    ) -> std::io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let tls = tls.map(TlsAcceptor::from);
        let mut phase = self.phase.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = reached(&mut phase, Phase::Stopping) => break,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer.ip(), tls.clone()),
                Err(error) => {
                    // Out of descriptors, most likely: wait for some to come back instead of spinning.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        // Whoever has connected already is served. The kernel is asked directly: the runtime may not have heard of them yet.
        let listener = listener.into_std()?;
        for _ in 0..BACKLOG {
            let Ok((stream, peer)) = listener.accept() else { break };
            stream.set_nonblocking(true)?;
            self.spawn(TcpStream::from_std(stream)?, peer.ip(), tls.clone());
        }
        drop(listener);
        let deadline = Duration::from_secs(self.limits.drain_seconds);
        let drained = async {
            while self.open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(deadline, drained).await.is_err() {
            tracing::warn!("some connections did not come to their end in time");
        }
        Ok(())
    }

    /// Serves a connection on a task of its own, if it finds a place.
    fn spawn(&self, stream: TcpStream, source: IpAddr, tls: Option<TlsAcceptor>) {
        let Some(place) = Place::take(&self.open, self.limits.connections) else { return };
        let Some(of_source) = self.sources.take(source, self.limits.connections_per_source) else { return };
        let _ = stream.set_nodelay(true);
        let shell = self.clone();
        tokio::spawn(async move {
            shell.connection(stream, source, tls).await;
            drop((place, of_source));
        });
    }

    async fn connection(self, stream: TcpStream, source: IpAddr, tls: Option<TlsAcceptor>) {
        match tls {
            None => self.http(stream, source).await,
            Some(acceptor) => {
                let patience = Duration::from_secs(self.limits.header_seconds);
                match timeout(patience, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => self.http(stream, source).await,
                    Ok(Err(error)) => tracing::debug!(%error, %source, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%source, "a TLS handshake took too long"),
                }
            }
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Send, source: IpAddr) {
        let patience = Duration::from_secs(self.limits.header_seconds);
        let mut phase = self.phase.clone();
        let asked = AtomicBool::new(false);
        let service = service_fn(|request| {
            asked.store(true, Ordering::Relaxed);
            let shell = self.clone();
            async move { Ok::<_, std::convert::Infallible>(shell.answer(request, source).await) }
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(Duration::from_secs(self.limits.body_seconds)));
        let stream = Box::pin(stream);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            // A request that is here already comes before the end.
            biased;
            served = connection.as_mut() => served,
            () = reached(&mut phase, Phase::Stopping) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    served = connection.as_mut() => served,
                    () = never_asked(&asked) => Ok(()),
                }
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, %source, "a connection ended badly");
        }
    }

    async fn answer(self, request: Request<Streamed>, source: IpAddr) -> Answer {
        let phase = self.phase.clone();
        let mut answer = self.request(request, source).await;
        if *phase.borrow() >= Phase::Leaving {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    async fn request(self, request: Request<Streamed>, source: IpAddr) -> Answer {
        if request.method() == Method::GET {
            let answer = (self.operations)(request.uri().path());
            if let Some(answer) = answer {
                return answer;
            }
        }
        let (head, body) = request.into_parts();
        let mut incoming = Incoming {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: Bytes::new(),
            source,
            received: self.app.authority.clock().now(),
            id: RequestId::new(self.app.authority.entropy()),
        };
        match self.read(body).await {
            Ok((body, _held)) => {
                // A place among those in flight is for whole requests: one that is still arriving takes none.
                let Some(_place) = self.app.enter(self.limits.in_flight) else {
                    return self.shed(&incoming, &Fault::Unavailable).await;
                };
                incoming.body = body;
                serve(Arc::clone(&self.app), incoming).await
            }
            Err(Unread::Slow) => timed_out(),
            Err(Unread::Fault(fault)) => self.shed(&incoming, &fault).await,
        }
    }

    /// Refuses a request without looking at it further, in its dialect's words.
    async fn shed(&self, incoming: &Incoming, fault: &Fault) -> Answer {
        metrics::counter!("claviger_shed_total").increment(1);
        match self.app.dialect_of(incoming) {
            Some(dialect) => refuse(&self.app, &*dialect, incoming, fault).await,
            None => App::nobodys(),
        }
    }

    /// Reads a body. What counts against the memory for bodies is what has arrived, not what was announced.
    async fn read(&self, body: Streamed) -> Result<(Bytes, BodyBytes), Unread> {
        let held = BodyBytes::new(&self.app);
        if body.is_end_stream() {
            return Ok((Bytes::new(), held));
        }
        let limit = self.limits.body_bytes;
        let announced = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(Unread::Fault(Fault::BodyTooLarge { limit }));
        }
        let patience = Duration::from_secs(self.limits.body_seconds);
        timeout(patience, self.collect(body, held)).await.unwrap_or(Err(Unread::Slow))
    }

    async fn collect(&self, mut body: Streamed, mut held: BodyBytes) -> Result<(Bytes, BodyBytes), Unread> {
        let limit = self.limits.body_bytes;
        let (mut first, mut rest) = (Bytes::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Slow)?.into_data() else { continue };
            held.add(data.len());
            if held.bytes > limit {
                return Err(Unread::Fault(Fault::BodyTooLarge { limit }));
            }
            if self.app.body_bytes.load(Ordering::Relaxed) > self.limits.all_body_bytes {
                return Err(Unread::Fault(Fault::Unavailable));
            }
            // Nearly every body comes in one piece, which is kept as it is.
            if first.is_empty() {
                first = data;
            } else {
                rest.extend_from_slice(&data);
            }
        }
        let whole = if rest.is_empty() { first } else { Bytes::from([&first[..], &rest].concat()) };
        Ok((whole, held))
    }
}

/// Ends when a connection that was opened has not been used for anything in time.
async fn never_asked(asked: &AtomicBool) {
    tokio::time::sleep(FIRST_REQUEST).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

enum Unread {
    Fault(Fault),
    Slow,
}

/// The client did not send what it announced: RFC 9110, section 15.5.9.
fn timed_out() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(
        br#"{"error_code":"CLAVIGER.0408","error_msg":"the body did not arrive in time"}"#,
    )));
    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// A body's share of the memory for bodies.
struct BodyBytes {
    app: Arc<App>,
    bytes: usize,
}

impl BodyBytes {
    fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), bytes: 0 }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.app.body_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for BodyBytes {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.app.body_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// A connection's place among those that are open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let before = open.fetch_add(1, Ordering::SeqCst);
        let place = Self(Arc::clone(open));
        (before < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
