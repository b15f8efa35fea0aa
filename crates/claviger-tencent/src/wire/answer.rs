//! The envelope: always HTTP 200, always exactly `application/json`, and the request id inside.

use std::borrow::Cow;

use bytes::Bytes;
use claviger_api::{Answer, Incoming};
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};

/// A fault in this dialect's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// The code that clients match.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: Cow<'static, str>,
}

impl Words {
    /// A code with the message in the language that was asked for.
    pub(crate) const fn say(
        language: Language,
        code: &'static str,
        english: &'static str,
        chinese: &'static str,
    ) -> Self {
        let message = match language {
            Language::Chinese => chinese,
            Language::English => english,
        };
        Self { code, message: Cow::Borrowed(message) }
    }
}

/// The languages of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// `zh-CN`, also when nothing is asked for.
    Chinese,
    /// `en-US`.
    English,
}

/// The language that a request asks for.
pub(crate) fn language(incoming: &Incoming) -> Language {
    let asked = incoming.header("x-tc-language");
    let in_parameters = || {
        let form = std::str::from_utf8(&incoming.body).unwrap_or_default();
        !incoming.headers.contains_key("authorization")
            && (incoming.query().contains("Language=en-US") || form.contains("Language=en-US"))
    };
    if asked == Some("en-US") || (asked.is_none() && in_parameters()) {
        Language::English
    } else {
        Language::Chinese
    }
}

/// Puts a success (the JSON object of an action's output) or a fault into the envelope.
pub(crate) fn envelope(incoming: &Incoming, outcome: Result<Option<Vec<u8>>, Words>) -> Answer {
    let id = incoming.id.hyphenated();
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(br#"{"Response":{"#);
    match outcome {
        Ok(output) => {
            let members =
                output.as_deref().and_then(|o| o.strip_prefix(b"{")).and_then(|o| o.strip_suffix(b"}"));
            if let Some(members) = members.filter(|members| !members.is_empty()) {
                body.extend_from_slice(members);
                body.push(b',');
            }
        }
        Err(words) => {
            let error = serde_json::json!({"Code": words.code, "Message": words.message});
            body.extend_from_slice(format!(r#""Error":{error},"#).as_bytes());
        }
    }
    body.extend_from_slice(format!(r#""RequestId":"{id}"}}}}"#).as_bytes());
    let mut answer = Response::new(Bytes::from(body).into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
