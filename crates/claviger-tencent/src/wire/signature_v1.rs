//! Signature v1, `HmacSHA1` and `HmacSHA256`: <https://cloud.tencent.com/document/api/1030/39764>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::Incoming;
use claviger_core::fault::AuthenticationFault;
use claviger_core::{Authority, Caller, Fault, MacKey, Secret};
use hyper::Method;

use super::fresh;
use super::pairs::v1_pairs;

/// Longest signed text: the documented 1 MiB of a v1 POST.
const SOURCE_BYTES: usize = 1 << 20;

/// Who signed.
pub(super) async fn authenticate(authority: &Authority, incoming: &Incoming) -> Result<Caller, Fault> {
    let pairs = v1_pairs(incoming).0;
    let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let missing = || Fault::Authentication(AuthenticationFault::Missing);
    let (secret_id, signature) =
        (find("SecretId").ok_or_else(missing)?, find("Signature").ok_or_else(missing)?);
    let malformed = || Fault::Authentication(AuthenticationFault::Malformed);
    // A common parameter given twice would be signed once and used once, and not the same one.
    let twice =
        pairs.iter().enumerate().any(|(at, (key, _))| pairs.iter().take(at).any(|(had, _)| had == key));
    if twice || pairs.iter().map(|(key, value)| key.len() + value.len() + 2).sum::<usize>() > SOURCE_BYTES {
        return Err(malformed());
    }
    let unknown = || Fault::Authentication(AuthenticationFault::KeyUnknown);
    let key = authority.access_key(secret_id).await?.ok_or_else(unknown)?;
    fresh(authority, find("Timestamp"))?;
    let mismatch = || Fault::Authentication(AuthenticationFault::SignatureMismatch);
    let presented = BASE64.decode(signature).map_err(|_| mismatch())?;
    let (scope, derive): (&str, fn(&Secret) -> MacKey) = match find("SignatureMethod") {
        // Revealed to prepare the HMAC.
        Some("HmacSHA256") => ("v1/HmacSHA256", |secret| MacKey::sha256(secret.reveal())),
        _ => ("v1/HmacSHA1", |secret| MacKey::sha1(secret.reveal())),
    };
    let path = incoming.path();
    let paths = std::iter::once("/").chain((path != "/").then_some(path));
    let hosts = hosts(incoming);
    let proof = paths.flat_map(|path| hosts.iter().map(move |host| (host, path))).find_map(|(host, path)| {
        let source = source(&incoming.method, host, path, &pairs);
        key.prove(scope, derive, &[source.as_bytes()], &presented).ok()
    });
    let caller = authority.caller(proof.ok_or_else(mismatch)?).await?;
    // Temporary credentials are not issued yet: no token is known.
    if find("Token").is_some_and(|token| !token.is_empty()) {
        return Err(AuthenticationFault::TokenInvalid.into());
    }
    Ok(caller)
}

/// The host as it was sent, and without its port.
fn hosts(incoming: &Incoming) -> Vec<String> {
    let host = incoming.header("host").unwrap_or_default().to_owned();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            let name = name.to_owned();
            vec![host, name]
        }
        _ => vec![host],
    }
}

/// The signed text: all parameters but the signature, values decoded, sorted by name.
fn source(method: &Method, host: &str, path: &str, pairs: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = pairs.iter().filter(|(key, _)| key != "Signature").collect();
    pairs.sort();
    let mut text = format!("{method}{host}{path}?");
    for (at, (key, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pairs::Pairs;

    /// The vendor's published vectors and our own.
    #[test]
    fn vectors() {
        let key = b"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
        let cvm = "Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Limit=20&Nonce=11886&Offset=0&Region=ap-guangzhou&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Timestamp=1465185768&Version=2017-03-12&Signature=x";
        let kms = "Version=2019-01-18&Action=GenerateRandom&Nonce=11886&NumberOfBytes=16&Region=ap-guangzhou&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&SignatureMethod=HmacSHA256&Timestamp=1700000000";
        let sha1 = MacKey::sha1(key);
        let sha256 = MacKey::sha256(key);
        for (method, host, query, mac, expected) in [
            (Method::GET, "cvm.tencentcloudapi.com", cvm.to_owned(), &sha1, "EliP9YW3pW28FpsEdkXt/+WcGeI="),
            (
                Method::GET,
                "cvm.tencentcloudapi.com",
                format!("{cvm}&SignatureMethod=HmacSHA256"),
                &sha256,
                "A8uy2/o7WBZXYCTWEFpMrVGhGBVlEGIOioeqRM+fzFs=",
            ),
            (
                Method::POST,
                "kms.tencentcloudapi.com",
                kms.to_owned(),
                &sha256,
                "ZoAmJiOhjpsJxkOcG3QYoLGmfl05QZXhx4R/B9BzMlU=",
            ),
        ] {
            let pairs = Pairs::decode(&query).expect("well-formed");
            let source = source(&method, host, "/", &pairs.0);
            assert_eq!(BASE64.encode(&*mac.sign(&[source.as_bytes()])), expected, "{source}");
        }
    }
}
