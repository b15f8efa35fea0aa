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
use hyper::HeaderMap;

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
        if is_ambiguous(&incoming.headers) {
            return Err(AuthenticationFault::Malformed.into());
        }
        if incoming.headers.contains_key("authorization") {
            signature_v3::authenticate(authority, incoming, service, strict_scope).await
        } else {
            signature_v1::authenticate(authority, incoming).await
        }
    })
}

/// Whether a header that says what a request is stands more than once: of two, one would be signed and the other might be meant.
fn is_ambiguous(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let speaks = matches!(name.as_str(), "authorization" | "host") || name.as_str().starts_with("x-tc-");
        speaks && headers.get_all(name).iter().nth(1).is_some()
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

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn headers_that_say_what_a_request_is_stand_once() {
        let world = World::new().await;
        let parameters = json!({}).to_string();
        for (header, code) in [
            ("authorization", "AuthFailure.InvalidAuthorization"),
            ("host", "AuthFailure.InvalidAuthorization"),
            ("x-tc-action", "AuthFailure.InvalidAuthorization"),
            ("x-tc-timestamp", "AuthFailure.InvalidAuthorization"),
            ("x-tc-version", "AuthFailure.InvalidAuthorization"),
            ("x-tc-anything", "AuthFailure.InvalidAuthorization"),
            ("x-forwarded-for", "ok"),
            ("accept", "ok"),
        ] {
            let mut incoming = world.signed("root", "cam", "ListUsers", &parameters);
            let name: HeaderName = header.parse().expect("a good name");
            let value = incoming.headers.get(&name).cloned().unwrap_or(HeaderValue::from_static("1"));
            let times = if incoming.headers.contains_key(&name) { 1 } else { 2 };
            for _ in 0..times {
                incoming.headers.append(name.clone(), value.clone());
            }
            let answer = world.send(incoming).await;
            let found = answer.pointer("/Error/Code").and_then(Value::as_str).unwrap_or("ok");
            assert_eq!(found, code, "{header}");
        }
    }
}
