//! `Decrypt`: the ciphertext names its key. Wrapping the plaintext under a caller's public key is not built yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::key::cipher::Ciphertext;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::encryption_context::EncryptionContext;
use super::text_blob;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "Decrypt",
    permission: Permission::Decrypt,
    rate: 300,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    ciphertext_blob: String,
    encryption_context: Option<String>,
    encryption_public_key: Option<String>,
    encryption_algorithm: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    key_id: String,
    plaintext: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    no_recipient(parameters.encryption_public_key.as_deref(), parameters.encryption_algorithm.as_deref())?;
    let context = EncryptionContext::parse(parameters.encryption_context.as_deref())?;
    let blob = text_blob::read(&parameters.ciphertext_blob)?;
    let ciphertext = Ciphertext::parse(&blob)?;
    let key = cx.key(ciphertext.key_id()).await?;
    let plaintext = key.decrypt(&ciphertext, context.bound()).map_err(Fault::any_state_is_disabled)?;
    // Revealed to the caller, who may decrypt with this key.
    let plaintext = BASE64.encode(plaintext.reveal());
    Ok(Reply::json(&Output { key_id: key.record().id.to_string(), plaintext }))
}

/// Refuses to wrap the plaintext under a public key of the caller: answering it bare would be worse than a refusal.
pub(super) fn no_recipient(public_key: Option<&str>, algorithm: Option<&str>) -> Result<(), Fault> {
    if public_key.is_some_and(|key| !key.is_empty()) {
        return Err(Fault::value("EncryptionPublicKey"));
    }
    if algorithm.is_some_and(|algorithm| !algorithm.is_empty()) {
        return Err(Fault::value("EncryptionAlgorithm"));
    }
    Ok(())
}
