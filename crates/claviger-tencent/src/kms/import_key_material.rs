//! `ImportKeyMaterial`: takes wrapped material in. On a key that something is bound to, `ValidTo` is not kept: a bound key never
//! expires.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::MaterialFault;
use claviger_core::{Cx, Fault, Moment, Permission};
use serde::Deserialize;

use super::one_key::key_id;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "ImportKeyMaterial",
    permission: Permission::MaterialImport,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Latest `ValidTo`, in seconds since the epoch.
const LATEST: u64 = 2_147_443_200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    encrypted_key_material: String,
    import_token: String,
    key_id: String,
    valid_to: Option<u64>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let id = key_id(&parameters.key_id)?;
    let expires = match parameters.valid_to {
        None | Some(0) => None,
        Some(seconds) if seconds > LATEST => return Err(MaterialFault::ExpiryInvalid.into()),
        Some(seconds) => Some(Moment::from_seconds(seconds)),
    };
    let token =
        BASE64.decode(&parameters.import_token).map_err(|_| Fault::Material(MaterialFault::TokenInvalid))?;
    let wrapped = BASE64
        .decode(&parameters.encrypted_key_material)
        .map_err(|_| Fault::Material(MaterialFault::Unwrap))?;
    cx.import_material(id, &token, wrapped, expires).await?;
    Ok(Reply::nothing())
}
