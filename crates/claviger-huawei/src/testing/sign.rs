//! Requests made by hand, and signed as the Python client does it.

use std::fmt::Write as _;

use bytes::Bytes;
use claviger_api::{Incoming, RequestId};
use claviger_core::{Entropy, MacKey, Moment, hex_lower, sha256_hex};
use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The access key of that name: its id and secret.
pub(crate) fn access_key(name: &str) -> (String, String) {
    (format!("AK{:X<18}", name.to_ascii_uppercase()), format!("{name:y<40}"))
}

/// A request made by hand.
pub(crate) fn incoming(
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &str,
    received: Moment,
) -> Incoming {
    let header = |(name, value): &(String, String)| {
        let name: HeaderName = name.parse().expect("a good name");
        (name, HeaderValue::from_bytes(value.as_bytes()).expect("a good value"))
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().map(header) {
        map.append(name, value);
    }
    Incoming {
        method: method.parse().expect("a good method"),
        uri: target.parse::<Uri>().expect("a good target"),
        headers: map,
        body: Bytes::copy_from_slice(body.as_bytes()),
        source: [127, 0, 0, 1].into(),
        received,
        id: RequestId::new(&Entropy::seeded(9)),
    }
}

/// The `Authorization` header over all of `headers`, as the Python client makes it.
pub(crate) fn sign(
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &str,
    access_key: &str,
    secret: &str,
) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decoded(path).split('/').map(encoded).collect::<Vec<_>>().join("/");
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", encoded(&decoded(name)), encoded(&decoded(value))))
        .collect();
    pairs.sort();
    let path = if path.ends_with('/') { path } else { path + "/" };
    sign_canonical(
        method,
        &path,
        &pairs.join("&"),
        headers,
        sha256_hex(body.as_bytes()).as_str(),
        (access_key, secret),
    )
}

/// The same over a path and query that are canonical already, and what is signed in place of the body's hash.
pub(crate) fn sign_canonical(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(String, String)],
    payload: &str,
    (access_key, secret): (&str, &str),
) -> String {
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    headers.sort();
    let lines: String = headers.iter().fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "{name}:{}", value.trim());
        lines
    });
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
    let date = headers.iter().find(|(name, _)| name == "x-sdk-date").map_or("", |(_, value)| value.as_str());
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256_hex(canonical.as_bytes()).as_str());
    let signature = hex_lower(&MacKey::sha256(secret.as_bytes()).sign(&[to_sign.as_bytes()]));
    format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}")
}

/// A path segment with all but unreserved characters encoded.
pub(crate) fn encoded(text: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned()
}
