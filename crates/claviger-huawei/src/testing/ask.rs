//! Requests and answers of a test.

use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::Value;

/// Who signs, unless a request carries a token or nothing.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    AccessKey(String),
    None,
    Token(String),
}

/// A request in a test. In its path, headers and body `{name}` stands for what the world knows by that name.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) body: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) credentials: Credentials,
    pub(super) kept: Vec<(String, Found)>,
}

/// Where in an answer a value is found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Header(&'static str),
    Pointer(&'static str),
}

#[expect(clippy::needless_pass_by_value, reason = "a body is written where it is used, as a text or as JSON")]
impl Ask {
    /// A request signed by the root user of the account `root`.
    pub(crate) fn new(method: &'static str, target: impl Into<String>, body: impl ToString) -> Self {
        Self {
            method,
            target: target.into(),
            body: body.to_string(),
            headers: Vec::new(),
            credentials: Credentials::AccessKey("root".into()),
            kept: Vec::new(),
        }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target, "")
    }

    pub(crate) fn post(target: impl Into<String>, body: impl ToString) -> Self {
        Self::new("POST", target, body)
    }

    pub(crate) fn delete(target: impl Into<String>) -> Self {
        Self::new("DELETE", target, "")
    }

    /// A KMS action: `create-key` and its body.
    pub(crate) fn kms(action: &str, body: impl ToString) -> Self {
        Self::post(format!("/v1.0/{{project}}/kms/{action}"), body)
    }

    /// Signed by somebody else: `stranger` of another account, `alice` who may nothing, `admin` who may everything.
    pub(crate) fn signed_by(mut self, who: &str) -> Self {
        self.credentials = Credentials::AccessKey(who.into());
        self
    }

    /// With a token instead of a signature.
    pub(crate) fn with_token(mut self, token: impl Into<String>) -> Self {
        self.credentials = Credentials::Token(token.into());
        self
    }

    /// By nobody.
    pub(crate) fn anonymous(mut self) -> Self {
        self.credentials = Credentials::None;
        self
    }

    /// With another header, under the signature if there is one.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Keeps what the answer has at a JSON pointer under a name; it is shown by that name from then on.
    pub(crate) fn keep(mut self, name: &str, pointer: &'static str) -> Self {
        self.kept.push((name.into(), Found::Pointer(pointer)));
        self
    }

    /// Keeps a header of the answer likewise.
    pub(crate) fn keep_header(mut self, name: &str, header: &'static str) -> Self {
        self.kept.push((name.into(), Found::Header(header)));
        self
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    /// The body as JSON; null if there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&self.body).expect("a JSON body")
        }
    }

    /// The status and the error code, such as `400 KMS.0205`; the status alone if there is no error.
    pub(crate) fn outcome(&self) -> String {
        let json = self.json();
        let code = json.pointer("/error/error_code").or_else(|| json.pointer("/error_code"));
        match code.and_then(Value::as_str) {
            Some(code) => format!("{} {code}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }
}
