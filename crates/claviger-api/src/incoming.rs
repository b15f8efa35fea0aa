//! A request as it came in, before anybody believes it.

use std::net::IpAddr;

use bytes::Bytes;
use claviger_core::{Entropy, Moment, hex_lower};
use hyper::header::HeaderMap;
use hyper::{Method, Uri};

/// A whole request.
#[derive(Debug)]
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The target as it was sent: a path, or a whole address from clients that think we are a proxy.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Where it came from.
    pub source: IpAddr,
    /// When it came.
    pub received: Moment,
    /// Its id, returned in the answer and named in the audit.
    pub id: RequestId,
}

impl Incoming {
    /// The path, percent-encoded as it was sent.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query as it was sent, without the `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// A header's value, if it is there once and is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header's value as bytes.
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(hyper::header::HeaderValue::as_bytes)
    }
}

/// A request that was matched to a route.
#[derive(Debug)]
pub struct Request {
    /// As it came.
    pub incoming: Incoming,
    /// What the route's path pattern captured, in its order, percent-decoded.
    pub captured: Vec<String>,
}

impl Request {
    /// The capture at `index`; empty if the pattern has none there.
    pub fn captured(&self, index: usize) -> &str {
        self.captured.get(index).map_or("", String::as_str)
    }
}

/// The id of a request: a UUID v4 (RFC 9562).
#[derive(Clone, Copy, Debug)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A new one.
    pub fn new(entropy: &Entropy) -> Self {
        Self(entropy.uuid())
    }

    /// As 36 characters with hyphens.
    pub fn hyphenated(self) -> String {
        let hex = hex_lower(&self.0);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// As 32 hex characters.
    pub fn simple(self) -> String {
        hex_lower(&self.0)
    }
}
