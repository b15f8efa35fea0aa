//! `DecryptData`: decrypts what `EncryptData` encrypted.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Action, Reply, Request};
use claviger_core::fault::CipherFault;
use claviger_core::key::cipher::Ciphertext;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::bound::Bound;
use crate::kms::crypto;
use crate::kms::parameter::{GivenKey, Sequence, body, symmetric};

pub(super) const ACTION: Action = crypto(
    "DecryptData",
    Permission::Decrypt,
    "https://support.huaweicloud.com/intl/en-us/api-dew/DecryptData.html",
);

/// Shortest and longest ciphertext, in characters of Base64.
const CIPHERTEXT_CHARS: std::ops::RangeInclusive<usize> = 128..=5648;

#[derive(Debug, Deserialize)]
struct Ask {
    cipher_text: String,
    key_id: Option<GivenKey>,
    encryption_algorithm: Option<String>,
    additional_authenticated_data: Option<String>,
    encryption_context: Option<BTreeMap<String, String>>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[derive(Debug, Serialize)]
struct Decrypted<'a> {
    key_id: String,
    plain_text: &'a str,
    plain_text_base64: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    let bound = Bound::parse(ask.additional_authenticated_data, ask.encryption_context)?;
    symmetric(ask.encryption_algorithm.as_deref())?;
    let invalid = || Fault::Cipher(CipherFault::CiphertextInvalid);
    let fits = CIPHERTEXT_CHARS.contains(&ask.cipher_text.len());
    let blob = BASE64.decode(&ask.cipher_text).ok().filter(|_| fits).ok_or_else(invalid)?;
    let blob = Ciphertext::parse(&blob)?;
    if ask.key_id.is_some_and(|named| named.0 != blob.key_id()) {
        return Err(invalid());
    }
    let key = cx.key(blob.key_id()).await?;
    let plaintext = key.decrypt(&blob, bound.context())?;
    // Revealed because the caller asked for it. A text of another dialect need not be UTF-8: it is told in both forms.
    let plaintext = plaintext.reveal();
    Ok(Reply::json(&Decrypted {
        key_id: blob.key_id().to_string(),
        plain_text: &String::from_utf8_lossy(plaintext),
        plain_text_base64: BASE64.encode(plaintext),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    fn encrypt() -> Ask {
        Ask::kms("encrypt-data", json!({"key_id": "{key}", "plain_text": "密钥"}))
            .keep("blob", "/cipher_text")
    }

    fn decrypt(blob: &str) -> Ask {
        Ask::kms("decrypt-data", json!({"cipher_text": blob}))
    }

    #[test]
    fn golden() {
        let named = json!({"cipher_text": "{blob}", "key_id": "{key}"});
        check(
            "kms.DecryptData",
            &[encrypt(), decrypt("{blob}"), Ask::kms("decrypt-data", named), decrypt("x")],
        );
    }

    #[test]
    fn what_does_not_open() {
        let mut world = World::new();
        world.send(&encrypt());
        let good = world.named("blob").to_owned();
        let altered = |position: usize| {
            let mut bytes = good.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            decrypt(std::str::from_utf8(&bytes).expect("ASCII"))
        };
        let other = Ask::kms("create-key", json!({"key_alias": "second"})).keep("second", "/key_info/key_id");
        let named = |key: &str| Ask::kms("decrypt-data", json!({"cipher_text": "{blob}", "key_id": key}));
        let of_stranger =
            Ask::post("/v1.0/{other_project}/kms/decrypt-data", json!({"cipher_text": "{blob}"}));
        world.outcomes([
            (decrypt("{blob}"), "200"),
            (altered(good.len() / 2), "400 KMS.2201"),
            (altered(good.len() - 5), "400 KMS.2201"),
            (altered(0), "400 KMS.2201"),
            (decrypt(""), "400 KMS.2201"),
            (decrypt(&"A".repeat(127)), "400 KMS.2201"),
            (decrypt(&"A".repeat(128)), "400 KMS.2201"),
            (decrypt(&"A".repeat(5652)), "400 KMS.2201"),
            (decrypt(&"!".repeat(200)), "400 KMS.2201"),
            (Ask::kms("decrypt-data", json!({})), "400 KMS.0204"),
            (named("x"), "400 KMS.0205"),
            (other, "200"),
            (named("{second}"), "400 KMS.2201"),
            (of_stranger.signed_by("stranger"), "404 KMS.0207"),
            (decrypt("{blob}").signed_by("alice"), "403 KMS.0306"),
            (Ask::kms("disable-key", json!({"key_id": "{key}"})), "200"),
            (decrypt("{blob}"), "400 KMS.0209"),
            (Ask::kms("schedule-key-deletion", json!({"key_id": "{key}", "pending_days": "7"})), "200"),
            (decrypt("{blob}"), "400 KMS.0210"),
        ]);
    }
}
