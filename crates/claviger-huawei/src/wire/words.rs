//! What a client reads of a fault: the words, and the envelope they travel in.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{AuthenticationFault, RouteFault};
use hyper::StatusCode;

/// How a service wraps its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `{"error_code","error_msg"}`: the newer IAM and `CodeArts`.
    Flat,
    /// Flat with `request_id`: the gateway in front of every service.
    Gateway,
    /// `{"error":{"message","code","title"}}` with the status as a number: the Keystone part of IAM.
    Keystone,
    /// `{"error":{"error_code","error_msg"}}`: KMS.
    Nested,
}

/// What is said to a client about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code; one of a fixed, small set.
    pub code: &'static str,
    /// The message.
    pub message: Cow<'static, str>,
    /// How both are wrapped.
    pub envelope: Envelope,
}

impl Words {
    /// Words in an envelope.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        envelope: Envelope,
    ) -> Self {
        Self { status, code, message: message.into(), envelope }
    }
}

/// The gateway's words: for what is refused before a service is reached.
pub(crate) fn gateway_words(fault: &Fault) -> Words {
    let (status, code, message): (_, _, Cow<'static, str>) = match fault {
        Fault::Authentication(fault) => {
            (StatusCode::UNAUTHORIZED, "APIGW.0301", unauthenticated(*fault).into())
        }
        Fault::BodyTooLarge { limit } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "APIGW.0201",
            format!("Request entity too large: at most {limit} bytes").into(),
        ),
        Fault::RateLimited { limit } => (
            StatusCode::TOO_MANY_REQUESTS,
            "APIGW.0308",
            format!("The throttling threshold has been reached: {limit} requests per second").into(),
        ),
        Fault::Route(RouteFault::MethodNotAllowed) => {
            (StatusCode::METHOD_NOT_ALLOWED, "APIGW.0101", "The method is not allowed for this API".into())
        }
        Fault::Route(
            RouteFault::ActionUnknown(_)
            | RouteFault::RegionUnknown
            | RouteFault::ServiceUnknown
            | RouteFault::VersionUnknown,
        ) => (
            StatusCode::NOT_FOUND,
            "APIGW.0101",
            "The API does not exist or has not been published in the environment".into(),
        ),
        Fault::Conflict | Fault::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "APIGW.0801", "The service is temporarily unavailable".into())
        }
        Fault::PermissionDenied { .. } => {
            (StatusCode::FORBIDDEN, "APIGW.0302", "The IAM user is not authorized to access the API".into())
        }
        Fault::Parameter(_) => (StatusCode::BAD_REQUEST, "APIGW.0201", "The request is malformed".into()),
        // Services answer their own faults; one that comes this far is ours.
        Fault::AccessKey(_)
        | Fault::Alias(_)
        | Fault::Cipher(_)
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Policy(_)
        | Fault::Tag(_)
        | Fault::User(_) => (StatusCode::INTERNAL_SERVER_ERROR, "APIGW.0802", "Internal server error".into()),
    };
    Words { status, code, message, envelope: Envelope::Gateway }
}

/// One text for an access key that is unknown, one that is inactive and a signature that does not match: which of them it was
/// would tell whether an access key exists. The cloud tells; we do not.
const fn unauthenticated(fault: AuthenticationFault) -> &'static str {
    match fault {
        AuthenticationFault::Missing => "Incorrect IAM authentication information: x-auth-token not found",
        AuthenticationFault::Malformed => {
            "Incorrect IAM authentication information: the Authorization header cannot be used"
        }
        AuthenticationFault::Skewed => {
            "Incorrect IAM authentication information: x-sdk-date is missing or more than 15 minutes from the server's time"
        }
        AuthenticationFault::KeyUnknown
        | AuthenticationFault::PasswordWrong
        | AuthenticationFault::SignatureMismatch => {
            "Incorrect IAM authentication information: verify aksk signature fail"
        }
        AuthenticationFault::TokenExpired
        | AuthenticationFault::TokenInvalid
        | AuthenticationFault::WrongScope => "Incorrect IAM authentication information: decrypt token fail",
    }
}
