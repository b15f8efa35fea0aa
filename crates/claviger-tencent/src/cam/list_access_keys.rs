//! `ListAccessKeys`: a user's access keys, oldest first, without their secrets.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::access_key::{Status, target};
use super::beijing_time::date_time;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "ListAccessKeys",
    permission: Permission::AccessKeyList,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/598/37088",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    target_uin: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    access_keys: Vec<Listed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    access_key_id: String,
    status: Status,
    create_time: String,
    description: String,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let owner = cx.access_key_owner(target(asked.target_uin)).await?;
    let keys = cx.list_access_keys(&owner).await?;
    let access_keys = keys
        .into_iter()
        .map(|key| Listed {
            access_key_id: key.id,
            status: Status::of(key.active),
            create_time: date_time(key.created),
            description: key.description,
        })
        .collect();
    Ok(Reply::json(&Output { access_keys }))
}
