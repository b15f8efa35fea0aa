//! What IAM says of each fault.

use claviger_core::Fault;
use claviger_core::fault::{
    AccessKeyFault, AuthenticationFault, ParameterFault, ParameterProblem, UserFault,
};
use hyper::StatusCode;

use crate::wire::{Envelope, Words, gateway_words};

/// The words for a fault. Codes are the titles of Keystone's errors, except those of the gateway.
pub(crate) fn words(fault: &Fault) -> Words {
    match fault {
        // The one text that clients compare.
        Fault::AccessKey(AccessKeyFault::Limit) => keystone(StatusCode::BAD_REQUEST, "akSkNumExceed"),
        Fault::AccessKey(AccessKeyFault::NotFound | AccessKeyFault::OfAnotherUser) => {
            keystone(StatusCode::NOT_FOUND, "Could not find the access key.")
        }
        Fault::AccessKey(AccessKeyFault::OfRoot) | Fault::PermissionDenied { .. } => {
            keystone(StatusCode::FORBIDDEN, "You are not authorized to perform the requested action.")
        }
        Fault::Authentication(AuthenticationFault::PasswordWrong) => {
            keystone(StatusCode::UNAUTHORIZED, "The username or password is wrong.")
        }
        Fault::Authentication(
            AuthenticationFault::Missing
            | AuthenticationFault::TokenExpired
            | AuthenticationFault::TokenInvalid,
        ) => keystone(StatusCode::UNAUTHORIZED, "The request you have made requires authentication."),
        Fault::Authentication(AuthenticationFault::WrongScope) => {
            keystone(StatusCode::FORBIDDEN, "The token is for another project or account.")
        }
        // What the gateway refuses before IAM sees it.
        Fault::Authentication(
            AuthenticationFault::Malformed
            | AuthenticationFault::KeyUnknown
            | AuthenticationFault::SignatureMismatch
            | AuthenticationFault::Skewed,
        )
        | Fault::BodyTooLarge { .. }
        | Fault::RateLimited { .. }
        | Fault::Route(_) => gateway_words(fault),
        Fault::Conflict | Fault::Unavailable => {
            keystone(StatusCode::SERVICE_UNAVAILABLE, "The service is temporarily unavailable. Try again.")
        }
        Fault::Parameter(fault) => Words::new(
            StatusCode::BAD_REQUEST,
            title(StatusCode::BAD_REQUEST),
            complaint(fault),
            Envelope::Keystone,
        ),
        Fault::User(UserFault::NameTaken) => keystone(StatusCode::CONFLICT, "The name is taken."),
        Fault::User(UserFault::NotFound) => {
            keystone(StatusCode::NOT_FOUND, "Could not find what the request names.")
        }
        Fault::User(
            UserFault::HasAccessKeys | UserFault::Limit | UserFault::NameInvalid | UserFault::PasswordWeak,
        ) => keystone(StatusCode::BAD_REQUEST, "The user cannot be made or changed like this."),
        // No action of IAM raises those that are not internal.
        Fault::Alias(_)
        | Fault::Cipher(_)
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Key(_)
        | Fault::Material(_)
        | Fault::Policy(_)
        | Fault::Tag(_) => keystone(StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred."),
    }
}

/// What is wrong with a parameter, in a sentence.
pub(crate) fn complaint(fault: &ParameterFault) -> String {
    let name = &fault.name;
    match fault.problem {
        ParameterProblem::Missing => format!("The parameter {name} is required."),
        ParameterProblem::Syntax => "The request body is not a JSON object.".to_owned(),
        ParameterProblem::Type(wanted) => format!("The parameter {name} must be of type {wanted}."),
        ParameterProblem::Unknown => format!("{name} is not supported yet."),
        ParameterProblem::Value => format!("The value of the parameter {name} is not allowed."),
    }
}

fn keystone(status: StatusCode, message: &'static str) -> Words {
    Words::new(status, title(status), message, Envelope::Keystone)
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
