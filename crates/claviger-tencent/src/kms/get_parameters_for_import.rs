//! `GetParametersForImport`: a public key to wrap material with, and the token that goes back with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission, WrapAlgorithm};
use serde::Deserialize;
use serde_json::json;

use super::one_key::key_id;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "GetParametersForImport",
    permission: Permission::MaterialParameters,
    // The documented 100/s would be more RSA keys than the machine can make for all accounts together.
    rate: 10,
    // It changes nothing, but costs enough that it shall be in the audit also when the client hangs up.
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    key_id: String,
    wrapping_algorithm: String,
    wrapping_key_spec: String,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let id = key_id(&parameters.key_id)?;
    let algorithm = match parameters.wrapping_algorithm.as_str() {
        "RSAES_PKCS1_V1_5" => WrapAlgorithm::RsaPkcs1v15,
        "RSAES_OAEP_SHA_1" => WrapAlgorithm::RsaOaepSha1,
        "RSAES_OAEP_SHA_256" => WrapAlgorithm::RsaOaepSha256,
        _ => return Err(Fault::value("WrappingAlgorithm")),
    };
    if parameters.wrapping_key_spec != "RSA_2048" {
        return Err(Fault::value("WrappingKeySpec"));
    }
    let key = cx.key(id).await?;
    let import = cx.import_parameters(&key, algorithm).await?;
    Ok(Reply::json(&json!({
        "KeyId": parameters.key_id,
        "ImportToken": BASE64.encode(import.token),
        "PublicKey": BASE64.encode(import.public_key),
        "ParametersValidTo": import.valid_to.seconds(),
    })))
}
