//! What makes a node stand still, as a stopped process does, and what lies between it and the network.

use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::TcpStream;

/// Closed, it lets nothing behind it go on.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    closed: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Closes it; whether it was closed already.
    pub(crate) fn close(&self) -> bool {
        std::mem::replace(&mut self.state().closed, true)
    }

    pub(crate) fn open(&self) {
        let waiting = {
            let mut state = self.state();
            state.closed = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Runs `inner` while the gate is open.
    pub(crate) fn hold<F: Future>(self: &Arc<Self>, inner: F) -> Held<F> {
        Held { gate: Arc::clone(self), inner: Box::pin(inner) }
    }

    fn pass(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.closed {
            return Poll::Ready(());
        }
        state.waiting.push(context.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future behind a gate.
pub(crate) struct Held<F> {
    gate: Arc<Gate>,
    inner: Pin<Box<F>>,
}

impl<F: Future> Future for Held<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        std::task::ready!(self.gate.pass(context));
        self.inner.as_mut().poll(context)
    }
}

/// How often connections over one link were torn down.
#[derive(Default)]
pub(crate) struct Link(Mutex<(u64, Vec<Waker>)>);

impl Link {
    /// Ends all connections that there are.
    pub(crate) fn tear(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let waiting = std::mem::take(&mut state.1);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn tears(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn wait(&self, context: &Context<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.1.iter().any(|waker| waker.will_wake(context.waker())) {
            state.1.push(context.waker().clone());
        }
    }
}

/// A connection between a node and a member of etcd, at either end.
pub(crate) struct Cable {
    stream: TcpStream,
    gate: Arc<Gate>,
    link: Arc<Link>,
    tears: u64,
}

impl Cable {
    pub(crate) fn new(stream: TcpStream, gate: Arc<Gate>, link: Arc<Link>) -> Self {
        let tears = link.tears();
        Self { stream, gate, link, tears }
    }

    fn ready(&self, context: &Context<'_>) -> Poll<Result<()>> {
        if self.link.tears() != self.tears {
            return Poll::Ready(Err(Error::from(ErrorKind::ConnectionReset)));
        }
        self.link.wait(context);
        self.gate.pass(context).map(Ok)
    }
}

impl AsyncRead for Cable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        std::task::ready!(self.ready(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        std::task::ready!(self.ready(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        std::task::ready!(self.ready(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
