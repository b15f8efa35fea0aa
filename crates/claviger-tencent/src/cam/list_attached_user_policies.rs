//! `ListAttachedUserPolicies`: the policies attached to a user, oldest attachment first, by pages.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::records::Attachment;
use claviger_core::{AccountId, Cx, Fault, LoadedPolicy, Permission, PolicyId, UserId};
use serde::{Deserialize, Serialize};

use super::beijing_time::date_time;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "ListAttachedUserPolicies",
    permission: Permission::PolicyListAttached,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=ListAttachedUserPolicies",
};

/// Rows of a page, where nothing is said.
const ROWS: usize = 20;
/// Most rows of a page, and most pages.
const MOST: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    target_uin: u64,
    page: Option<u64>,
    rp: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    total_num: usize,
    list: Vec<AttachPolicyInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttachPolicyInfo {
    policy_id: u64,
    policy_name: String,
    add_time: String,
    /// 2: written in the policy language.
    create_mode: u64,
    policy_type: &'static str,
    remark: String,
    operate_owner_uin: String,
    /// Who attached it is in the audit, not in the record.
    operate_uin: &'static str,
    operate_uin_type: u64,
    deactived: u64,
    deactived_detail: [(); 0],
}

impl AttachPolicyInfo {
    fn of(account: AccountId, attachment: Attachment, policy: &LoadedPolicy) -> Self {
        let preset = policy.record.id.0 < PolicyId::FIRST_CUSTOM;
        Self {
            policy_id: policy.record.id.0,
            policy_name: policy.record.name.clone(),
            add_time: date_time(attachment.at),
            create_mode: 2,
            policy_type: if preset { "QCS" } else { "User" },
            remark: policy.record.description.clone(),
            operate_owner_uin: account.0.to_string(),
            operate_uin: "",
            operate_uin_type: 0,
            deactived: 0,
            deactived_detail: [],
        }
    }
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let page = within(asked.page, 1, "Page")?;
    let rows = within(asked.rp, ROWS, "Rp")?;
    let user = cx.user(UserId(asked.target_uin)).await?;
    let attached = cx.attached_policies(&user).await?;
    let list = attached
        .iter()
        .skip((page - 1) * rows)
        .take(rows)
        .map(|(attachment, policy)| AttachPolicyInfo::of(user.account, *attachment, policy))
        .collect();
    Ok(Reply::json(&Output { total_num: attached.len(), list }))
}

/// A number from 1 to [`MOST`].
fn within(given: Option<u64>, default: usize, name: &'static str) -> Result<usize, Fault> {
    let Some(given) = given else { return Ok(default) };
    usize::try_from(given).ok().filter(|number| (1..=MOST).contains(number)).ok_or(Fault::value(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_limits() {
        for (given, expected) in [
            (None, Ok(20)),
            (Some(1), Ok(1)),
            (Some(200), Ok(200)),
            (Some(0), Err(Fault::value("Rp"))),
            (Some(201), Err(Fault::value("Rp"))),
            (Some(u64::MAX), Err(Fault::value("Rp"))),
        ] {
            assert_eq!(within(given, ROWS, "Rp"), expected, "{given:?}");
        }
    }
}
