//! `EncryptData`: encrypts up to 4096 bytes of text under a key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::bound::Bound;
use crate::kms::crypto;
use crate::kms::parameter::{GivenKey, Sequence, body, symmetric};

pub(super) const ACTION: Action = crypto(
    "EncryptData",
    Permission::Encrypt,
    "https://support.huaweicloud.com/intl/en-us/api-dew/EncryptData.html",
);

#[derive(Debug, Deserialize)]
struct Ask {
    key_id: GivenKey,
    plain_text: String,
    encryption_algorithm: Option<String>,
    additional_authenticated_data: Option<String>,
    encryption_context: Option<BTreeMap<String, String>>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[derive(Debug, Serialize)]
struct Encrypted {
    key_id: String,
    cipher_text: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    let bound = Bound::parse(ask.additional_authenticated_data, ask.encryption_context)?;
    let key = cx.key(ask.key_id.0).await?;
    symmetric(ask.encryption_algorithm.as_deref())?;
    let blob = key.encrypt(cx, bound.context(), ask.plain_text.as_bytes())?;
    Ok(Reply::json(&Encrypted { key_id: ask.key_id.0.to_string(), cipher_text: BASE64.encode(blob) }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::kms::states;
    use crate::testing::{Ask, World, check};

    fn ask(text: &str) -> Ask {
        Ask::kms("encrypt-data", json!({"key_id": "{key}", "plain_text": text}))
    }

    #[test]
    fn golden() {
        check("kms.EncryptData", &[ask("hello").keep("blob", "/cipher_text"), ask("")]);
    }

    #[test]
    fn every_state() {
        let body = json!({"plain_text": "x"});
        states::check("encrypt-data", &body, ["200", "400 KMS.0209", "400 KMS.0210", "400 KMS.0209"]);
    }

    #[test]
    fn texts_of_one_to_4096_bytes() {
        let algorithm = |name: &str| {
            let body = json!({"key_id": "{key}", "plain_text": "x", "encryption_algorithm": name});
            Ask::kms("encrypt-data", body)
        };
        World::new().outcomes([
            (ask("x"), "200"),
            (ask(&"x".repeat(4096)), "200"),
            (ask(&"x".repeat(4097)), "400 KMS.2101"),
            (ask(&"密".repeat(1365)), "200"),
            (ask(&"密".repeat(1366)), "400 KMS.2101"),
            (ask(""), "400 KMS.2101"),
            (Ask::kms("encrypt-data", json!({"key_id": "{key}"})), "400 KMS.0204"),
            (algorithm("SYMMETRIC_DEFAULT"), "200"),
            (algorithm(""), "200"),
            (algorithm("RSAES_OAEP_SHA_256"), "400 KMS.2105"),
            (ask("x").signed_by("alice"), "403 KMS.0306"),
        ]);
    }

    #[test]
    fn ciphertexts_have_the_documented_length_and_differ() {
        let mut world = World::new();
        for length in [1, 16, 4096] {
            let mut blob = || {
                let json = world.send(&ask(&"x".repeat(length))).json();
                json.pointer("/cipher_text").and_then(Value::as_str).expect("a ciphertext").to_owned()
            };
            let (one, other) = (blob(), blob());
            assert!((128..=5648).contains(&one.len()), "{length} bytes became {}", one.len());
            assert_ne!(one, other);
        }
    }
}
