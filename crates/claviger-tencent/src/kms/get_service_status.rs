//! `GetServiceStatus`: what is offered, and how much of it is used. Everything that is built is open to everybody: there are no
//! editions to buy, so the standard one is shown as active.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "GetServiceStatus",
    permission: Permission::ServiceStatusRead,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let Parameters {} = parse(request)?;
    let ring = cx.ring().await?;
    let used = cx.count_keys(&ring).await?;
    Ok(Reply::json(&json!({
        "ServiceEnabled": true,
        "InvalidType": 1,
        "UserLevel": 1,
        "ProExpireTime": 0,
        "ProRenewFlag": 0,
        "ProResourceId": "",
        "ExclusiveVSMEnabled": false,
        "ExclusiveHSMEnabled": false,
        "SubscriptionInfo": "",
        "CmkUserCount": used,
        "CmkLimit": cx.authority.limits().keys_per_ring,
        "ExclusiveHSMList": [],
        "IsAllowedDataKeyHosted": false,
        "DataKeyLimit": 0,
        "FreeDataKeyLimit": 0,
        "DataKeyUsedCount": 0,
        "SyncTaskList": [],
        "IsAllowedSync": false,
        "QpsLimit": 0,
        "QpsTotalLimit": 0,
        "RegionsQps": [],
        "ResourceZone": 0,
        "ResourceRegion": 0,
        "MultiAccountLimit": 0,
        "MultiAccountUsedCount": 0,
    })))
}
