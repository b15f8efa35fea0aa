//! The yardstick: hyper and nothing else. It reads a request's body and answers with a body of a given size, on the same
//! layout as the product: one current-thread runtime per core, each with a `SO_REUSEPORT` listener.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use socket2::{Domain, Socket, Type};
use tokio::task::LocalSet;

/// Pending connections per listener.
const BACKLOG: i32 = 1024;

#[derive(Args)]
pub struct Options {
    /// Length of every answer's body.
    #[arg(long)]
    answer_bytes: usize,
}

/// Serves for ever; the first line of output is the address.
pub fn run(options: &Options) -> Result<()> {
    let answer = Bytes::from(vec![b'x'; options.answer_bytes]);
    let first = listener(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = first.local_addr()?;
    println!("{address}");
    let threads = thread::available_parallelism()?.get();
    for _ in 1..threads {
        let (socket, answer) = (listener(address)?, answer.clone());
        thread::spawn(move || serve(socket, answer));
    }
    serve(first, answer)
}

fn listener(address: SocketAddr) -> Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(socket: std::net::TcpListener, answer: Bytes) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async move {
        let socket = tokio::net::TcpListener::from_std(socket)?;
        loop {
            let (stream, _) = socket.accept().await?;
            stream.set_nodelay(true)?;
            let answer = answer.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(move |request| echo(request, answer.clone()));
                // A client that goes away in the middle is none of the yardstick's concern.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

async fn echo(request: Request<Incoming>, answer: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    std::hint::black_box(body);
    let response = Response::builder().header("content-type", "application/json").body(Full::new(answer));
    Ok(response.expect("a constant header is well-formed"))
}

/// A running echo; killed when dropped.
pub struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    pub fn start(answer_bytes: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench-echo", "--answer-bytes", &answer_bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the echo process")?;
        let stdout = child.stdout.take().expect("stdout was piped above");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the echo process told no address")?;
        Ok(Self { child, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
