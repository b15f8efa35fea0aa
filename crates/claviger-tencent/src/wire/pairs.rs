//! Parameters as `key=value` pairs: the query of a GET, the form of a v1 POST.

use std::borrow::Cow;

use claviger_api::Incoming;
use hyper::Method;
use percent_encoding::percent_decode_str;

/// Decoded pairs in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

/// Most pairs that are looked at.
const MOST: usize = 2000;

impl Pairs {
    /// Decodes `a=b&c=d`, `+` for a space (HTML form encoding). `None` for bytes that are not UTF-8 and for too many pairs.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let decode = |part: &str| -> Option<String> {
            let spaced =
                if part.contains('+') { Cow::Owned(part.replace('+', " ")) } else { Cow::Borrowed(part) };
            percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
        };
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() >= MOST {
                return None;
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(key)?, decode(value)?));
        }
        Some(Self(pairs))
    }
}

/// The parameters that a v1 signature covers: the query of a GET, the body of a POST and nothing else of it.
pub(crate) fn v1_pairs(incoming: &Incoming) -> Pairs {
    let text = if incoming.method == Method::GET {
        Some(incoming.query())
    } else {
        std::str::from_utf8(&incoming.body).ok()
    };
    text.and_then(Pairs::decode).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let pairs = Pairs::decode("a=1+2&b=%E4%BD%A0&c&&d=x=y").expect("well-formed");
        let expected = [("a", "1 2"), ("b", "你"), ("c", ""), ("d", "x=y")];
        assert!(pairs.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected));
        assert!(Pairs::decode("a=%FF").is_none());
        assert!(Pairs::decode(&"a&".repeat(MOST + 1)).is_none());
    }
}
