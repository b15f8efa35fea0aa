//! The address under which a client reaches us, for links in answers.

use claviger_api::Incoming;
use hyper::http::uri::Authority;

/// An address of ours with a path that begins with `/`, from the target or the `Host` header.
///
/// Nothing in a request says whether TLS was in front of us. A target in absolute form names its scheme; otherwise a host with
/// port 443 is `https` and every other one is `http`. No `X-Forwarded-*` is believed. A host that cannot be read becomes
/// `localhost`.
pub(crate) fn address(incoming: &Incoming, path: &str) -> String {
    let uri = &incoming.uri;
    let header = || incoming.header("host").and_then(|host| host.parse::<Authority>().ok());
    let host =
        uri.authority().cloned().or_else(header).unwrap_or_else(|| Authority::from_static("localhost"));
    let scheme = match uri.scheme_str() {
        Some(scheme) => scheme,
        None if host.port_u16() == Some(443) => "https",
        None => "http",
    };
    // An authority may carry a user's name and password; those are not repeated.
    match host.port() {
        Some(port) => format!("{scheme}://{}:{port}{path}", host.host()),
        None => format!("{scheme}://{}{path}", host.host()),
    }
}
