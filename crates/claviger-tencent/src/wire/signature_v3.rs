//! Signature v3, `TC3-HMAC-SHA256`: <https://cloud.tencent.com/document/api/1030/39763>.

use claviger_api::Incoming;
use claviger_core::fault::AuthenticationFault;
use claviger_core::{Authority, Caller, Fault, MacKey, Proof, Secret, sha256_hex};
use hyper::Method;

use super::address::first_label;
use super::{StrictScope, fresh};

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Most headers that a signature may cover.
const MOST_SIGNED: usize = 32;
/// Longest credential scope, in bytes.
const SCOPE_BYTES: usize = 128;

/// The parts of an `Authorization` header.
#[derive(Debug)]
struct Authorization<'a> {
    secret_id: &'a str,
    /// `date/service/tc3_request`
    scope: &'a str,
    date: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: [u8; 32],
}

/// Who signed.
pub(super) async fn authenticate(
    authority: &Authority,
    incoming: &Incoming,
    service: &'static str,
    strict: StrictScope,
) -> Result<Caller, Fault> {
    let malformed = || Fault::Authentication(AuthenticationFault::Malformed);
    let header = incoming.header("authorization").ok_or_else(malformed)?;
    let authorization = Authorization::parse(header).ok_or_else(malformed)?;
    let unknown = || Fault::Authentication(AuthenticationFault::KeyUnknown);
    let key = authority.access_key(authorization.secret_id).await?.ok_or_else(unknown)?;
    let timestamp = incoming.header("x-tc-timestamp").unwrap_or_default();
    let moment = fresh(authority, Some(timestamp))?;
    let mismatch = || Fault::Authentication(AuthenticationFault::SignatureMismatch);
    let date = moment.timestamp().strftime("%Y-%m-%d").to_string();
    if authorization.date != date || !authorization.is_for(service, incoming, strict) {
        return Err(mismatch());
    }
    let prove = |canonical: &[u8]| -> Result<Proof, Fault> {
        let hash = sha256_hex(canonical);
        let message: [&[u8]; 7] = [
            ALGORITHM.as_bytes(),
            b"\n",
            timestamp.as_bytes(),
            b"\n",
            authorization.scope.as_bytes(),
            b"\n",
            hash.as_bytes(),
        ];
        key.prove(
            authorization.scope,
            |secret| signing_key(secret, &authorization),
            &message,
            &authorization.signature,
        )
    };
    let proof = candidates(incoming, &authorization).find_map(|canonical| prove(&canonical?).ok());
    let caller = authority.caller(proof.ok_or_else(mismatch)?).await?;
    // Temporary credentials are not issued yet: no token is known.
    if incoming.header("x-tc-token").is_some_and(|token| !token.is_empty()) {
        return Err(AuthenticationFault::TokenInvalid.into());
    }
    Ok(caller)
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let (secret_id, scope) = credential?.split_once('/')?;
        if scope.len() > SCOPE_BYTES {
            return None;
        }
        let mut parts = scope.split('/');
        let (date, service) = (parts.next()?, parts.next()?);
        if parts.next()? != "tc3_request" || parts.next().is_some() || secret_id.is_empty() {
            return None;
        }
        let signed_headers = signed_headers?;
        let names = signed_headers.split(';');
        // What a request is and where it goes must be signed.
        let binds = ["content-type", "host"].iter().all(|must| names.clone().any(|name| name == *must));
        if !binds || names.count() > MOST_SIGNED {
            return None;
        }
        let signature = unhex(signature?)?;
        Some(Self { secret_id, scope, date, service, signed_headers, signature })
    }

    fn is_for(&self, service: &str, incoming: &Incoming, strict: StrictScope) -> bool {
        if self.service == service {
            return true;
        }
        let host = incoming.header("host").unwrap_or_default();
        let label = first_label(host);
        let portless = label.split(':').next().unwrap_or_default();
        strict == StrictScope::Relaxed
            && !label.is_empty()
            && (self.service == label || self.service == portless)
    }
}

