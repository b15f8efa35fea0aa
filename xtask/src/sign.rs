//! Requests signed the way the two clouds' clients sign them, rendered as the bytes of an HTTP/1.1 request.
//!
//! Kept apart from the product's verifiers on purpose: two implementations of one recipe check each other.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// An access key: its id and its secret.
#[derive(Clone, Debug)]
pub struct Pair {
    pub id: String,
    pub secret: String,
}

/// One Tencent API call, signed with `TC3-HMAC-SHA256` as a POST with a JSON body.
pub struct Tencent<'a> {
    pub pair: &'a Pair,
    pub host: &'a str,
    pub service: &'a str,
    pub action: &'a str,
    pub body: &'a str,
}

impl Tencent<'_> {
    /// The whole request, stamped with that time in Unix seconds.
    pub fn render(&self, now: i64) -> Vec<u8> {
        let Self { pair, host, service, action, body } = *self;
        let content_type = "application/json";
        let (scope, signature) = self.signature(now, content_type);
        let version = match service {
            "cam" => "2019-01-16",
            "kms" => "2019-01-18",
            _ => "2018-08-13",
        };
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nX-TC-Action: {action}\r\n\
             X-TC-Version: {version}\r\nX-TC-Timestamp: {now}\r\nX-TC-Region: ap-guangzhou\r\n\
             Authorization: TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=content-type;host, \
             Signature={signature}\r\nContent-Length: {length}\r\n\r\n{body}",
            id = pair.id,
            length = body.len(),
        )
        .into_bytes()
    }

    /// The credential scope and the signature in hex.
    fn signature(&self, now: i64, content_type: &str) -> (String, String) {
        let Self { pair, host, service, body, .. } = *self;
        let date = strftime(now, "%Y-%m-%d");
        let scope = format!("{date}/{service}/tc3_request");
        let canonical = format!(
            "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\ncontent-type;host\n{}",
            sha256(body.as_bytes())
        );
        let to_sign = format!("TC3-HMAC-SHA256\n{now}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let mut key = hmac(format!("TC3{}", pair.secret).as_bytes(), &date);
        for part in [service, "tc3_request"] {
            key = hmac(&key, part);
        }
        (scope, hex::encode(hmac(&key, &to_sign)))
    }
}

/// One Huawei API call, signed with `SDK-HMAC-SHA256`. The path holds nothing that would have to be encoded.
pub struct Huawei<'a> {
    pub pair: &'a Pair,
    pub host: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub body: &'a str,
}

impl Huawei<'_> {
    /// The whole request, stamped with that time in Unix seconds.
    pub fn render(&self, now: i64) -> Vec<u8> {
        let Self { pair, host, method, path, body } = *self;
        let date = strftime(now, "%Y%m%dT%H%M%SZ");
        let headers = [("content-type", "application/json"), ("host", host), ("x-sdk-date", &date)];
        let (signed, signature) = self.signature(&headers, &date);
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Sdk-Date: {date}\r\n\
             Authorization: SDK-HMAC-SHA256 Access={id}, SignedHeaders={signed}, Signature={signature}\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            id = pair.id,
            length = body.len(),
        )
        .into_bytes()
    }

    /// The list of signed headers and the signature in hex.
    fn signature(&self, headers: &[(&str, &str)], date: &str) -> (String, String) {
        let Self { pair, method, path, body, .. } = *self;
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let signed = names.join(";");
        let lines = headers.iter().fold(String::new(), |mut text, (name, value)| {
            writeln!(text, "{name}:{value}").expect("writing to a String cannot fail");
            text
        });
        let canonical = format!("{method}\n{path}/\n\n{lines}\n{signed}\n{}", sha256(body.as_bytes()));
        let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256(canonical.as_bytes()));
        (signed, hex::encode(hmac(pair.secret.as_bytes(), &to_sign)))
    }
}

fn strftime(now: i64, format: &str) -> String {
    Timestamp::from_second(now).expect("a time of this century").strftime(format).to_string()
}

fn sha256(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{Huawei, Pair, Tencent};

    fn pair(id: &str, secret: &str) -> Pair {
        Pair { id: id.into(), secret: secret.into() }
    }

    /// The published example of the TC3 documentation.
    #[test]
    fn tencent_vector() {
        let pair = pair("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE");
        let request = Tencent {
            pair: &pair,
            host: "cvm.tencentcloudapi.com",
            service: "cvm",
            action: "DescribeInstances",
            body: r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#,
        };
        let (scope, signature) = request.signature(1_551_113_065, "application/json; charset=utf-8");
        assert_eq!(scope, "2019-02-25/cvm/tc3_request");
        assert_eq!(signature, "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168");
    }

    /// The same with the KMS request that this project began with.
    #[test]
    fn tencent_kms_vector() {
        let pair = pair("id", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE");
        let request = Tencent {
            pair: &pair,
            host: "kms.tencentcloudapi.com",
            service: "kms",
            action: "BindCloudResource",
            body: r#"{"KeyId": "23e80852-1e38-11e9-b129-5cb9019b4b01", "ProductId": "ssm", "ResourceId": "resourceId"}"#,
        };
        let (_, signature) = request.signature(1_700_000_000, "application/json");
        assert_eq!(signature, "cee4861462e7f3a0f384da814ec922433bff149e963191cc7baf0b0e3290f63c");
    }

    /// What Huawei's Python SDK makes of the first tag request.
    #[test]
    fn huawei_vector() {
        let pair = pair("CLAVIGERTESTAK000001", "clavigerTestSecretKey0123456789abcdefABCD");
        let project = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        let request = Huawei {
            pair: &pair,
            host: "127.0.0.1:8443",
            method: "POST",
            path: &format!("/v1.0/{project}/kms/0d0466b0-e727-4d9c-b35d-f84bb474a37f/tags"),
            body: r#"{"tag": {"key": "DEV", "value": "DEV1"}}"#,
        };
        let date = "20260102T030405Z";
        let headers = [
            ("content-type", "application/json;charset=utf-8"),
            ("host", "127.0.0.1:8443"),
            ("user-agent", "huaweicloud-usdk-python/3.0"),
            ("x-project-id", project),
            ("x-sdk-date", date),
        ];
        let (signed, signature) = request.signature(&headers, date);
        assert_eq!(signed, "content-type;host;user-agent;x-project-id;x-sdk-date");
        assert_eq!(signature, "71a66a6327153abfb51de89a8db1a378a110566a89e20da2201a2dbe8f0aa063");
    }

    #[test]
    fn a_request_is_complete() {
        let pair = pair("id", "secret");
        let request = Huawei { pair: &pair, host: "h:1", method: "GET", path: "/x", body: "{}" };
        let text = String::from_utf8(request.render(1_700_000_000)).expect("text");
        assert!(text.starts_with("GET /x HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(text.contains("X-Sdk-Date: 20231114T221320Z\r\n"));
        assert!(text.ends_with("Content-Length: 2\r\n\r\n{}"));
    }
}
