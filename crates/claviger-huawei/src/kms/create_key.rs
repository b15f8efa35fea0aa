//! `CreateKey`: makes a customer master key.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::{AliasFault, KeyFault};
use claviger_core::key::create::{ALIAS_BYTES, NewKey};
use claviger_core::key::{KeySpec, Origin};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::key_info::Wrapped;
use crate::kms::parameter::{Sequence, body};
use crate::kms::write;
use crate::wire::region_name;

pub(super) const ACTION: Action = write(
    "CreateKey",
    Permission::KeyCreate,
    "https://support.huaweicloud.com/intl/en-us/api-dew/CreateKey.html",
);

/// Longest description, in characters.
const DESCRIPTION_CHARS: usize = 255;
/// What a key may be for; those that are not `ENCRYPT_DECRYPT` need keys that are not symmetric.
const OTHER_USAGES: [&str; 3] = ["GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "SIGN_VERIFY"];

#[derive(Debug, Deserialize)]
struct Ask {
    key_alias: String,
    key_description: Option<String>,
    key_spec: Option<String>,
    key_usage: Option<String>,
    origin: Option<String>,
    enterprise_project_id: Option<String>,
    keystore_id: Option<String>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Made {
    key_id: String,
    domain_id: String,
    region_id: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let new = body::<Ask>(request)?.new_key()?;
    let ring = cx.ring().await?;
    let key = cx.create_key(&ring, new).await?;
    let key_info = Made {
        key_id: key.id.to_string(),
        domain_id: cx.caller()?.account.hex.to_string(),
        region_id: region_name(cx.authority, &key.region),
    };
    Ok(Reply::json(&Wrapped { key_info }))
}

impl Ask {
    fn new_key(self) -> Result<NewKey, Fault> {
        if !is_alias(&self.key_alias) {
            return Err(AliasFault::Invalid.into());
        }
        let description = self.key_description.unwrap_or_default();
        if description.chars().count() > DESCRIPTION_CHARS {
            return Err(Fault::value("key_description"));
        }
        // There is one enterprise project and one key store.
        if !is_default(self.enterprise_project_id.as_deref()) {
            return Err(Fault::value("enterprise_project_id"));
        }
        if !is_default(self.keystore_id.as_deref()) {
            return Err(KeyFault::ClusterUnknown.into());
        }
        let spec = match self.key_spec.as_deref().unwrap_or_default() {
            "" | "AES_256" => KeySpec::Aes256,
            "SM4" => KeySpec::Sm4,
            _ => return Err(KeyFault::SpecInvalid.into()),
        };
        match self.key_usage.as_deref().unwrap_or_default() {
            "" | "ENCRYPT_DECRYPT" => {}
            usage if OTHER_USAGES.contains(&usage) => return Err(KeyFault::UsageInvalid.into()),
            _ => return Err(Fault::value("key_usage")),
        }
        let origin = match self.origin.as_deref().unwrap_or_default() {
            "" | "kms" => Origin::Internal,
            "external" => Origin::External,
            _ => return Err(KeyFault::OriginInvalid.into()),
        };
        Ok(NewKey { alias: self.key_alias, description, spec: Some(spec), origin, tags: Vec::new() })
    }
}

fn is_alias(text: &str) -> bool {
    (1..=ALIAS_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
        && !text.ends_with("/default")
}

fn is_default(id: Option<&str>) -> bool {
    matches!(id, None | Some("" | "0"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    #[test]
    fn golden() {
        check(
            "kms.CreateKey",
            &[
                Ask::kms("create-key", json!({"key_alias": "app:1/a_b-c"})).keep("made", "/key_info/key_id"),
                Ask::kms("create-key", json!({"key_alias": "app:1/a_b-c"})),
            ],
        );
    }

    #[test]
    fn what_is_allowed_and_what_is_not() {
        let ask = |body: serde_json::Value| Ask::kms("create-key", body);
        let alias = |n: usize| json!({"key_alias": "x".repeat(n)});
        let described = |n: usize| json!({"key_alias": format!("d{n}"), "key_description": "ü".repeat(n)});
        World::new().outcomes([
            (ask(json!({})), "400 KMS.0204"),
            (ask(alias(0)), "400 KMS.1101"),
            (ask(alias(255)), "200"),
            (ask(alias(256)), "400 KMS.1101"),
            (ask(json!({"key_alias": "a b"})), "400 KMS.1101"),
            (ask(json!({"key_alias": "ä"})), "400 KMS.1101"),
            (ask(json!({"key_alias": "obs/default"})), "400 KMS.1101"),
            (ask(json!({"key_alias": "default"})), "200"),
            (ask(json!({"key_alias": "first"})), "400 KMS.1104"),
            (ask(described(255)), "200"),
            (ask(described(256)), "400 KMS.1103"),
            (ask(json!({"key_alias": "a", "key_spec": "AES_256", "key_usage": "ENCRYPT_DECRYPT"})), "200"),
            (ask(json!({"key_alias": "b", "key_spec": "SM4", "origin": "kms"})), "200"),
            (ask(json!({"key_alias": "c", "origin": "external", "enterprise_project_id": "0"})), "200"),
            (ask(json!({"key_alias": "d", "key_spec": "DES"})), "400 KMS.1110"),
            (ask(json!({"key_alias": "d", "key_spec": "RSA_2048"})), "400 KMS.1110"),
            (ask(json!({"key_alias": "d", "key_usage": "SIGN_VERIFY"})), "400 KMS.1115"),
            (ask(json!({"key_alias": "d", "key_usage": "PLAY"})), "400 KMS.0308"),
            (ask(json!({"key_alias": "d", "origin": "moon"})), "400 KMS.0308"),
            (ask(json!({"key_alias": "d", "keystore_id": "1"})), "400 KMS.8003"),
            (ask(json!({"key_alias": "d", "enterprise_project_id": "7"})), "400 KMS.0308"),
            (ask(json!({"key_alias": "d", "sequence": "x"})), "400 KMS.0206"),
            (ask(json!({"key_alias": "d"})).signed_by("alice"), "403 KMS.0307"),
            (ask(json!({"key_alias": "d"})).signed_by("admin"), "200"),
        ]);
    }
}
