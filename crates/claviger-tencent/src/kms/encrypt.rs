//! `Encrypt`: 1 to 4096 bytes. The hot path: nothing here touches the store once the key is known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::CipherFault;
use claviger_core::{Cx, Fault, Permission, Secret};
use serde::{Deserialize, Serialize};

use super::encryption_context::EncryptionContext;
use super::one_key::key_id;
use super::text_blob;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "Encrypt",
    permission: Permission::Encrypt,
    rate: 300,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    key_id: String,
    plaintext: String,
    encryption_context: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    ciphertext_blob: String,
    key_id: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let id = key_id(&parameters.key_id)?;
    let plaintext = plaintext(&parameters.plaintext)?;
    let context = EncryptionContext::parse(parameters.encryption_context.as_deref())?;
    let key = cx.key(id).await?;
    // Revealed to be encrypted.
    let blob = key.encrypt(cx, context.bound(), plaintext.reveal()).map_err(Fault::any_state_is_disabled)?;
    Ok(Reply::json(&Output { ciphertext_blob: text_blob::write(&blob), key_id: parameters.key_id }))
}

fn plaintext(text: &str) -> Result<Secret, Fault> {
    let bytes = BASE64.decode(text).map_err(|_| Fault::Cipher(CipherFault::PlaintextInvalid))?;
    Ok(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn what_is_encrypted_is_decrypted_with_the_same_context_alone() {
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let id = &created["KeyId"];
        let plaintext = BASE64.encode("secret");
        for (bound, presented, expected) in [
            (json!(null), json!(null), "ok"),
            (json!(""), json!("{}"), "ok"),
            (json!(r#"{"a":"1","b":"2"}"#), json!(r#"{"b":"2","a":"1"}"#), "ok"),
            (json!(r#"{"a":"1"}"#), json!(null), "FailedOperation.EncryptionError"),
            (json!(null), json!(r#"{"a":"1"}"#), "FailedOperation.EncryptionError"),
            (json!(r#"{"a":"1"}"#), json!(r#"{"a":"2"}"#), "FailedOperation.EncryptionError"),
        ] {
            let ask = json!({"KeyId": id, "Plaintext": plaintext, "EncryptionContext": bound});
            let blob = world.call("root", "kms", "Encrypt", &ask).await["CiphertextBlob"].clone();
            let back = json!({"CiphertextBlob": blob, "EncryptionContext": presented});
            let answer = world.call("root", "kms", "Decrypt", &back).await;
            assert_eq!(
                answer.pointer("/Error/Code").map_or("ok", |c| c.as_str().unwrap_or("")),
                expected,
                "{back}"
            );
            if expected == "ok" {
                assert_eq!(answer["Plaintext"], json!(plaintext));
                assert_eq!(&answer["KeyId"], id);
            }
        }
        for (plaintext, expected) in [
            (BASE64.encode(vec![1; 4096]), "ok"),
            (BASE64.encode(vec![1; 4097]), "InvalidParameterValue.InvalidPlaintext"),
            (String::new(), "InvalidParameterValue.InvalidPlaintext"),
            ("*".into(), "InvalidParameterValue.InvalidPlaintext"),
        ] {
            let ask = json!({"KeyId": id, "Plaintext": plaintext});
            assert_eq!(world.code("root", "kms", "Encrypt", &ask).await, expected);
        }
        let foreign = json!({"KeyId": id, "Plaintext": plaintext});
        assert_eq!(
            world.code("stranger", "kms", "Encrypt", &foreign).await,
            "ResourceUnavailable.CmkNotFound"
        );
        let blob = world.call("root", "kms", "Encrypt", &foreign).await["CiphertextBlob"].clone();
        let back = json!({"CiphertextBlob": blob});
        assert_eq!(world.code("stranger", "kms", "Decrypt", &back).await, "ResourceUnavailable.CmkNotFound");
        let garbage = json!({"CiphertextBlob": "x"});
        assert_eq!(
            world.code("root", "kms", "Decrypt", &garbage).await,
            "InvalidParameterValue.InvalidCiphertext"
        );
        world.call("root", "kms", "DisableKey", &json!({"KeyId": id})).await;
        assert_eq!(world.code("root", "kms", "Encrypt", &foreign).await, "ResourceUnavailable.CmkDisabled");
        assert_eq!(world.code("root", "kms", "Decrypt", &back).await, "ResourceUnavailable.CmkDisabled");
    }

    #[tokio::test]
    async fn a_user_may_do_what_the_policies_say() {
        let world = World::new().await;
        let created = world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await;
        let id = created["KeyId"].as_str().unwrap_or_default();
        let resource = format!("qcs::kms::uin/100000000001:key/creatorUin/100000000001/{id}");
        let allow = |action: &str, resource: &str| json!({"version": "2.0", "statement": [{"effect": "allow", "action": action, "resource": resource}]});
        let deny = json!({"version": "2.0", "statement": {"effect": "deny", "action": ["kms:Encrypt"], "resource": [resource]}});
        world.user("alice", 100_000_000_002, &[allow("kms:Encrypt", &resource)]).await;
        world.user("bob", 100_000_000_003, &[]).await;
        world.user("carol", 100_000_000_004, &[allow("*", "*"), deny]).await;
        let ask = json!({"KeyId": id, "Plaintext": "QQ=="});
        for (who, action, expected) in [
            ("alice", "Encrypt", "ok"),
            ("alice", "GenerateDataKey", "UnauthorizedOperation"),
            ("bob", "Encrypt", "UnauthorizedOperation"),
            ("carol", "Encrypt", "UnauthorizedOperation"),
            ("carol", "GenerateDataKey", "ok"),
        ] {
            let ask =
                if action == "Encrypt" { ask.clone() } else { json!({"KeyId": id, "KeySpec": "AES_256"}) };
            assert_eq!(world.code(who, "kms", action, &ask).await, expected, "{who} {action}");
        }
    }
}
