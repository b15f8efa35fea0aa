//! The query of a request, read in one way for what is verified and for what is used.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A name and its value, percent-decoded.
pub(crate) type Pair<'q> = (Cow<'q, [u8]>, Cow<'q, [u8]>);

/// The pairs of a query, percent-decoded, in the order they came; a `+` is a plus. A name without `=` has an empty value.
pub(crate) fn pairs(query: &str) -> Vec<Pair<'_>> {
    let decoded = |text| Cow::from(percent_decode_str(text));
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_before_they_are_decoded() {
        for (query, expected) in [
            ("", vec![]),
            ("a=1&b=2", vec![("a", "1"), ("b", "2")]),
            ("a", vec![("a", "")]),
            ("a=&&b", vec![("a", ""), ("b", "")]),
            ("a=b=c", vec![("a", "b=c")]),
            ("k%201=a%2B%2F%3Db%26", vec![("k 1", "a+/=b&")]),
            ("a=1+1&a=100%", vec![("a", "1+1"), ("a", "100%")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(n, v)| (Cow::from(n.as_bytes()), Cow::from(v.as_bytes()))).collect();
            assert_eq!(pairs(query), expected, "{query}");
        }
    }
}
