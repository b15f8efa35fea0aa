//! `UpdateAccessKey`: makes an access key active or inactive. Setting what is already so changes nothing. An inactive key stops
//! working in every dialect before the answer goes out.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use super::access_key::{AccessKeyId, Status, name_root, target};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "UpdateAccessKey",
    permission: Permission::AccessKeyUpdate,
    rate: 5,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/598/52592",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    access_key_id: AccessKeyId,
    status: Status,
    target_uin: Option<u64>,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    cx.touch(|| format!("access-key/{}", asked.access_key_id.as_str()));
    let owner = cx.access_key_owner(target(asked.target_uin)).await?;
    let active = asked.status == Status::Active;
    let updated = cx.update_access_key(&owner, asked.access_key_id.as_str(), Some(active), None).await;
    name_root(cx, &asked.access_key_id, updated).await?;
    Ok(Reply::nothing())
}
