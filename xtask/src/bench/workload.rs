//! What the load consists of: the requests, and which answers count.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::PLAINTEXT_BYTES;
use crate::clock::unix_seconds;
use crate::http::Answer;
use crate::sign::{Huawei, Pair, Tencent};

/// One kind of request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Workload {
    /// Tencent `BindCloudResource`, a new resource each time: a durable write.
    Bind,
    /// Huawei encrypt-data.
    HuaweiEncrypt,
    /// Huawei add tag, a new value each time: a durable write.
    Tag,
    /// Tencent Encrypt.
    TencentEncrypt,
}

impl Workload {
    pub fn title(self) -> &'static str {
        match self {
            Self::Bind => "Tencent BindCloudResource",
            Self::HuaweiEncrypt => "Huawei encrypt-data",
            Self::Tag => "Huawei add tag",
            Self::TencentEncrypt => "Tencent Encrypt",
        }
    }

    /// Whether sending the same request twice does the same work twice. If not, every request is made anew.
    pub fn repeats(self) -> bool {
        matches!(self, Self::HuaweiEncrypt | Self::TencentEncrypt)
    }
}

/// Everything a request is made of.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Material {
    /// The `Host` header.
    pub host: String,
    pub access_key: String,
    pub secret: String,
    pub project_id: String,
    pub keys: Vec<String>,
    /// Makes resources and values unlike those of another round.
    pub round: usize,
}

impl Material {
    /// Request number `n`, signed now.
    pub fn request(&self, workload: Workload, n: u64) -> Vec<u8> {
        let pair = Pair { id: self.access_key.clone(), secret: self.secret.clone() };
        let index = usize::try_from(n).unwrap_or(0) % self.keys.len().max(1);
        let key = self.keys.get(index).map_or("", String::as_str);
        let tencent = |action, body: serde_json::Value| {
            let body = body.to_string();
            Tencent { pair: &pair, host: &self.host, service: "kms", action, body: &body }
                .render(unix_seconds())
        };
        let huawei = |tail: &str, body: serde_json::Value| {
            let (path, body) = (format!("/v1.0/{}/kms/{tail}", self.project_id), body.to_string());
            Huawei { pair: &pair, host: &self.host, method: "POST", path: &path, body: &body }
                .render(unix_seconds())
        };
        let plaintext = format!("{n:0PLAINTEXT_BYTES$}");
        let unique = format!("{}-{n}", self.round);
        match workload {
            Workload::Bind => tencent(
                "BindCloudResource",
                json!({"KeyId": key, "ProductId": "bench", "ResourceId": unique}),
            ),
            Workload::HuaweiEncrypt => {
                huawei("encrypt-data", json!({"key_id": key, "plain_text": plaintext}))
            }
            Workload::Tag => {
                huawei(&format!("{key}/tags"), json!({"tag": {"key": "bench", "value": unique}}))
            }
            Workload::TencentEncrypt => {
                tencent("Encrypt", json!({"KeyId": key, "Plaintext": STANDARD.encode(plaintext)}))
            }
        }
    }
}

/// Whether that is success in either dialect: Tencent answers 200 to everything.
pub fn succeeded(answer: &Answer) -> bool {
    let error = b"\"Error\":";
    match answer.status {
        200 => !answer.body.windows(error.len()).any(|window| window == error),
        204 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Material, Workload, succeeded};
    use crate::http::Answer;

    #[test]
    fn tencent_errors_hide_behind_200() {
        let answer = |status, body: &str| Answer { status, body: body.into() };
        assert!(succeeded(&answer(200, r#"{"Response":{"RequestId":"x"}}"#)));
        assert!(succeeded(&answer(204, "")));
        assert!(!succeeded(&answer(200, r#"{"Response":{"Error":{"Code":"x"}}}"#)));
        assert!(!succeeded(&answer(429, "{}")));
    }

    #[test]
    fn writes_differ_and_keys_take_turns() {
        let material = Material {
            host: "h".into(),
            access_key: "a".into(),
            secret: "s".into(),
            project_id: "p".into(),
            keys: vec!["first".into(), "second".into()],
            round: 3,
        };
        let text = |n| String::from_utf8(material.request(Workload::Bind, n)).expect("text");
        assert!(text(0).contains("first") && text(1).contains("second") && text(2).contains("first"));
        assert!(text(0).contains("\"3-0\"") && text(2).contains("\"3-2\""));
    }
}
