//! What an action answers, before a dialect puts it into its envelope.

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

/// A successful outcome.
#[derive(Debug)]
pub struct Reply {
    /// The status; dialects that always answer 200 ignore it.
    pub status: StatusCode,
    /// JSON; none for an answer without a body.
    pub body: Option<Vec<u8>>,
    /// Headers of its own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// 200 with a JSON body.
    pub fn json(body: &impl Serialize) -> Self {
        Self::json_as(StatusCode::OK, body)
    }

    /// A status with a JSON body.
    pub fn json_as(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("replies have string keys and no failing serializers");
        Self { status, body: Some(body), headers: Vec::new() }
    }

    /// A status without a body.
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    /// 200 with `{}`.
    pub fn nothing() -> Self {
        Self { status: StatusCode::OK, body: Some(b"{}".to_vec()), headers: Vec::new() }
    }

    /// The same with one header more.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
