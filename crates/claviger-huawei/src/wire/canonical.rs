//! The canonical request: what a client says it signed, rebuilt from what arrived.

use std::borrow::Cow;

use claviger_api::Incoming;
use claviger_core::Fault;
use claviger_core::fault::AuthenticationFault;
use claviger_core::sha256_hex;
use hyper::HeaderMap;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::wire::authorization::Authorization;
use crate::wire::query;

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same within a path whose slashes stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');
/// What Node's `url.parse` escapes before the client signs the path, though the client sends it as it is.
const ESCAPED_BY_NODE: &AsciiSet = &CONTROLS.add(b'\'').add(b'^').add(b'|');

/// Longest query that is sorted to be verified, in pairs.
const QUERY_PAIRS: usize = 256;

/// A header that stands at most once. A signature that covers one of two cannot say which of them is meant.
pub(crate) fn once<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Fault> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(hyper::header::HeaderValue::as_bytes);
    match values.next() {
        None => Ok(first),
        Some(_) => Err(malformed()),
    }
}

/// The hashes of all canonical requests that a client may mean with this one: they differ in how it spells the path.
pub(crate) fn hashes(request: &Incoming, authorization: &Authorization<'_>) -> Result<Vec<String>, Fault> {
    let after_path = after_path(request, authorization)?;
    let method = request.method.as_str().as_bytes();
    Ok(paths(request.path())
        .iter()
        .map(|path| {
            let text = [method, b"\n", path.as_bytes(), b"\n", &after_path].concat();
            sha256_hex(&text).as_str().to_owned()
        })
        .collect())
}

/// The spellings of a path, each ending in a slash: decoded and encoded again (Python, Go); encoded as it was sent, so that a
/// `%` becomes `%25` (Java, and Node, which escapes some characters before); and as it was sent. Those that are the same are
/// there once.
///
/// One signature can therefore fit several paths, and where these lead to different tags, whoever changes the path on the way
/// chooses among them. The signers leave it so, since they sign less than they send:
/// - Node and Java sign the tag `a b`, sent as `a%20b`, as Python and Go sign the tag `a%20b`, sent as `a%2520b`;
/// - Python and Go sign the tag `a/`, sent as `a%2F`, as they sign the tag `a`.
///
/// `a/b` and `a%2Fb` are the same tag however they are signed, and a literal slash at the end is none of a tag; see `router`.
fn paths(path: &str) -> Vec<String> {
    let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
    let again = percent_encode(&decoded, RESERVED_IN_PATH).to_string();
    let twice = percent_encode(path.as_bytes(), RESERVED_IN_PATH).to_string();
    let escaped: Cow<'_, str> = percent_encode(path.as_bytes(), ESCAPED_BY_NODE).into();
    let by_node = percent_encode(escaped.as_bytes(), RESERVED_IN_PATH).to_string();
    let mut spellings: Vec<String> = Vec::with_capacity(4);
    for mut spelling in [again, twice, by_node, path.to_owned()] {
        if !spelling.ends_with('/') {
            spelling.push('/');
        }
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// Everything after the path: query, headers, their names, and the hash of the body.
fn after_path(request: &Incoming, authorization: &Authorization<'_>) -> Result<Vec<u8>, Fault> {
    let mut text = canonical_query(request.query())?.into_bytes();
    text.push(b'\n');
    for name in authorization.names() {
        let value = once(&request.headers, name)?.ok_or_else(malformed)?;
        text.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        text.push(b':');
        text.extend_from_slice(value.trim_ascii());
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(authorization.signed_headers.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash(request)?.as_bytes());
    Ok(text)
}

/// Sorted, so that the order is not signed: a name that stands twice could change its meaning on the way, and is refused.
fn canonical_query(query: &str) -> Result<String, Fault> {
    let pairs = query::pairs(query);
    if pairs.len() > QUERY_PAIRS {
        return Err(malformed());
    }
    let encoded = |bytes: &[u8]| percent_encode(bytes, RESERVED).to_string();
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort_unstable();
    if pairs.windows(2).any(|two| matches!(two, [(one, _), (next, _)] if one == next)) {
        return Err(malformed());
    }
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(pairs.join("&"))
}

/// The hash of the body as it is signed. A client may declare it in a header, and then signs the header's text: it must be
/// true. `UNSIGNED-PAYLOAD` is therefore refused wherever there is a body; clients use it only for bodies that are not JSON,
/// which nothing here takes. Without a body a declared hash is ignored, as the Python client ignores it.
fn payload_hash(request: &Incoming) -> Result<Cow<'_, str>, Fault> {
    let real = sha256_hex(&request.body);
    let declared = once(&request.headers, "x-sdk-content-sha256")?.map(std::str::from_utf8);
    match declared {
        Some(Ok(declared)) if declared.eq_ignore_ascii_case(real.as_str()) => Ok(Cow::Borrowed(declared)),
        Some(_) if !request.body.is_empty() => Err(malformed()),
        Some(_) | None => Ok(Cow::Owned(real.as_str().to_owned())),
    }
}

const fn malformed() -> Fault {
    Fault::Authentication(AuthenticationFault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_up_to_four_spellings() {
        for (path, expected) in [
            ("/", vec!["/"]),
            ("/v1.0/p/kms", vec!["/v1.0/p/kms/"]),
            ("/t/a%20b", vec!["/t/a%20b/", "/t/a%2520b/"]),
            ("/t/a%2Fb", vec!["/t/a/b/", "/t/a%252Fb/", "/t/a%2Fb/"]),
            ("/t/100%", vec!["/t/100%25/", "/t/100%/"]),
            ("/t/%E7%8E%AF", vec!["/t/%E7%8E%AF/", "/t/%25E7%258E%25AF/"]),
            ("/t/%2F", vec!["/t//", "/t/%252F/", "/t/%2F/"]),
            ("/t/(a)", vec!["/t/%28a%29/", "/t/(a)/"]),
            ("/t/a'|^", vec!["/t/a%27%7C%5E/", "/t/a%2527%257C%255E/", "/t/a'|^/"]),
        ] {
            assert_eq!(paths(path), expected, "{path}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_again() {
        for (query, expected) in [
            ("", ""),
            ("key_id=k%201&limit=10&marker=a%2B%2F%3Db", "key_id=k%201&limit=10&marker=a%2B%2F%3Db"),
            ("b=2&aa=2&a=1&c", "a=1&aa=2&b=2&c="),
            ("a=x/y+z", "a=x%2Fy%2Bz"),
        ] {
            assert_eq!(canonical_query(query).as_deref(), Ok(expected), "{query}");
        }
        for twice in ["a=1&a=2", "a=1&a=1", "a=1&b&%61=2", "a&a="] {
            assert!(canonical_query(twice).is_err(), "{twice}");
        }
        let many = |n: usize| (0..n).map(|i| format!("a{i}")).collect::<Vec<_>>().join("&");
        assert!(canonical_query(&many(QUERY_PAIRS)).is_ok());
        assert!(canonical_query(&many(QUERY_PAIRS + 1)).is_err());
    }
}
