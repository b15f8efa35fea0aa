//! `GetPolicy`: a policy with its document as it was given.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission, PolicyId};
use serde::{Deserialize, Serialize};

use super::beijing_time::date_time;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "GetPolicy",
    permission: Permission::PolicyRead,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=GetPolicy",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    policy_id: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    policy_name: String,
    description: String,
    /// 1 made by a user, 2 a preset.
    #[serde(rename = "Type")]
    kind: u64,
    add_time: String,
    /// Policies do not change.
    update_time: String,
    policy_document: String,
    preset_alias: &'static str,
    is_service_linked_role_policy: u64,
    /// Policies carry no tags yet.
    tags: [(); 0],
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    if asked.policy_id == 0 {
        return Err(Fault::value("PolicyId"));
    }
    cx.touch(|| format!("policy/{}", asked.policy_id));
    let account = cx.account().await?;
    let policy = cx.policy(&account, PolicyId(asked.policy_id)).await?;
    let record = &policy.record;
    let made = date_time(record.created);
    Ok(Reply::json(&Output {
        policy_name: record.name.clone(),
        description: record.description.clone(),
        kind: if record.id.0 < PolicyId::FIRST_CUSTOM { 2 } else { 1 },
        add_time: made.clone(),
        update_time: made,
        policy_document: record.document.clone(),
        preset_alias: "",
        is_service_linked_role_policy: 0,
        tags: [],
    }))
}
