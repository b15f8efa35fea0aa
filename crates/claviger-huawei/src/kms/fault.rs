//! What KMS says of each fault.

use std::borrow::Cow;

use claviger_core::Fault;
use claviger_core::fault::{
    AliasFault, AuthenticationFault, CipherFault, KeyFault, MaterialFault, ParameterFault, ParameterProblem,
    RouteFault, TagFault,
};
use claviger_core::permission::Level;
use hyper::StatusCode;

use crate::wire::{Envelope, Words, gateway_words};

/// The words for a fault. Codes are those of the error page; where it leaves a choice the nearest one is taken.
pub(crate) fn words(fault: &Fault) -> Words {
    match fault {
        Fault::Alias(fault) => alias(*fault),
        Fault::Authentication(reason) => authentication(*reason).unwrap_or_else(|| gateway_words(fault)),
        Fault::BodyTooLarge { limit } => bad("KMS.0203", format!("The body is longer than {limit} bytes.")),
        Fault::Cipher(fault) => cipher(*fault),
        // A conflict that outlived every try, or a store that is away: nothing was changed.
        Fault::Conflict | Fault::Unavailable => nested(
            StatusCode::SERVICE_UNAVAILABLE,
            "KMS.0104",
            "The service is temporarily unavailable. Try again.",
        ),
        // The first are of other services: none of our actions can meet them.
        Fault::AccessKey(_)
        | Fault::DelegationMissing
        | Fault::Internal
        | Fault::Policy(_)
        | Fault::User(_) => nested(StatusCode::INTERNAL_SERVER_ERROR, "KMS.0101", "Internal error."),
        Fault::Key(fault) => key(*fault),
        Fault::Material(fault) => material(*fault),
        Fault::Parameter(fault) => parameter(fault),
        Fault::PermissionDenied { permission, .. } => match permission.level() {
            Level::Key => denied("KMS.0306", "You do not have permission to do this to the key."),
            Level::Operation | Level::User => denied("KMS.0307", "You do not have permission to do this."),
        },
        Fault::Route(RouteFault::MethodNotAllowed) => {
            nested(StatusCode::METHOD_NOT_ALLOWED, "KMS.0215", "The method is not allowed.")
        }
        Fault::RateLimited { .. }
        | Fault::Route(
            RouteFault::ActionUnknown(_)
            | RouteFault::RegionUnknown
            | RouteFault::ServiceUnknown
            | RouteFault::VersionUnknown,
        ) => gateway_words(fault),
        Fault::Tag(fault) => tag(*fault),
    }
}

