//! `ListKeys`: the ids of keys that are not pending deletion.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::key::KeyState;
use claviger_core::key::list::Order;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "ListKeys",
    permission: Permission::KeyList,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Keys of a page when the request says nothing, and at most.
const LIMIT: u64 = 10;
const LIMIT_MOST: u64 = 200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    offset: Option<u64>,
    limit: Option<u64>,
    role: Option<u64>,
    hsm_cluster_id: Option<String>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let (offset, limit) = page(parameters.offset, parameters.limit)?;
    let ours = keys_by_users(parameters.role)? && shared_cluster(parameters.hsm_cluster_id.as_deref())?;
    let ring = cx.ring().await?;
    let listed = cx
        .list_keys(&ring, Order::NewestFirst, offset, limit, |key| {
            ours && key.state != KeyState::PendingDeletion
        })
        .await?;
    let keys: Vec<_> = listed.keys.iter().map(|key| json!({"KeyId": key.id})).collect();
    Ok(Reply::json(&json!({"Keys": keys, "TotalCount": listed.total})))
}

/// Where a page begins and how long it is.
pub(super) fn page(offset: Option<u64>, limit: Option<u64>) -> Result<(usize, usize), Fault> {
    let limit = limit.unwrap_or(LIMIT);
    if limit > LIMIT_MOST {
        return Err(Fault::value("Limit"));
    }
    let offset = usize::try_from(offset.unwrap_or(0)).map_err(|_| Fault::value("Offset"))?;
    Ok((offset, usize::try_from(limit).map_err(|_| Fault::value("Limit"))?))
}

/// Whether keys made by users are asked for (`Role` 0); products make none here (1).
pub(super) fn keys_by_users(role: Option<u64>) -> Result<bool, Fault> {
    match role {
        None | Some(0) => Ok(true),
        Some(1) => Ok(false),
        Some(_) => Err(Fault::value("Role")),
    }
}

/// There is only the shared service, no cluster of one's own.
pub(super) fn shared_cluster(id: Option<&str>) -> Result<bool, Fault> {
    match id {
        None | Some("" | "default") => Ok(true),
        Some(_) => Err(KeyFault::ClusterUnknown.into()),
    }
}
