//! Answers in this cloud's envelopes.

use bytes::Bytes;
use claviger_api::{Answer, Incoming, Reply};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::wire::{Envelope, Words};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole answer. It has a content type even where it has no content, because a client reads that header unasked, and an
/// id of 32 hex characters.
pub(crate) fn answer(request: &Incoming, outcome: Result<Reply, Words>) -> Answer {
    let id = request.id.simple();
    let reply = outcome.unwrap_or_else(|words| refusal(&words, &id));
    let no_content = reply.status == StatusCode::NO_CONTENT;
    let body = reply.body.filter(|_| !no_content).unwrap_or_default();
    let mut answer = Response::new(Bytes::from(body).into());
    *answer.status_mut() = reply.status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id).expect("hex is a good header value"));
    headers.extend(reply.headers);
    answer
}

/// A fault's words in their envelope.
fn refusal(words: &Words, id: &str) -> Reply {
    let flat = |request_id| Flat { error_code: words.code, error_msg: &words.message, request_id };
    match words.envelope {
        Envelope::Flat => Reply::json_as(words.status, &flat(None)),
        Envelope::Gateway => Reply::json_as(words.status, &flat(Some(id))),
        Envelope::Keystone => {
            let title = words.status.canonical_reason().unwrap_or_default();
            let error = Keystone { message: &words.message, code: words.status.as_u16(), title };
            Reply::json_as(words.status, &Nested { error })
        }
        Envelope::Nested => Reply::json_as(words.status, &Nested { error: flat(None) }),
    }
}

#[derive(Serialize)]
struct Nested<T> {
    error: T,
}

#[derive(Serialize)]
struct Flat<'a> {
    error_code: &'a str,
    error_msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Keystone<'a> {
    message: &'a str,
    code: u16,
    title: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope() {
        for (envelope, expected) in [
            (Envelope::Flat, r#"{"error_code":"X.1","error_msg":"no"}"#),
            (Envelope::Gateway, r#"{"error_code":"X.1","error_msg":"no","request_id":"id"}"#),
            (Envelope::Keystone, r#"{"error":{"message":"no","code":403,"title":"Forbidden"}}"#),
            (Envelope::Nested, r#"{"error":{"error_code":"X.1","error_msg":"no"}}"#),
        ] {
            let reply = refusal(&Words::new(StatusCode::FORBIDDEN, "X.1", "no", envelope), "id");
            assert_eq!(reply.status, StatusCode::FORBIDDEN);
            assert_eq!(reply.body.as_deref().map(String::from_utf8_lossy).as_deref(), Some(expected));
        }
    }
}