fn nested(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Words {
    Words::new(status, code, message, Envelope::Nested)
}

fn bad(code: &'static str, message: impl Into<Cow<'static, str>>) -> Words {
    nested(StatusCode::BAD_REQUEST, code, message)
}

fn denied(code: &'static str, message: &'static str) -> Words {
    nested(StatusCode::FORBIDDEN, code, message)
}

fn alias(fault: AliasFault) -> Words {
    match fault {
        AliasFault::Invalid => bad(
            "KMS.1101",
            "key_alias must be 1 to 255 letters, digits, `:`, `/`, `_` and `-`, and must not end with `/default`.",
        ),
        AliasFault::Taken => bad("KMS.1104", "key_alias is in use already."),
    }
}

/// None for what the gateway refuses. The pages of the tag operations document 403 for failed authentication, so whoever
/// comes without a signature gets that; a signature that is wrong never gets past the gateway's 401.
fn authentication(fault: AuthenticationFault) -> Option<Words> {
    match fault {
        AuthenticationFault::Missing => Some(denied("KMS.0301", "The request carries no X-Auth-Token.")),
        AuthenticationFault::TokenExpired => Some(denied("KMS.0303", "X-Auth-Token is expired.")),
        AuthenticationFault::TokenInvalid => Some(denied("KMS.0302", "X-Auth-Token is invalid.")),
        AuthenticationFault::WrongScope => {
            Some(denied("KMS.0321", "The project in the URL is not the one of the credentials."))
        }
        AuthenticationFault::KeyUnknown
        | AuthenticationFault::Malformed
        | AuthenticationFault::PasswordWrong
        | AuthenticationFault::SignatureMismatch
        | AuthenticationFault::Skewed => None,
    }
}

fn cipher(fault: CipherFault) -> Words {
    match fault {
        CipherFault::CiphertextInvalid => bad("KMS.2201", "cipher_text is invalid."),
        CipherFault::ContextInvalid => bad(
            "KMS.0208",
            "encryption_context must be an object of texts, at most 8192 characters long, and stand alone.",
        ),
        CipherFault::DecryptionFailed => bad(
            "KMS.2201",
            "cipher_text does not open: it was altered, or the additional authenticated data is not the same.",
        ),
        CipherFault::PlaintextInvalid => bad("KMS.2101", "plain_text must be 1 to 4096 bytes long."),
    }
}

fn key(fault: KeyFault) -> Words {
    match fault {
        KeyFault::AlreadyPendingDeletion => bad("KMS.1402", "The deletion of the key is scheduled already."),
        KeyFault::BindingLimit | KeyFault::BindingNotFound | KeyFault::StateForbids => {
            bad("KMS.0308", "The state of the key does not allow this.")
        }
        KeyFault::ClusterUnknown => {
            bad("KMS.8003", "keystore_id must be `0`: there are no other key stores.")
        }
        KeyFault::DeletionWindowInvalid => bad("KMS.1401", "pending_days must be 7 to 1096."),
        KeyFault::Disabled => bad("KMS.0209", "The key is disabled."),
        KeyFault::DuplicateId => bad("KMS.0308", "A key is named twice."),
        KeyFault::InUse => bad("KMS.0211", "The key is held by a resource or a service that is bound to it."),
        KeyFault::MalformedId => bad("KMS.0205", "key_id is malformed."),
        KeyFault::NotAwaitingImport => bad("KMS.0310", "The key does not await its material."),
        KeyFault::NotDisabled | KeyFault::ShouldBeDisabled => bad("KMS.1201", "The key is not disabled."),
        KeyFault::NotEnabled => bad("KMS.1301", "The key is not enabled."),
        KeyFault::NotExternal => bad("KMS.0309", "The material of the key is not imported."),
        KeyFault::NotFound => nested(StatusCode::NOT_FOUND, "KMS.0207", "The key does not exist."),
        KeyFault::NotPendingDeletion => bad("KMS.1501", "The deletion of the key is not scheduled."),
        KeyFault::OriginInvalid => bad("KMS.0308", "origin must be `kms` or `external`."),
        KeyFault::PendingDeletion => bad("KMS.0210", "The key awaits its deletion."),
        KeyFault::PendingImport => bad("KMS.0209", "The key awaits its material."),
        KeyFault::Quota => bad("KMS.1105", "The quota of keys is used up."),
        KeyFault::SpecInvalid => bad(
            "KMS.1110",
            "key_spec must be `AES_256` or `SM4`: asymmetric keys and keys for HMAC are not supported yet.",
        ),
        KeyFault::UsageInvalid => bad("KMS.1115", "A symmetric key is for ENCRYPT_DECRYPT only."),
    }
}

fn material(fault: MaterialFault) -> Words {
    match fault {
        MaterialFault::ExpiryInvalid => bad("KMS.2602", "expiration_time is in the past."),
        MaterialFault::Mismatch => bad("KMS.2606", "The material is not the one the key had before."),
        MaterialFault::TokenExpired => bad("KMS.2601", "import_token is expired."),
        MaterialFault::TokenInvalid => bad("KMS.2605", "import_token is invalid."),
        MaterialFault::Unwrap => bad("KMS.0311", "The wrapped material does not open."),
    }
}

/// Some parameters have codes of their own; a member of an object or list goes by the name of the whole.
fn parameter(fault: &ParameterFault) -> Words {
    let name = &fault.name;
    let whole = name.split_once('.').map_or(name.as_ref(), |(whole, _)| whole);
    let code = match (&fault.problem, whole) {
        (ParameterProblem::Missing, _) => return bad("KMS.0204", format!("{name} is missing.")),
        (ParameterProblem::Syntax, _) => return bad("KMS.0202", "The body is not a JSON object."),
        (ParameterProblem::Type("multiple of 8"), "datakey_length") => {
            return bad("KMS.1903", "datakey_length must be a multiple of 8.");
        }
        (_, "datakey_length") => "KMS.1901",
        (_, "encryption_algorithm") => "KMS.2105",
        (_, "encryption_context") => return cipher(CipherFault::ContextInvalid),
        (_, "key_description") => "KMS.1103",
        (_, "key_id") => return key(KeyFault::MalformedId),
        (_, "key_spec") => "KMS.1902",
        (_, "limit") => "KMS.1601",
        (_, "marker") => "KMS.1602",
        (_, "sequence") => "KMS.0206",
        (ParameterProblem::Type(_) | ParameterProblem::Unknown | ParameterProblem::Value, _) => "KMS.0308",
    };
    match fault.problem {
        ParameterProblem::Type(wanted) => bad(code, format!("{name} must be of the type {wanted}.")),
        _ => bad(code, format!("{name} is invalid.")),
    }
}

fn tag(fault: TagFault) -> Words {
    match fault {
        TagFault::ActionInvalid => bad("KMS.0404", "action is not one of those that are allowed."),
        TagFault::DuplicateKey => bad("KMS.0412", "A tag key stands twice in the list."),
        TagFault::KeyEmpty => bad("KMS.0411", "The tag key is blank."),
        TagFault::KeyInvalid => bad("KMS.0406", "The tag key has a character that is not allowed."),
        TagFault::KeyTooLong => bad("KMS.0411", "The tag key is too long."),
        TagFault::Limit => bad("KMS.0409", "The key would have too many tags."),
        TagFault::ListEmpty => bad("KMS.0401", "The list of tags is empty."),
        TagFault::ListTooLong => bad("KMS.0407", "The list of tags is too long."),
        TagFault::MatchKeyInvalid => {
            bad("KMS.0403", "A key in matches is not one of those that are allowed.")
        }
        TagFault::MatchValueInvalid => bad("KMS.0402", "A value in matches is invalid."),
        TagFault::NotFound => nested(StatusCode::NOT_FOUND, "KMS.0416", "The key has no such tag."),
        TagFault::OffsetInvalid => bad("KMS.0417", "offset must be a number from 0."),
        TagFault::PageLimitInvalid => bad("KMS.1601", "limit must be a number from 1 to 1000."),
        TagFault::TooManyValues => bad("KMS.0413", "A tag has too many values."),
        TagFault::ValueInvalid => bad("KMS.0405", "The tag value has a character that is not allowed."),
        TagFault::ValueTooLong => bad("KMS.0410", "The tag value is too long."),
    }
}
