//! The `Authorization` header of a signed request, taken apart.

use claviger_core::Fault;
use claviger_core::access_key::ID_BYTES;
use claviger_core::fault::AuthenticationFault;

/// Most headers that one signature covers.
const SIGNED_HEADERS: usize = 64;
/// Longest scope of a derived signing key, in bytes.
const SCOPE_BYTES: usize = 128;

/// Who says they signed, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    /// How.
    pub(crate) scheme: Scheme<'a>,
    /// The id of the access key.
    pub(crate) access_key: &'a str,
    /// The names of the headers that are signed, as they were written.
    pub(crate) signed_headers: &'a str,
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

/// The schemes that are spoken here. Those with SM3 or with elliptic curves are not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme<'a> {
    /// `V11-HMAC-SHA256`: the secret signs through a key derived for a day, a region and a service.
    Derived {
        /// `YYYYMMDD/region/service`.
        info: &'a str,
    },
    /// `SDK-HMAC-SHA256`: the secret signs.
    Direct,
}

impl Scheme<'_> {
    /// Whether its scope is for one of our services, named as actions name it. The region is not asked: a client names its
    /// endpoint's or `globe`, and which of our regions it means is in the path or its project.
    pub(crate) fn is_for(self, service: &str) -> bool {
        match self {
            Self::Derived { info } => {
                info.rsplit('/').next().is_some_and(|named| names_of(service).contains(&named))
            }
            Self::Direct => true,
        }
    }

    /// Its name, as it is signed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Derived { .. } => "V11-HMAC-SHA256",
            Self::Direct => "SDK-HMAC-SHA256",
        }
    }
}

impl<'a> Authorization<'a> {
    /// Takes a header's value apart. Commas with or without spaces separate the fields; each stands once.
    pub(crate) fn parse(value: &'a str) -> Result<Self, Fault> {
        Self::read(value).ok_or(Fault::Authentication(AuthenticationFault::Malformed))
    }

    fn read(value: &'a str) -> Option<Self> {
        let (scheme, fields) = value.trim().split_once(' ')?;
        let (scheme, access_key) = match scheme {
            "SDK-HMAC-SHA256" => (Scheme::Direct, field(fields, "Access")?),
            "V11-HMAC-SHA256" => {
                let (access_key, info) = field(fields, "Credential")?.split_once('/')?;
                let shaped = info.len() <= SCOPE_BYTES
                    && info.split('/').count() == 3
                    && info.split('/').all(|part| !part.is_empty());
                (Scheme::Derived { info: Some(info).filter(|_| shaped)? }, access_key)
            }
            _ => return None,
        };
        let signed_headers = field(fields, "SignedHeaders")?;
        let names = || signed_headers.split(';');
        let signature = hex::decode(field(fields, "Signature")?).ok()?;
        let shaped = (1..=ID_BYTES).contains(&access_key.len())
            && names().count() <= SIGNED_HEADERS
            && names().enumerate().all(|(index, name)| {
                !name.is_empty() && !names().take(index).any(|earlier| earlier.eq_ignore_ascii_case(name))
            });
        shaped.then_some(Self { scheme, access_key, signed_headers, signature })
    }

    /// The names of the headers that are signed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.signed_headers.split(';')
    }

    /// Whether a header is signed.
    pub(crate) fn signs(&self, name: &str) -> bool {
        self.names().any(|signed| signed.eq_ignore_ascii_case(name))
    }
}

/// What clients may call one of our services in a scope. The SDKs bring no name for these services, so the user gives one: the
/// service's own, or that in the name of its host or its SDK.
fn names_of(service: &str) -> &'static [&'static str] {
    match service {
        "codearts" => &["codearts", "codearts-repo", "codeartsrepo", "codehub", "codehub-ext"],
        "iam" => &["iam"],
        "kms" => &["kms"],
        _ => &[],
    }
}

/// The value of the field `name`; none if it is absent or stands twice.
fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let mut found = fields
        .split(',')
        .filter_map(|field| field.trim().split_once('='))
        .filter(|(have, _)| *have == name)
        .map(|(_, value)| value);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_for_a_service() {
        for (info, service, expected) in [
            ("20260102/r/kms", "kms", true),
            ("20260102/globe/iam", "iam", true),
            ("20260102/r/codearts", "codearts", true),
            ("20260102/r/codearts-repo", "codearts", true),
            ("20260102/r/codeartsrepo", "codearts", true),
            ("20260102/r/codehub", "codearts", true),
            ("20260102/r/codehub-ext", "codearts", true),
            ("20260102/r/kms", "iam", false),
            ("20260102/r/kms", "codearts", false),
            ("20260102/r/iam", "kms", false),
            ("20260102/r/KMS", "kms", false),
            ("20260102/kms/obs", "kms", false),
            ("20260102/r/other", "other", false),
        ] {
            assert_eq!(Scheme::Derived { info }.is_for(service), expected, "{info} for {service}");
        }
        assert!(Scheme::Direct.is_for("kms"));
    }

    #[test]
    fn headers_are_taken_apart() {
        let direct = |access_key, signed_headers| {
            Some(Authorization { scheme: Scheme::Direct, access_key, signed_headers, signature: vec![0xab] })
        };
        for (value, expected) in [
            (
                "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=ab",
                direct("AK", "host;x-sdk-date"),
            ),
            ("SDK-HMAC-SHA256 Signature=AB,Access=AK,SignedHeaders=host", direct("AK", "host")),
            (
                "V11-HMAC-SHA256 Credential=AK/20260102/r/kms, SignedHeaders=a, Signature=ab",
                Some(Authorization {
                    scheme: Scheme::Derived { info: "20260102/r/kms" },
                    access_key: "AK",
                    signed_headers: "a",
                    signature: vec![0xab],
                }),
            ),
            ("", None),
            ("Basic YTpi", None),
            ("SDK-HMAC-SHA256", None),
            ("SDK-HMAC-SHA256 nonsense", None),
            ("SDK-HMAC-SM3 Access=AK, SignedHeaders=a, Signature=ab", None),
            ("SDK-ECDSA-P256-SHA256 Access=AK, SignedHeaders=a, Signature=ab", None),
            ("SDK-HMAC-SHA256 Access=, SignedHeaders=a, Signature=ab", None),
            ("SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=ab", None),
            ("SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;A, Signature=ab", None),
            ("SDK-HMAC-SHA256 Access=AK, SignedHeaders=a, Signature=xyz", None),
            ("SDK-HMAC-SHA256 Access=AK, Access=AL, SignedHeaders=a, Signature=ab", None),
            ("V11-HMAC-SHA256 Credential=AK/20260102/r, SignedHeaders=a, Signature=ab", None),
            ("V11-HMAC-SHA256 Credential=AK/20260102//kms, SignedHeaders=a, Signature=ab", None),
            ("V11-HMAC-SHA256 Credential=AK, SignedHeaders=a, Signature=ab", None),
        ] {
            assert_eq!(Authorization::read(value), expected, "{value}");
        }
        let many = |n: usize| {
            let names: Vec<String> = (0..n).map(|i| format!("h{i}")).collect();
            format!("SDK-HMAC-SHA256 Access=A, SignedHeaders={}, Signature=ab", names.join(";"))
        };
        assert!(Authorization::read(&many(SIGNED_HEADERS)).is_some());
        assert!(Authorization::read(&many(SIGNED_HEADERS + 1)).is_none());
    }
}
