//! A channel to one member: HTTP/2, TLS where the URL says so, kept alive.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Uri};

use crate::error::OpenError;
use crate::options::Options;
use crate::world::World;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(1);
/// Between two signs of life on a connection. etcd cuts clients off that ask more often than every 5 s.
const KEEP_ALIVE: Duration = Duration::from_secs(6);
/// How long a sign of life may take.
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(3);

/// How long a request that was given up is remembered, and how many are: longer than any answer is late. An answer to one that is
/// forgotten counts as the member's error, and h2 ends a connection that has had a thousand. h2 measures this in real time, also where
/// a simulation has its own, so it outlasts any of those too.
const GIVEN_UP: Duration = Duration::from_mins(10);
const GIVEN_UP_MAX: usize = 4096;

/// A channel that connects when it is first used, and again whenever it breaks.
pub(crate) fn channel(url: &str, options: &Options, world: &World) -> Result<Channel, OpenError> {
    let odd = |why: &str| OpenError::Options(format!("etcd endpoint {url:?}: {why}"));
    let uri: Uri = url.parse().map_err(|_| odd("not a URL; write http://host:2379 or https://host:2379"))?;
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(odd("write http://host:2379 or https://host:2379")),
    };
    let Some(host) = uri.host().map(str::to_owned) else { return Err(odd("no host is named")) };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(odd("an endpoint has no path"));
    }
    let address = format!("{host}:{}", uri.port_u16().unwrap_or(2379));
    let mut endpoint = Endpoint::from(uri)
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_reset_stream_duration(GIVEN_UP)
        .http2_max_concurrent_reset_streams(GIVEN_UP_MAX)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .keep_alive_while_idle(true);
    match (&options.tls, secure) {
        (Some(tls), true) => {
            let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.ca));
            if let Some((certificate, key)) = &tls.client {
                config = config.identity(Identity::from_pem(certificate, key));
            }
            endpoint = endpoint.tls_config(config).map_err(|error| odd(&format!("TLS: {error}")))?;
        }
        (None, true) => return Err(odd("https needs the certificate authority; set [store] ca_file")),
        (Some(_), false) => return Err(odd("certificates are given, and this endpoint is not https")),
        (None, false) => {}
    }
    Ok(match world.dial.clone() {
        None => endpoint.connect_lazy(),
        Some(dial) => endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
            let dialing = dial(address.clone());
            async move { dialing.await.map(TokioIo::new) }
        })),
    })
}
