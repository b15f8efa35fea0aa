//! Actions and routes: what can be asked for is data.

use std::pin::Pin;

use claviger_core::{Cx, Fault, Permission};

use crate::incoming::Request;
use crate::reply::Reply;

/// Something on its way to an outcome.
pub type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// What one can ask a service for. Feeds dispatch, rate limits, metrics, audit and documentation.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// The service, such as `kms`.
    pub service: &'static str,
    /// Its name in that service's own spelling.
    pub name: &'static str,
    /// What the caller must be permitted.
    pub permission: Permission,
    /// Requests per second and account; of an open action, per source address.
    pub rate: u32,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Who may ask.
    pub access: Access,
    /// The vendor's page.
    pub reference: &'static str,
}

/// Whether an action changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads, or uses a key; a client that hangs up stops it.
    Reads,
    /// It changes what is stored; it runs to its end and into the audit whatever the client does.
    Writes,
}

/// Who may ask for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; the action checks credentials itself, or needs none.
    Open,
    /// Whoever shows who they are.
    Signed,
}

/// An action and the function that performs it.
#[derive(Clone, Copy)]
pub struct Route {
    /// The action.
    pub action: Action,
    /// Method and path pattern, such as `POST /v1.0/{project_id}/kms/create-key`; empty where the dialect dispatches by name.
    pub at: &'static str,
    /// Performs it: parses the request, authorises by loading, acts.
    pub run: for<'a> fn(&'a Cx<'a>, &'a Request) -> Running<'a, Reply>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({}.{})", self.action.service, self.action.name)
    }
}
