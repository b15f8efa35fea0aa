//! What is served: the authority, the dialects, and what each route keeps between requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use claviger_core::audit::{Audit, AuditError, Event, QUEUE_LIMIT_BYTES};
use claviger_core::{Authority, Fault};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

use crate::action::{Action, Route};
use crate::dialect::{Answer, Dialect};
use crate::incoming::Incoming;
use crate::rates::{Limiter, Rates};

/// Everything a request needs.
pub struct App {
    /// The authority.
    pub authority: Arc<Authority>,
    dialects: Vec<Arc<dyn Dialect>>,
    mounted: HashMap<(&'static str, &'static str, &'static str), Mounted>,
    audit: Arc<Audit>,
    /// Requests in flight, for shedding.
    pub(crate) in_flight: AtomicUsize,
    /// Bytes of bodies in memory, for shedding.
    pub(crate) body_bytes: AtomicUsize,
}

impl App {
    /// Puts it together. The metrics recorder must be installed before, since handles are made here.
    pub fn new(
        authority: Arc<Authority>,
        audit: Arc<Audit>,
        dialects: Vec<Arc<dyn Dialect>>,
        rates: &Rates,
    ) -> Self {
        let mut mounted = HashMap::new();
        for dialect in &dialects {
            for route in dialect.routes() {
                mounted.insert(place(&**dialect, &route.action), Mounted::new(dialect.name(), route, rates));
            }
        }
        Self {
            authority,
            dialects,
            mounted,
            audit,
            in_flight: AtomicUsize::new(0),
            body_bytes: AtomicUsize::new(0),
        }
    }

    /// How many requests are being served.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The dialect that a request is meant for.
    pub(crate) fn dialect_of(&self, incoming: &Incoming) -> Option<Arc<dyn Dialect>> {
        self.dialects.iter().find(|dialect| dialect.claims(incoming)).cloned()
    }

    /// What a route keeps between requests.
    pub(crate) fn mounted(&self, dialect: &dyn Dialect, route: &Route) -> &Mounted {
        self.mounted
            .get(&place(dialect, &route.action))
            .expect("every route that a dialect gives is among its routes; a test of each dialect says so")
    }

    /// Whether outcomes can be audited. If not, nothing is done whose outcome could not be told.
    pub(crate) fn audit_accepts(&self) -> Result<(), Fault> {
        match self.audit.unwritten_bytes() {
            Ok(bytes) if bytes < QUEUE_LIMIT_BYTES / 2 => Ok(()),
            Ok(_) | Err(_) => Err(Fault::Unavailable),
        }
    }

    /// Whether what is cached of the store is all that was committed until now. If not, nothing may be decided: a key may
    /// have been disabled, or a grant revoked, of which this node has not heard.
    pub(crate) fn fresh(&self) -> Result<(), Fault> {
        if self.authority.engine().fresh() { Ok(()) } else { Err(Fault::Unavailable) }
    }

    /// How many nodes share the rates.
    pub(crate) fn nodes(&self) -> u32 {
        self.authority.engine().live_nodes()
    }

    /// Writes a line and waits until it is written. Requests that are ready in the same turn of the runtime share one write.
    pub(crate) async fn audit(&self, event: &Event<'_>) -> Result<(), Fault> {
        let ticket = self.audit.append(event).map_err(|error| unaudited(&error))?;
        tokio::task::yield_now().await;
        self.audit.flush(ticket).map_err(|error| unaudited(&error))
    }

    /// The answer to a request that no dialect claims.
    pub(crate) fn nobodys() -> Answer {
        plain(
            StatusCode::NOT_FOUND,
            r#"{"error_code":"CLAVIGER.0404","error_msg":"no dialect serves this request"}"#,
        )
    }

    /// The answer when everything else failed.
    pub(crate) fn failed() -> Answer {
        plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            r#"{"error_code":"CLAVIGER.0500","error_msg":"internal error"}"#,
        )
    }

    /// Whether one more request may be in flight; the guard gives its place back.
    pub(crate) fn enter(self: &Arc<Self>, most: usize) -> Option<InFlight> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let guard = InFlight(Arc::clone(self));
        (before < most).then_some(guard)
    }
}

/// A request's place among those in flight.
pub(crate) struct InFlight(Arc<App>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn unaudited(error: &AuditError) -> Fault {
    tracing::error!(%error, "the audit cannot be written");
    Fault::Internal
}

fn place(dialect: &dyn Dialect, action: &Action) -> (&'static str, &'static str, &'static str) {
    (dialect.name(), action.service, action.name)
}

fn plain(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// What a route keeps between requests.
pub(crate) struct Mounted {
    dialect: &'static str,
    full_name: String,
    limiter: Option<Limiter>,
    succeeded: Counter,
    latency: Histogram,
}

impl Mounted {
    fn new(dialect: &'static str, route: &Route, rates: &Rates) -> Self {
        let action = &route.action;
        let full_name = format!("{}.{}", action.service, action.name);
        Self {
            dialect,
            limiter: rates.limit(action).map(Limiter::new),
            succeeded: counter!("claviger_requests_total", "dialect" => dialect, "action" => full_name.clone(), "outcome" => "ok"),
            latency: histogram!("claviger_request_seconds", "dialect" => dialect, "action" => full_name.clone()),
            full_name,
        }
    }

    /// `service.Action`.
    pub(crate) fn full_name(&self) -> &str {
        &self.full_name
    }

    /// Takes one of `key`'s requests, of which this node has its share among `nodes`.
    pub(crate) fn take(&self, key: u64, nodes: u32) -> Result<(), Fault> {
        match &self.limiter {
            Some(limiter) => limiter.take(key, nodes).map_err(|limit| Fault::RateLimited { limit }),
            None => Ok(()),
        }
    }

    pub(crate) fn count(&self, code: &str, started: Instant) {
        self.latency.record(started.elapsed());
        if code == "ok" {
            self.succeeded.increment(1);
        } else {
            // Refusals are off the hot path: their counter is looked up.
            let action = self.full_name.clone();
            counter!("claviger_requests_total", "dialect" => self.dialect, "action" => action, "outcome" => code.to_owned())
                .increment(1);
        }
    }
}
