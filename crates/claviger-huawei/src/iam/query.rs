//! Parameters in the query.

use std::ops::RangeInclusive;

use claviger_api::Request;
use claviger_core::Fault;

use crate::wire::pairs;

/// A parameter's value, percent-decoded; the first, if it stands there twice.
pub(crate) fn value(request: &Request, name: &'static str) -> Result<Option<String>, Fault> {
    let mut pairs = pairs(request.incoming.query()).into_iter();
    match pairs.find(|(found, _)| **found == *name.as_bytes()) {
        Some((_, value)) => String::from_utf8(value.into_owned()).map(Some).map_err(|_| Fault::value(name)),
        None => Ok(None),
    }
}

/// A parameter that is a number; absent or empty: none.
pub(crate) fn number(
    request: &Request,
    name: &'static str,
    allowed: RangeInclusive<usize>,
) -> Result<Option<usize>, Fault> {
    match value(request, name)? {
        Some(text) if !text.is_empty() => {
            let number = text.parse().ok().filter(|number| allowed.contains(number));
            number.map(Some).ok_or(Fault::value(name))
        }
        Some(_) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use claviger_core::Moment;

    use super::*;
    use crate::testing::incoming;

    #[test]
    fn values_are_found_and_decoded() {
        for (query, expected) in [
            ("", Ok(None)),
            ("other=1", Ok(None)),
            ("name", Ok(Some(""))),
            ("name=", Ok(Some(""))),
            ("a=b&name=cn-north-4", Ok(Some("cn-north-4"))),
            ("name=a%20b+c%2Bd", Ok(Some("a b+c+d"))),
            ("n%61me=x&name=y", Ok(Some("x"))),
            ("name=%ff", Err(Fault::value("name"))),
        ] {
            let found = value(&request(query), "name");
            assert_eq!(found, expected.map(|found| found.map(ToOwned::to_owned)), "{query}");
        }
    }

    #[test]
    fn numbers_keep_their_range() {
        for (query, expected) in [
            ("", Ok(None)),
            ("limit=", Ok(None)),
            ("limit=1", Ok(Some(1))),
            ("limit=100", Ok(Some(100))),
            ("limit=0", Err(Fault::value("limit"))),
            ("limit=101", Err(Fault::value("limit"))),
            ("limit=-1", Err(Fault::value("limit"))),
            ("limit=x", Err(Fault::value("limit"))),
            ("limit=99999999999999999999", Err(Fault::value("limit"))),
        ] {
            assert_eq!(number(&request(query), "limit", 1..=100), expected, "{query}");
        }
    }

    fn request(query: &str) -> Request {
        let incoming = incoming("GET", &format!("/v3?{query}"), &[], "", Moment::default());
        Request { incoming, captured: Vec::new() }
    }
}
