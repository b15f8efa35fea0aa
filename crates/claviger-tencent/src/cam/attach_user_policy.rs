//! `AttachUserPolicy`: attaches a policy to a sub-user; once is enough.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::UserFault;
use claviger_core::{Cx, Fault, Permission, PolicyId, UserId};
use serde::Deserialize;

use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "AttachUserPolicy",
    permission: Permission::PolicyAttach,
    rate: 10,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/598/32249",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    policy_id: u64,
    attach_uin: u64,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    if asked.policy_id == 0 {
        return Err(Fault::value("PolicyId"));
    }
    let user = cx.user(UserId(asked.attach_uin)).await?;
    // No policy binds the root user.
    if user.is_root() {
        return Err(UserFault::NotFound.into());
    }
    cx.attach_policy(&user, PolicyId(asked.policy_id)).await?;
    Ok(Reply::nothing())
}
