//! The joint where a cloud's wire meets the authority.

use std::borrow::Cow;

use bytes::Bytes;
use claviger_core::{Authority, Caller, Fault, RegionId};
use http_body_util::Full;
use hyper::Response;

use crate::action::{Route, Running};
use crate::incoming::{Incoming, Request};
use crate::reply::Reply;

/// A whole answer.
pub type Answer = Response<Full<Bytes>>;

/// One cloud's wire: how its requests are told from others', routed, authenticated and answered.
pub trait Dialect: Send + Sync + 'static {
    /// Its name in configuration, metrics and audit.
    fn name(&self) -> &'static str;

    /// Everything one can ask of it.
    fn routes(&self) -> Vec<&'static Route>;

    /// Whether a request is meant for it.
    fn claims(&self, incoming: &Incoming) -> bool;

    /// The route a request takes. A dialect that checks signatures before it admits that an action is unknown gives a route
    /// that says so when it runs.
    fn route(&self, incoming: &Incoming) -> Result<Target, Fault>;

    /// Who signed, and for which region.
    fn admit<'a>(
        &'a self,
        authority: &'a Authority,
        target: &'a Target,
        request: &'a Request,
    ) -> Running<'a, Admitted>;

    /// A request's id as its answer carries it, and so the audit.
    fn request_id(&self, request: &Incoming) -> String {
        request.id.hyphenated()
    }

    /// The answer. `target` is absent when no route was found.
    fn answer(&self, request: &Incoming, target: Option<&Target>, outcome: Result<Reply, &Fault>) -> Answer;

    /// The code by which the dialect's clients know a fault; for audit and metrics. One of a fixed, small set.
    fn code(&self, target: Option<&Target>, fault: &Fault) -> Cow<'static, str>;
}

/// Where a request goes.
#[derive(Debug)]
pub struct Target {
    /// The route.
    pub route: &'static Route,
    /// What its path pattern captured, percent-decoded.
    pub captured: Vec<String>,
}

/// Who may go on, and to where.
#[derive(Debug)]
pub struct Admitted {
    /// The caller; none for an open action without credentials.
    pub caller: Option<Caller>,
    /// The region.
    pub region: RegionId,
}
