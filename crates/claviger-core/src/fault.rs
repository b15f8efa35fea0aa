//! Everything that can go wrong, once, in the domain's words. Each dialect's service translates all of it in one `match`.
//!
//! A variant exists only where a caller could act on the difference. What a fault carries serves the message; nothing is
//! decided by a text.

use std::borrow::Cow;

use crate::permission::Permission;

/// Why a request was refused. Cheap to make; says nothing the caller may not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Access keys.
    AccessKey(AccessKeyFault),
    /// The display name of a key.
    Alias(AliasFault),
    /// Who signed.
    Authentication(AuthenticationFault),
    /// The request's body passes the limit.
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Data in or out of a cipher.
    Cipher(CipherFault),
    /// Another writer was first; the request is tried again, see `serve`.
    Conflict,
    /// A key is used by a service only with the tenant's delegation, which is missing.
    DelegationMissing,
    /// Something of ours failed; whether a change was made is unknown. The cause is in the log.
    Internal,
    /// Customer master keys.
    Key(KeyFault),
    /// Imported key material.
    Material(MaterialFault),
    /// A parameter of the request.
    Parameter(ParameterFault),
    /// The caller may not do this to that.
    PermissionDenied {
        /// What was asked for.
        permission: Permission,
        /// On what, by its whole name; `*` for an operation without a resource.
        resource: String,
    },
    /// Policies and their documents.
    Policy(PolicyFault),
    /// Too many requests of this account for this action.
    RateLimited {
        /// Requests per second that are allowed.
        limit: u32,
    },
    /// Where the request was sent.
    Route(RouteFault),
    /// Tags.
    Tag(TagFault),
    /// We cannot serve now, and nothing was changed. Trying again is right.
    Unavailable,
    /// Users.
    User(UserFault),
}

impl Fault {
    /// Whether it tells something of what is stored, such as that a thing is not there; not of the request alone, nor of us.
    pub const fn is_of_the_store(&self) -> bool {
        match self {
            Self::AccessKey(_)
            | Self::Alias(_)
            | Self::DelegationMissing
            | Self::Key(_)
            | Self::Material(_)
            | Self::PermissionDenied { .. }
            | Self::Policy(_)
            | Self::Tag(_)
            | Self::User(_) => true,
            Self::Authentication(_)
            | Self::BodyTooLarge { .. }
            | Self::Cipher(_)
            | Self::Conflict
            | Self::Internal
            | Self::Parameter(_)
            | Self::RateLimited { .. }
            | Self::Route(_)
            | Self::Unavailable => false,
        }
    }
}

/// Faults of access keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKeyFault {
    /// The user has as many as a user may have.
    Limit,
    /// No such access key.
    NotFound,
    /// It belongs to another user than the one named.
    OfAnotherUser,
    /// A sub-user reached for a key of the root user.
    OfRoot,
}

/// Faults of a key's alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasFault {
    /// Not of the allowed form.
    Invalid,
    /// Another key of the ring has it.
    Taken,
}

/// Faults of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationFault {
    /// No credentials at all.
    Missing,
    /// The credentials cannot be read.
    Malformed,
    /// The access key is unknown, deleted or inactive, or its user is.
    KeyUnknown,
    /// The password, or the user it should belong to, is wrong.
    PasswordWrong,
    /// The signature does not match.
    SignatureMismatch,
    /// The time in the request is too far from ours.
    Skewed,
    /// The token is expired.
    TokenExpired,
    /// The token is not one of ours, or was revoked.
    TokenInvalid,
    /// The token is for another project or account than the one addressed.
    WrongScope,
}

/// Faults around ciphers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CipherFault {
    /// Not a ciphertext of ours.
    CiphertextInvalid,
    /// The encryption context or additional authenticated data is malformed.
    ContextInvalid,
    /// The ciphertext does not open: it was altered, or the context differs.
    DecryptionFailed,
    /// The plaintext is empty, too long or not decodable.
    PlaintextInvalid,
}

/// Faults of customer master keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The deletion is scheduled already.
    AlreadyPendingDeletion,
    /// There is no such binding.
    BindingNotFound,
    /// Too many bindings on one key.
    BindingLimit,
    /// The cluster or store of keys that is named is not known.
    ClusterUnknown,
    /// The window before deletion is out of range.
    DeletionWindowInvalid,
    /// The key is disabled.
    Disabled,
    /// One key is named twice.
    DuplicateId,
    /// The key is bound to a resource or held by a service.
    InUse,
    /// The id is not of the right form.
    MalformedId,
    /// The key is not awaiting material.
    NotAwaitingImport,
    /// The key is not disabled.
    NotDisabled,
    /// The key is not enabled.
    NotEnabled,
    /// The key's material comes from us; it cannot be imported or taken away.
    NotExternal,
    /// No such key in this account and region.
    NotFound,
    /// The deletion is not scheduled.
    NotPendingDeletion,
    /// The origin or type asked for is not one of those there are.
    OriginInvalid,
    /// The key awaits its deletion.
    PendingDeletion,
    /// The key awaits its material.
    PendingImport,
    /// The account has as many keys in this region as it may have.
    Quota,
    /// The key must be disabled first.
    ShouldBeDisabled,
    /// The specification asked for is not one of those there are.
    SpecInvalid,
    /// The key's state forbids this.
    StateForbids,
    /// The usage asked for is not one of those there are, or not with this specification.
    UsageInvalid,
}

