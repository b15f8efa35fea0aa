//! What all services of this dialect share: where a request goes, who signed it, how parameters and answers are written.

mod address;
mod answer;
mod common_words;
mod pairs;
mod parse;
mod signature_v1;
mod signature_v3;

pub(crate) use address::{Address, VERSIONS, action_label, is_for_another_product};
pub(crate) use answer::{Language, Words, envelope, language};
pub(crate) use common_words::common_words;
pub(crate) use parse::parse;

use claviger_api::{Incoming, Running};
use claviger_core::fault::AuthenticationFault;
use claviger_core::{Authority, Caller, Fault, Moment};

/// How far a request's time may be from ours, in seconds, either way.
const SKEW_SECONDS: u64 = 300;

/// Who signed. `service` is the service that the request goes to.
pub(crate) fn authenticate<'a>(
    authority: &'a Authority,
    incoming: &'a Incoming,
    service: &'static str,
    strict_scope: StrictScope,
) -> Running<'a, Caller> {
    Box::pin(async move {
        if incoming.headers.contains_key("authorization") {
            signature_v3::authenticate(authority, incoming, service, strict_scope).await
        } else {
            signature_v1::authenticate(authority, incoming).await
        }
    })
}

/// What service a signature's scope may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrictScope {
    /// Only the service itself.
    Enforced,
    /// Also the first label of the host, which is what some SDKs sign when the endpoint is an IP address.
    Relaxed,
}

fn fresh(authority: &Authority, timestamp: Option<&str>) -> Result<Moment, Fault> {
    let seconds: u64 = timestamp
        .and_then(|text| text.parse().ok())
        .ok_or(Fault::Authentication(AuthenticationFault::Skewed))?;
    if authority.clock().now().seconds().abs_diff(seconds) > SKEW_SECONDS {
        return Err(AuthenticationFault::Skewed.into());
    }
    Ok(Moment::from_seconds(seconds))
}
