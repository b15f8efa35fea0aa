//! Answers on connections: HTTP/2, and each call to the service it names.

use std::convert::Infallible;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};

use super::{Etcd, Member};
use crate::proto::etcdserverpb::auth_server::AuthServer;
use crate::proto::etcdserverpb::kv_server::KvServer;
use crate::proto::etcdserverpb::lease_server::LeaseServer;
use crate::proto::etcdserverpb::maintenance_server::MaintenanceServer;
use crate::proto::etcdserverpb::watch_server::WatchServer;

/// Largest message that is read; etcd reads what it accepts and 512 KiB more.
const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

impl Etcd {
    /// Serves the first member.
    pub async fn serve<S, I, E>(&self, incoming: S)
    where
        S: Stream<Item = Result<I, E>>,
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.member(1).serve(incoming).await;
    }
}

impl Member {
    /// Serves every connection that comes in, and lets leases run out, until no more can come. Dropping it closes them all.
    pub async fn serve<S, I, E>(&self, incoming: S)
    where
        S: Stream<Item = Result<I, E>>,
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        tokio::pin!(incoming);
        let mut connections = JoinSet::new();
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next_end = self.expire();
            tokio::select! {
                biased;
                connection = incoming.next() => match connection {
                    Some(Ok(connection)) => drop(connections.spawn(self.clone().connection(connection))),
                    Some(Err(_)) => {}
                    None => return,
                },
                Some(_) = connections.join_next() => {}
                () = changed => {}
                () = tokio::time::sleep(next_end.unwrap_or_default()), if next_end.is_some() => {}
            }
        }
    }

    /// Ends the leases that have run out; answers how long until the next one does.
    fn expire(&self) -> Option<Duration> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        let ended = state.expire(now);
        let next = state.leases.next_end();
        drop(state);
        if ended {
            self.shared.changed.notify_waiters();
        }
        // While there is no leader leases stay although they have run out; that is looked at again now and then.
        next.map(|end| end.saturating_sub(now).max(Duration::from_millis(50)))
    }

    async fn connection<I: AsyncRead + AsyncWrite + Send + Unpin + 'static>(self, connection: I) {
        let answer = service_fn(move |request| {
            let member = self.clone();
            async move { member.dispatch(request).await }
        });
        let mut http = http2::Builder::new(TokioExecutor::new());
        // The time of day has no place in a simulation.
        http.auto_date_header(false);
        // A connection that breaks is its client's business.
        let _broken = http.serve_connection(TokioIo::new(connection), answer).await;
    }

    async fn dispatch(self, request: http::Request<Incoming>) -> Result<http::Response<Body>, Infallible> {
        let service = request.uri().path().rsplit_once('/').map_or("", |(service, _)| service);
        match service {
            "/etcdserverpb.Auth" => AuthServer::new(self).call(request).await,
            "/etcdserverpb.KV" => {
                KvServer::new(self).max_decoding_message_size(MESSAGE_BYTES_MAX).call(request).await
            }
            "/etcdserverpb.Lease" => LeaseServer::new(self).call(request).await,
            "/etcdserverpb.Maintenance" => MaintenanceServer::new(self).call(request).await,
            "/etcdserverpb.Watch" => WatchServer::new(self).call(request).await,
            _ => Ok(Status::unimplemented("unknown service").into_http()),
        }
    }
}