/// Faults of imported key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaterialFault {
    /// The expiry asked for is in the past or out of range.
    ExpiryInvalid,
    /// It differs from the material that the key had before.
    Mismatch,
    /// The import token is past its time.
    TokenExpired,
    /// The import token is not one of ours, or is for another key.
    TokenInvalid,
    /// The wrapped material does not open, or has the wrong length.
    Unwrap,
}

/// A parameter that is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFault {
    /// The parameter's name as the caller wrote it; nested ones with dots.
    pub name: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: ParameterProblem,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterProblem {
    /// A required one is absent.
    Missing,
    /// The body as a whole cannot be read.
    Syntax,
    /// It is of another type; the expected one is named.
    Type(&'static str),
    /// There is no such parameter.
    Unknown,
    /// Its value is not one of those that are allowed.
    Value,
}

/// Faults of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// An action in the document is malformed.
    Action,
    /// A statement has no action.
    ActionMissing,
    /// An action in the document is well-formed, but there is none of that name.
    ActionUnknown,
    /// Conditions are not supported yet; they are refused rather than half understood.
    Condition,
    /// The document is not JSON of the right shape.
    Document,
    /// The document is too long.
    DocumentTooLong,
    /// `effect` is neither allow nor deny.
    Effect,
    /// The user has as many policies as a user may have.
    Limit,
    /// The name is malformed.
    NameInvalid,
    /// The name is taken.
    NameTaken,
    /// No such policy.
    NotFound,
    /// A principal does not belong in a user's policy.
    Principal,
    /// A resource in the document is malformed.
    Resource,
    /// The list of statements is malformed.
    Statement,
    /// The language version is not one that is understood.
    Version,
}

/// Faults of addressing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteFault {
    /// The path or action is not known; the name as the caller wrote it, cut to a fit length.
    ActionUnknown(String),
    /// The method is not allowed.
    MethodNotAllowed,
    /// The region is not offered.
    RegionUnknown,
    /// The service is not known.
    ServiceUnknown,
    /// The version of the service is not known.
    VersionUnknown,
}

/// Faults of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagFault {
    /// The operation asked for is not one of those there are.
    ActionInvalid,
    /// A key stands twice in one request.
    DuplicateKey,
    /// A key is empty or blank.
    KeyEmpty,
    /// A key has a character that is not allowed.
    KeyInvalid,
    /// A key is too long.
    KeyTooLong,
    /// More tags than a key may have.
    Limit,
    /// The list of tags is empty.
    ListEmpty,
    /// The list of tags is too long.
    ListTooLong,
    /// A match condition has a key that is not known.
    MatchKeyInvalid,
    /// A match condition has a value that is not allowed.
    MatchValueInvalid,
    /// There is no such tag.
    NotFound,
    /// The offset is not a number, or negative.
    OffsetInvalid,
    /// The limit is not a number in its range.
    PageLimitInvalid,
    /// Too many values for one key of a filter.
    TooManyValues,
    /// A value has a character that is not allowed.
    ValueInvalid,
    /// A value is too long.
    ValueTooLong,
}

/// Faults of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserFault {
    /// The user still has access keys.
    HasAccessKeys,
    /// The account has as many users as it may have.
    Limit,
    /// The name is malformed.
    NameInvalid,
    /// The name is taken.
    NameTaken,
    /// No such user in this account.
    NotFound,
    /// The password is too weak.
    PasswordWeak,
}

impl Fault {
    /// The parameter `name` is absent.
    pub const fn missing(name: &'static str) -> Self {
        Self::Parameter(ParameterFault { name: Cow::Borrowed(name), problem: ParameterProblem::Missing })
    }

    /// The value of the parameter `name` is not allowed.
    pub const fn value(name: &'static str) -> Self {
        Self::Parameter(ParameterFault { name: Cow::Borrowed(name), problem: ParameterProblem::Value })
    }
}

macro_rules! into_fault {
    ($($from:ident => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Fault {
            fn from(fault: $from) -> Self {
                Self::$variant(fault)
            }
        })*
    };
}

into_fault! {
    AccessKeyFault => AccessKey,
    AliasFault => Alias,
    AuthenticationFault => Authentication,
    CipherFault => Cipher,
    KeyFault => Key,
    MaterialFault => Material,
    ParameterFault => Parameter,
    PolicyFault => Policy,
    RouteFault => Route,
    TagFault => Tag,
    UserFault => User,
}

impl From<claviger_store::StoreError> for Fault {
    fn from(error: claviger_store::StoreError) -> Self {
        use claviger_store::StoreError;
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the store is unavailable");
                Self::Unavailable
            }
            error => {
                tracing::error!(%error, "the store failed");
                Self::Internal
            }
        }
    }
}
