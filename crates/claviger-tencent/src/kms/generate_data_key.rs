//! `GenerateDataKey`: a data key in plain and encrypted. Hosted data keys are not built yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::cipher::DATA_KEY_BYTES;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use super::decrypt::no_recipient;
use super::encryption_context::EncryptionContext;
use super::one_key::key_id;
use super::text_blob;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "GenerateDataKey",
    permission: Permission::DataKeyCreate,
    rate: 300,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    key_id: String,
    key_spec: Option<String>,
    number_of_bytes: Option<u64>,
    encryption_context: Option<String>,
    encryption_public_key: Option<String>,
    encryption_algorithm: Option<String>,
    is_hosted_by_kms: Option<u64>,
    data_key_name: Option<String>,
    description: Option<String>,
    hsm_cluster_id: Option<String>,
    tags: Option<Vec<serde_json::Value>>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let id = key_id(&parameters.key_id)?;
    let bytes = parameters.bytes()?;
    parameters.not_hosted()?;
    let context = EncryptionContext::parse(parameters.encryption_context.as_deref())?;
    let key = cx.key(id).await?;
    let (data_key, blob) = key.data_key(cx, context.bound(), bytes).map_err(|fault| match fault {
        Fault::Key(KeyFault::PendingImport) => fault.any_state_is_disabled(),
        fault => fault,
    })?;
    // Revealed to the caller, who asked for it.
    let plaintext = BASE64.encode(data_key.reveal());
    Ok(Reply::json(&json!({
        "KeyId": parameters.key_id,
        "Plaintext": plaintext,
        "CiphertextBlob": text_blob::write(&blob),
        "DataKeyId": "",
        "TagCode": 0,
        "TagMsg": "",
    })))
}

impl Parameters {
    /// `NumberOfBytes` wins over `KeySpec`; one of the two must be there.
    fn bytes(&self) -> Result<usize, Fault> {
        match (self.number_of_bytes, self.key_spec.as_deref()) {
            (Some(bytes), _) => usize::try_from(bytes)
                .ok()
                .filter(|bytes| (1..=DATA_KEY_BYTES).contains(bytes))
                .ok_or(Fault::value("NumberOfBytes")),
            (None, Some("AES_128")) => Ok(16),
            (None, Some("AES_256")) => Ok(32),
            (None, _) => Err(Fault::value("KeySpec")),
        }
    }

    fn not_hosted(&self) -> Result<(), Fault> {
        no_recipient(self.encryption_public_key.as_deref(), self.encryption_algorithm.as_deref())?;
        if self.is_hosted_by_kms.is_some_and(|hosted| hosted != 0) {
            return Err(Fault::value("IsHostedByKms"));
        }
        // What only a hosted data key has is ignored without one, as it says nothing then.
        let _ = (&self.data_key_name, &self.description, &self.tags);
        if self.hsm_cluster_id.as_deref().is_some_and(|cluster| !cluster.is_empty()) {
            return Err(KeyFault::ClusterUnknown.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn lengths() {
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let id = &created["KeyId"];
        for (spec, bytes, expected) in [
            (json!("AES_128"), json!(null), Some(16)),
            (json!("AES_256"), json!(null), Some(32)),
            (json!("AES_256"), json!(1), Some(1)),
            (json!(null), json!(1024), Some(1024)),
            (json!(null), json!(1025), None),
            (json!(null), json!(0), None),
            (json!("AES_512"), json!(null), None),
            (json!(null), json!(null), None),
        ] {
            let ask = json!({"KeyId": id, "KeySpec": spec, "NumberOfBytes": bytes});
            let answer = world.call("root", "kms", "GenerateDataKey", &ask).await;
            match expected {
                None => assert_eq!(answer["Error"]["Code"], json!("InvalidParameter"), "{ask}"),
                Some(length) => {
                    let plaintext = BASE64.decode(answer["Plaintext"].as_str().unwrap_or_default());
                    assert_eq!(plaintext.map(|bytes| bytes.len()), Ok(length));
                    let back = json!({"CiphertextBlob": answer["CiphertextBlob"]});
                    assert_eq!(
                        world.call("root", "kms", "Decrypt", &back).await["Plaintext"],
                        answer["Plaintext"]
                    );
                }
            }
        }
    }
}
