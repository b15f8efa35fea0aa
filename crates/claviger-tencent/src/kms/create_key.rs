//! `CreateKey`: symmetric keys, with our material (`Type` 1) or to be imported (`Type` 2). Other usages are not built yet.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::{AliasFault, KeyFault};
use claviger_core::key::Origin;
use claviger_core::key::create::NewKey;
use claviger_core::tag::Tag;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use super::key_metadata::state;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "CreateKey",
    permission: Permission::KeyCreate,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Longest alias, in characters.
const ALIAS_CHARS: usize = 60;
/// Longest description, in bytes.
const DESCRIPTION_BYTES: usize = 1024;
/// Prefix of aliases that products keep for themselves.
const RESERVED: &str = "kms-";

/// Usages that exist on the wire and are not built yet.
const UNBUILT: &[&str] = &[
    "ASYMMETRIC_DECRYPT_RSA_2048",
    "ASYMMETRIC_DECRYPT_SM2",
    "ASYMMETRIC_Encrypt_Decrypt_Kyber_AES",
    "ASYMMETRIC_SIGN_VERIFY_DILITHIUM",
    "ASYMMETRIC_SIGN_VERIFY_ECC",
    "ASYMMETRIC_SIGN_VERIFY_ECDSA384",
    "ASYMMETRIC_SIGN_VERIFY_RSA_2048",
    "ASYMMETRIC_SIGN_VERIFY_RSA_3072",
    "ASYMMETRIC_SIGN_VERIFY_SM2",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    alias: String,
    description: Option<String>,
    key_usage: Option<String>,
    r#type: Option<u64>,
    tags: Option<Vec<TagParameter>>,
    hsm_cluster_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagParameter {
    tag_key: String,
    tag_value: Option<String>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let new = parse::<Parameters>(request)?.into_new_key()?;
    let tag_message = if new.tags.is_empty() { "" } else { "ok" };
    let ring = cx.ring().await?;
    let key = cx.create_key(&ring, new).await?;
    Ok(Reply::json(&json!({
        "KeyId": key.id,
        "Alias": key.alias,
        "CreateTime": key.created.seconds(),
        "Description": key.description,
        "KeyState": state(key.state),
        "KeyUsage": "ENCRYPT_DECRYPT",
        "TagCode": 0,
        "TagMsg": tag_message,
        "HsmClusterId": "",
    })))
}

impl Parameters {
    fn into_new_key(self) -> Result<NewKey, Fault> {
        if !is_alias(&self.alias) {
            return Err(AliasFault::Invalid.into());
        }
        let description = self.description.unwrap_or_default();
        if description.len() > DESCRIPTION_BYTES {
            return Err(Fault::value("Description"));
        }
        match self.key_usage.as_deref() {
            None | Some("" | "ENCRYPT_DECRYPT") => {}
            Some(usage) if UNBUILT.contains(&usage) => return Err(KeyFault::SpecInvalid.into()),
            Some(_) => return Err(KeyFault::UsageInvalid.into()),
        }
        let origin = match self.r#type {
            None | Some(1) => Origin::Internal,
            Some(2) => Origin::External,
            Some(_) => return Err(KeyFault::OriginInvalid.into()),
        };
        if self.hsm_cluster_id.is_some_and(|cluster| !cluster.is_empty()) {
            return Err(KeyFault::ClusterUnknown.into());
        }
        let tags = self.tags.unwrap_or_default().into_iter();
        let tags =
            tags.map(|tag| Tag { key: tag.tag_key, value: tag.tag_value.unwrap_or_default() }).collect();
        Ok(NewKey { alias: self.alias, description, spec: None, origin, tags })
    }
}

/// 1 to 60 letters, digits, `_` and `-`, beginning with a letter or digit.
fn is_alias(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = text.len() <= ALIAS_CHARS
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    begins && fits && !text.starts_with(RESERVED)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_alias;
    use crate::testing::World;

    #[test]
    fn aliases() {
        let long = "a".repeat(60);
        for (alias, good) in [
            ("a", true),
            ("A-b_9", true),
            (&long, true),
            (&format!("{long}a"), false),
            ("", false),
            ("_a", false),
            ("-a", false),
            ("a b", false),
            ("kms-a", false),
            ("é", false),
        ] {
            assert_eq!(is_alias(alias), good, "{alias}");
        }
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new().await;
        for (parameters, expected) in [
            (json!({"Alias": "a"}), "ok"),
            (json!({"Alias": "a"}), "InvalidParameterValue.AliasAlreadyExists"),
            (json!({"Alias": "_"}), "InvalidParameterValue.InvalidAlias"),
            (json!({"Alias": "b", "Type": 3}), "InvalidParameterValue.InvalidType"),
            (json!({"Alias": "b", "Type": "2"}), "ok"),
            (json!({"Alias": "c", "KeyUsage": "X"}), "InvalidParameterValue.InvalidKeyUsage"),
            (
                json!({"Alias": "c", "KeyUsage": "ASYMMETRIC_DECRYPT_SM2"}),
                "UnsupportedOperation.UnsupportedKeyUsageInCurrentRegion",
            ),
            (json!({"Alias": "c", "Description": "d".repeat(1025)}), "InvalidParameter"),
            (json!({"Alias": "c", "HsmClusterId": "x"}), "InvalidParameterValue.InvalidHsmClusterId"),
            (
                json!({"Alias": "c", "Tags": [{"TagKey": "k", "TagValue": "1"}, {"TagKey": "k", "TagValue": "2"}]}),
                "InvalidParameterValue.TagKeysDuplicated",
            ),
            (json!({"Alias": "c", "Tags": [{"TagKey": "k", "TagValue": "1"}]}), "ok"),
            (json!({"Alias": "d", "Odd": 1}), "UnknownParameter"),
            (json!({}), "MissingParameter"),
        ] {
            assert_eq!(world.code("root", "kms", "CreateKey", &parameters).await, expected, "{parameters}");
        }
    }
}
