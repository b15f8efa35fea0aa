//! What `CodeArts` Repo says of each fault.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{AuthenticationFault, KeyFault};
use hyper::StatusCode;

use crate::iam::complaint;
use crate::wire::{Envelope, Words, gateway_words};

/// The words for a fault.
pub(crate) fn words(fault: &Fault) -> Words {
    match fault {
        Fault::Authentication(AuthenticationFault::WrongScope) | Fault::PermissionDenied { .. } => {
            flat(StatusCode::FORBIDDEN, "CH.004403", "No permission.")
        }
        Fault::Authentication(
            AuthenticationFault::Missing
            | AuthenticationFault::Malformed
            | AuthenticationFault::KeyUnknown
            | AuthenticationFault::PasswordWrong
            | AuthenticationFault::SignatureMismatch
            | AuthenticationFault::Skewed
            | AuthenticationFault::TokenExpired
            | AuthenticationFault::TokenInvalid,
        ) => flat(StatusCode::UNAUTHORIZED, "DEV.00000003", "Authentication information expired."),
        Fault::BodyTooLarge { .. } | Fault::RateLimited { .. } | Fault::Route(_) => gateway_words(fault),
        Fault::Conflict | Fault::Unavailable => flat(
            StatusCode::SERVICE_UNAVAILABLE,
            "CH.000001",
            "The service is temporarily unavailable. Try again.",
        ),
        Fault::DelegationMissing => {
            bad("CodeArts Repo is not authorized to use the keys of this tenant. Call kms-grant first.")
        }
        Fault::Key(fault) => bad(about_key(*fault)),
        Fault::Parameter(fault) => bad(complaint(fault)),
        // No action here raises those that are not internal.
        Fault::AccessKey(_)
        | Fault::Alias(_)
        | Fault::Cipher(_)
        | Fault::Internal
        | Fault::Material(_)
        | Fault::Policy(_)
        | Fault::Tag(_)
        | Fault::User(_) => {
            flat(StatusCode::INTERNAL_SERVER_ERROR, "CH.000001", "An unknown error occurred.")
        }
    }
}

/// A key of another tenant is as unknown as one that is not there.
const fn about_key(fault: KeyFault) -> &'static str {
    match fault {
        KeyFault::MalformedId => "cmk_key_id is not the ID of a key.",
        KeyFault::NotFound => "The key does not exist.",
        KeyFault::BindingLimit => "The key is used by too many resources.",
        KeyFault::SpecInvalid | KeyFault::UsageInvalid => "The key is not a symmetric key.",
        KeyFault::AlreadyPendingDeletion
        | KeyFault::BindingNotFound
        | KeyFault::ClusterUnknown
        | KeyFault::DeletionWindowInvalid
        | KeyFault::Disabled
        | KeyFault::DuplicateId
        | KeyFault::InUse
        | KeyFault::NotAwaitingImport
        | KeyFault::NotDisabled
        | KeyFault::NotEnabled
        | KeyFault::NotExternal
        | KeyFault::NotPendingDeletion
        | KeyFault::OriginInvalid
        | KeyFault::PendingDeletion
        | KeyFault::PendingImport
        | KeyFault::Quota
        | KeyFault::ShouldBeDisabled
        | KeyFault::StateForbids => "The key is not enabled.",
    }
}

fn bad(message: impl Into<Cow<'static, str>>) -> Words {
    flat(StatusCode::BAD_REQUEST, "CH.010001", message)
}

fn flat(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Words {
    Words::new(status, code, message, Envelope::Flat)
}
