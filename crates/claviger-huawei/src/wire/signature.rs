//! Verifying signed requests: `SDK-HMAC-SHA256` and `V11-HMAC-SHA256`.

use std::borrow::Cow;
use std::sync::Arc;

use claviger_api::Incoming;
use claviger_core::fault::AuthenticationFault;
use claviger_core::{
    Authority, Fault, LoadedAccessKey, MacKey, Moment, Proof, Secret, hex_lower, hkdf_sha256,
};

use crate::wire::authorization::{Authorization, Scheme};
use crate::wire::canonical::{hashes, once};

/// How far the time in a request may be from ours.
pub(crate) const WINDOW_SECONDS: u64 = 15 * 60;
/// As long as the secrets of access keys usually are.
const NOBODYS_SECRET_BYTES: usize = 40;

/// A request whose signature was right.
#[derive(Debug)]
pub(crate) struct Signed {
    /// Who signed.
    pub(crate) proof: Proof,
    /// Whether `X-Project-Id` is under the signature.
    pub(crate) project_is_signed: bool,
}

/// Verifies the signature of a request to a service, named as actions name it. An access key that is unknown is answered like a signature that does not match, and
/// is verified against a key that nobody has, so that neither the answer nor its cost says which ids exist.
pub(crate) async fn verify(
    authority: &Authority,
    request: &Incoming,
    service: &str,
    window_seconds: u64,
) -> Result<Signed, Fault> {
    let malformed = || Fault::Authentication(AuthenticationFault::Malformed);
    let header = once(&request.headers, "authorization")?.ok_or_else(malformed)?;
    let authorization = Authorization::parse(std::str::from_utf8(header).map_err(|_| malformed())?)?;
    let date = date(request, window_seconds)?;
    let hashes = hashes(request, &authorization)?;
    // Temporary credentials are not issued here: a security token belongs to none of our access keys.
    if once(&request.headers, "x-security-token")?.is_some_and(|token| !token.is_empty()) {
        return Err(AuthenticationFault::KeyUnknown.into());
    }
    if !authorization.scheme.is_for(service) {
        return Err(malformed());
    }
    if let Scheme::Derived { info } = authorization.scheme
        && info.split('/').next() != date.split('T').next()
    {
        return Err(malformed());
    }
    let proof = match authority.access_key(authorization.access_key).await? {
        Some(key) => prove(&key, &authorization, date, &hashes)?,
        None => return Err(prove_nobody(&authorization, date, &hashes)),
    };
    Ok(Signed { proof, project_is_signed: authorization.signs("x-project-id") })
}

fn prove(
    key: &Arc<LoadedAccessKey>,
    authorization: &Authorization<'_>,
    date: &str,
    hashes: &[String],
) -> Result<Proof, Fault> {
    let scheme = authorization.scheme;
    let kept_as = kept_as(scheme);
    let derive = |secret: &Secret| signing_key(secret, authorization.access_key, scheme);
    let mut outcome = Err(Fault::Authentication(AuthenticationFault::SignatureMismatch));
    for hash in hashes {
        outcome = key.prove(&kept_as, derive, &message(scheme, date, hash), &authorization.signature);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Does what verifying a wrong signature does.
fn prove_nobody(authorization: &Authorization<'_>, date: &str, hashes: &[String]) -> Fault {
    let scheme = authorization.scheme;
    let key = signing_key(&Secret::new(vec![0; NOBODYS_SECRET_BYTES]), authorization.access_key, scheme);
    for hash in hashes {
        std::hint::black_box(key.verify(&message(scheme, date, hash), &authorization.signature));
    }
    AuthenticationFault::KeyUnknown.into()
}

/// What is signed: the scheme, the time, the scope of a derived key, and the hash of the canonical request.
fn message<'a>(scheme: Scheme<'a>, date: &'a str, hash: &'a str) -> [&'a [u8]; 7] {
    let (info, end): (&str, &[u8]) = match scheme {
        Scheme::Derived { info } => (info, b"\n"),
        Scheme::Direct => ("", b""),
    };
    [scheme.name().as_bytes(), b"\n", date.as_bytes(), b"\n", info.as_bytes(), end, hash.as_bytes()]
}

/// The key that signs. A derived one is the hex text of what comes out of the derivation, not its bytes.
fn signing_key(secret: &Secret, access_key: &str, scheme: Scheme<'_>) -> MacKey {
    // Revealed to become a key; both kinds stay inside the crypto crate's type.
    let secret = secret.reveal();
    match scheme {
        Scheme::Derived { info } => {
            let derived = hkdf_sha256(secret, access_key.as_bytes(), info.as_bytes(), 32);
            // Revealed for the same reason; the text is wiped with its secret.
            let text = Secret::from(hex_lower(derived.reveal()));
            MacKey::sha256(text.reveal())
        }
        Scheme::Direct => MacKey::sha256(secret),
    }
}

/// Under which name a signing key is kept with its access key. Other dialects keep theirs in the same place.
fn kept_as(scheme: Scheme<'_>) -> Cow<'static, str> {
    match scheme {
        Scheme::Derived { info } => Cow::Owned(format!("V11-HMAC-SHA256/{info}")),
        Scheme::Direct => Cow::Borrowed("SDK-HMAC-SHA256"),
    }
}

/// The time of the request, if it is near ours.
fn date(request: &Incoming, window_seconds: u64) -> Result<&str, Fault> {
    let skewed = || Fault::Authentication(AuthenticationFault::Skewed);
    let text = once(&request.headers, "x-sdk-date")?.and_then(|date| std::str::from_utf8(date).ok());
    let text = text.map(str::trim).ok_or_else(skewed)?;
    let at = parse_date(text).ok_or_else(skewed)?;
    if at.seconds().abs_diff(request.received.seconds()) > window_seconds {
        return Err(skewed());
    }
    Ok(text)
}

/// Reads `YYYYMMDDTHHMMSSZ`.
fn parse_date(text: &str) -> Option<Moment> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 6) {
        return None;
    }
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(at.as_second()).ok().map(Moment::from_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_strictly() {
        for (text, expected) in [
            ("20260102T030405Z", Some(1_767_323_045)),
            ("19700101T000000Z", Some(0)),
            ("20260102T030405", None),
            ("20261302T030405Z", None),
            ("2026010T0304055Z", None),
            ("20260102 030405Z", None),
            ("+0260102T030405Z", None),
            // A leap second is the one before it.
            ("20260102T030460Z", Some(1_767_323_099)),
            ("", None),
        ] {
            assert_eq!(parse_date(text).map(Moment::seconds), expected, "{text}");
        }
    }

    #[test]
    fn derived_keys_sign_what_the_vector_says() {
        let (access_key, secret) = ("CLAVIGERTESTAK000001", "clavigerTestSecretKey0123456789abcdefABCD");
        let hash = "f2fd92f012de315ec7b2a0b046acbefc38da6f1ba3be93a1e4ff8aed4a736f86";
        for (scheme, expected) in [
            (Scheme::Direct, "71a66a6327153abfb51de89a8db1a378a110566a89e20da2201a2dbe8f0aa063"),
            (
                Scheme::Derived { info: "20260102/cn-north-4/kms" },
                "4a0a71d676193c7d6c43b01dc402b6748f7f7c3e66df4cc1f9873d02ddc0caee",
            ),
        ] {
            let key = signing_key(&Secret::from(secret.to_owned()), access_key, scheme);
            let tag = key.sign(&message(scheme, "20260102T030405Z", hash));
            assert_eq!(hex_lower(&tag), expected, "{scheme:?}");
        }
    }
}