fn signing_key(secret: &Secret, authorization: &Authorization<'_>) -> MacKey {
    let mut first = b"TC3".to_vec();
    // Revealed to derive the day's signing key; the copy is wiped with its `Secret`.
    first.extend_from_slice(secret.reveal());
    let first = Secret::new(first);
    let date = MacKey::sha256(first.reveal()).sign(&[authorization.date.as_bytes()]);
    let service = MacKey::sha256(&date).sign(&[authorization.service.as_bytes()]);
    MacKey::sha256(&MacKey::sha256(&service).sign(&[b"tc3_request"]))
}

/// The canonical requests that the official clients sign for one and the same request: the host with its port or without, the
/// path as `/` or as sent, header values in lower case or as sent. The usual one comes first.
fn candidates<'a>(
    incoming: &'a Incoming,
    authorization: &'a Authorization<'a>,
) -> impl Iterator<Item = Option<Vec<u8>>> + 'a {
    let host = incoming.header_bytes("host").unwrap_or_default();
    let portless = host.iter().rposition(|&b| b == b':').and_then(|at| host.get(..at)).filter(|h| *h != host);
    let path = incoming.path();
    let hash = payload_hash(incoming);
    let hosts = std::iter::once(host)
        .chain(portless.filter(|host| !host.ends_with(b"http") && !host.ends_with(b"https")));
    hosts.flat_map(move |host| {
        let paths = std::iter::once("/").chain((path != "/").then_some(path));
        let hash = hash.clone();
        paths.flat_map(move |path| {
            let hash = hash.clone();
            [Case::Lower, Case::Kept]
                .into_iter()
                .map(move |case| canonical(incoming, authorization.signed_headers, host, path, case, &hash))
        })
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Kept,
}

/// `None` if a signed header is not there.
fn canonical(
    incoming: &Incoming,
    signed_headers: &str,
    host: &[u8],
    path: &str,
    case: Case,
    payload_hash: &str,
) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(incoming.method.as_str().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(path.as_bytes());
    text.push(b'\n');
    if incoming.method == Method::GET {
        text.extend_from_slice(incoming.query().as_bytes());
    }
    text.push(b'\n');
    for name in signed_headers.split(';') {
        let value = if name == "host" { host } else { incoming.header_bytes(name)? };
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        let at = text.len();
        text.extend_from_slice(value.trim_ascii());
        if case == Case::Lower {
            text.get_mut(at..)?.make_ascii_lowercase();
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    Some(text)
}

fn payload_hash(incoming: &Incoming) -> String {
    let unsigned = incoming.header("x-tc-content-sha256") == Some(UNSIGNED);
    let payload: &[u8] = if unsigned {
        UNSIGNED.as_bytes()
    } else if incoming.method == Method::GET {
        b""
    } else {
        &incoming.body
    };
    sha256_hex(payload).to_string()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::incoming;

    const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

    /// Method, target, host, content type, body, time, service, signed headers, secret, payload header, signature.
    type Vector<'a> = (
        &'a str,
        &'a str,
        &'a str,
        &'a str,
        &'a str,
        u64,
        &'a str,
        &'a str,
        &'a str,
        Option<&'a str>,
        &'a str,
    );

    /// The vendor's published vectors and our own, through the same canonicalisation and key derivation as requests take.
    #[test]
    fn vectors() {
        let json = "application/json; charset=utf-8";
        let form = "application/x-www-form-urlencoded";
        let stars = "*".repeat(32);
        let cvm = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let bind = r#"{"KeyId": "23e80852-1e38-11e9-b129-5cb9019b4b01", "ProductId": "ssm", "ResourceId": "resourceId"}"#;
        let both = "content-type;host";
        let rows: [Vector<'_>; 5] = [
            (
                "POST",
                "/",
                "cvm.tencentcloudapi.com",
                json,
                cvm,
                1_551_113_065,
                "cvm",
                both,
                KEY,
                None,
                "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
            ),
            (
                "POST",
                "/",
                "cvm.tencentcloudapi.com",
                json,
                cvm,
                1_551_113_065,
                "cvm",
                "content-type;host;x-tc-action",
                &stars,
                None,
                "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
            ),
            (
                "GET",
                "/?Limit=10&Offset=0",
                "cvm.tencentcloudapi.com",
                form,
                "",
                1_539_084_154,
                "cvm",
                both,
                KEY,
                None,
                "5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474",
            ),
            (
                "POST",
                "/",
                "kms.tencentcloudapi.com",
                "application/json",
                bind,
                1_700_000_000,
                "kms",
                both,
                KEY,
                None,
                "cee4861462e7f3a0f384da814ec922433bff149e963191cc7baf0b0e3290f63c",
            ),
            (
                "POST",
                "/",
                "kms.tencentcloudapi.com",
                "application/json",
                bind,
                1_700_000_000,
                "kms",
                both,
                KEY,
                Some(UNSIGNED),
                "9ec1a317fb4b8677806cd55c5aa9dba2bbf4cdfebf861fd071393214f0d2c0e2",
            ),
        ];
        for (method, target, host, content_type, body, time, service, signed, key, sha, expected) in rows {
            let mut headers =
                vec![("host", host), ("content-type", content_type), ("x-tc-action", "DescribeInstances")];
            headers.extend(sha.map(|sha| ("x-tc-content-sha256", sha)));
            let incoming = incoming(method, target, &headers, body);
            let date = claviger_core::Moment::from_seconds(time).timestamp().strftime("%Y-%m-%d").to_string();
            let header = format!(
                "{ALGORITHM} Credential=AKID/{date}/{service}/tc3_request, SignedHeaders={signed}, Signature={expected}"
            );
            let authorization = Authorization::parse(&header).expect("a good header");
            let mac = signing_key(&Secret::from(key.to_owned()), &authorization);
            let canonical =
                candidates(&incoming, &authorization).next().flatten().expect("all headers are there");
            let hash = sha256_hex(&canonical);
            let time = time.to_string();
            let message: [&[u8]; 7] = [
                ALGORITHM.as_bytes(),
                b"\n",
                time.as_bytes(),
                b"\n",
                authorization.scope.as_bytes(),
                b"\n",
                hash.as_bytes(),
            ];
            assert!(mac.verify(&message, &authorization.signature), "{method} {service} {signed}");
        }
    }

    #[test]
    fn headers_are_parsed_strictly() {
        let signature = "0".repeat(64);
        let good = format!(
            "{ALGORITHM} Credential=AKID/2019-01-01/kms/tc3_request, SignedHeaders=content-type;host, Signature={signature}"
        );
        assert!(Authorization::parse(&good).is_some());
        assert!(Authorization::parse(&good.replace(", ", ",")).is_some());
        for (from, to) in [
            ("TC3-HMAC-SHA256 ", "TC3-HMAC-SHA1 "),
            ("Credential=", "Credentials="),
            ("tc3_request", "tc4_request"),
            ("tc3_request", "tc3_request/more"),
            ("content-type;host", "host"),
            ("content-type;host", "content-type"),
            ("AKID/", "/"),
            ("Signature=0", "Signature="),
            ("Signature=0", "Signature=G"),
            (", Signature=", ", Signature=1, Signature="),
        ] {
            assert!(Authorization::parse(&good.replace(from, to)).is_none(), "{from} -> {to}");
        }
        // `2019-01-01/` and `/tc3_request` take 23 bytes of the scope.
        let scoped = |bytes: usize| good.replace("/kms/", &format!("/{}/", "k".repeat(bytes - 23)));
        assert!(Authorization::parse(&scoped(SCOPE_BYTES)).is_some());
        assert!(Authorization::parse(&scoped(SCOPE_BYTES + 1)).is_none());
    }
}
