//! `DeleteAccessKey`: deletes an access key for good. An active one may be deleted too: Terraform does so in one call.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use super::access_key::{AccessKeyId, name_root, target};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "DeleteAccessKey",
    permission: Permission::AccessKeyDelete,
    rate: 5,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=DeleteAccessKey",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    access_key_id: AccessKeyId,
    target_uin: Option<u64>,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    cx.touch(|| format!("access-key/{}", asked.access_key_id.as_str()));
    let owner = cx.access_key_owner(target(asked.target_uin)).await?;
    let deleted = cx.delete_access_key(&owner, asked.access_key_id.as_str()).await;
    name_root(cx, &asked.access_key_id, deleted).await?;
    Ok(Reply::nothing())
}
