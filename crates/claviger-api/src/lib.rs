//! What all dialects share: what an action and a route are, the life of a request, the HTTP shell and its limits, and the reading
//! of parameters.

mod action;
mod app;
mod dialect;
mod http;
mod incoming;
pub mod params;
mod phase;
mod rates;
mod reply;
mod serve;
mod sources;

pub use action::{Access, Action, Effect, Route, Running};
pub use app::App;
pub use dialect::{Admitted, Answer, Dialect, Target};
pub use http::{HttpLimits, Listener, Operations, Shell, bind};
pub use incoming::{Incoming, Request, RequestId};
pub use phase::Phase;
pub use rates::Rates;
pub use reply::Reply;
pub use serve::serve;
pub use sources::Sources;
