//! `CreateDatakey`: makes a data key and encrypts it under a key.

use std::collections::BTreeMap;

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::{ParameterFault, ParameterProblem};
use claviger_core::key::cipher::DATA_KEY_BYTES;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::bound::Bound;
use crate::kms::crypto;
use crate::kms::parameter::{GivenKey, Sequence, body};

pub(super) const ACTION: Action = crypto(
    "CreateDatakey",
    Permission::DataKeyCreate,
    "https://support.huaweicloud.com/intl/en-us/api-dew/CreateDatakey.html",
);

/// Bytes of a data key unless the caller says otherwise.
const DEFAULT_BYTES: usize = 32;

#[derive(Debug, Deserialize)]
struct Ask {
    key_id: GivenKey,
    key_spec: Option<String>,
    datakey_length: Option<String>,
    additional_authenticated_data: Option<String>,
    encryption_context: Option<BTreeMap<String, String>>,
    pin: Option<String>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

/// Hex in upper case, as this cloud writes what belongs to data keys.
#[derive(Debug, Serialize)]
struct Made {
    key_id: String,
    plain_text: String,
    cipher_text: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    // A PIN protects the data key: without PINs it must not seem to be protected.
    if ask.pin.is_some_and(|pin| !pin.is_empty()) {
        return Err(Fault::value("pin"));
    }
    let of_spec = bytes_of(ask.key_spec.as_deref())?;
    let bytes = bytes_given(ask.datakey_length.as_deref())?.unwrap_or(of_spec);
    let bound = Bound::parse(ask.additional_authenticated_data, ask.encryption_context)?;
    let key = cx.key(ask.key_id.0).await?;
    let (data_key, blob) = key.data_key(cx, bound.context(), bytes)?;
    Ok(Reply::json(&Made {
        key_id: ask.key_id.0.to_string(),
        // Revealed because the caller asked for it.
        plain_text: hex::encode_upper(data_key.reveal()),
        cipher_text: hex::encode_upper(blob),
    }))
}

/// The length of a kind of data key.
fn bytes_of(spec: Option<&str>) -> Result<usize, Fault> {
    match spec.unwrap_or_default() {
        "" => Ok(DEFAULT_BYTES),
        "AES_128" | "SM4" => Ok(16),
        "AES_256" | "HMAC_256" | "HMAC_SM3" => Ok(32),
        "HMAC_384" => Ok(48),
        "HMAC_512" => Ok(64),
        _ => Err(Fault::value("key_spec")),
    }
}

/// A length in bits; it wins over the kind.
fn bytes_given(bits: Option<&str>) -> Result<Option<usize>, Fault> {
    let Some(bits) = bits.filter(|bits| !bits.is_empty()) else { return Ok(None) };
    match bits.parse::<usize>() {
        Ok(bits) if !(8..=DATA_KEY_BYTES * 8).contains(&bits) => Err(Fault::value("datakey_length")),
        Ok(bits) if bits % 8 != 0 => {
            let problem = ParameterProblem::Type("multiple of 8");
            Err(ParameterFault { name: "datakey_length".into(), problem }.into())
        }
        Ok(bits) => Ok(Some(bits / 8)),
        Err(_) => Err(Fault::value("datakey_length")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::kms::states;
    use crate::testing::{Ask, World, check};

    fn ask(more: &Value) -> Ask {
        let mut body = more.clone();
        body["key_id"] = "{key}".into();
        Ask::kms("create-datakey", body)
    }

    #[test]
    fn golden() {
        let made = ask(&json!({})).keep("data_key", "/plain_text").keep("blob", "/cipher_text");
        check("kms.CreateDatakey", &[made, ask(&json!({"datakey_length": "12"}))]);
    }

    #[test]
    fn every_state() {
        states::check("create-datakey", &json!({}), ["200", "400 KMS.0209", "400 KMS.0210", "400 KMS.0209"]);
    }

    #[test]
    fn lengths() {
        let mut world = World::new();
        for (more, expected) in [
            (json!({}), Ok(32)),
            (json!({"key_spec": "AES_128"}), Ok(16)),
            (json!({"key_spec": "SM4"}), Ok(16)),
            (json!({"key_spec": "AES_256"}), Ok(32)),
            (json!({"key_spec": "HMAC_384"}), Ok(48)),
            (json!({"key_spec": "HMAC_512"}), Ok(64)),
            (json!({"datakey_length": "8"}), Ok(1)),
            (json!({"datakey_length": "8192"}), Ok(1024)),
            (json!({"datakey_length": 512}), Ok(64)),
            (json!({"datakey_length": ""}), Ok(32)),
            (json!({"datakey_length": "128", "key_spec": "AES_256"}), Ok(16)),
            (json!({"datakey_length": "0"}), Err("400 KMS.1901")),
            (json!({"datakey_length": "7"}), Err("400 KMS.1901")),
            (json!({"datakey_length": "8193"}), Err("400 KMS.1901")),
            (json!({"datakey_length": "8200"}), Err("400 KMS.1901")),
            (json!({"datakey_length": "x"}), Err("400 KMS.1901")),
            (json!({"datakey_length": "12"}), Err("400 KMS.1903")),
            (json!({"key_spec": "DES"}), Err("400 KMS.1902")),
            (json!({"pin": "1234"}), Err("400 KMS.0308")),
        ] {
            let answered = world.send(&ask(&more));
            let plain =
                answered.json().pointer("/plain_text").and_then(Value::as_str).map(|hex| hex.len() / 2);
            let outcome = answered.outcome();
            assert_eq!(plain.ok_or(outcome.as_str()), expected, "{more}");
        }
        world.outcomes([(ask(&json!({})).signed_by("alice"), "403 KMS.0306")]);
    }
}
