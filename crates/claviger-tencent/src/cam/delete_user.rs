//! `DeleteUser`: deletes a sub-user. One that still has access keys stays, unless `Force` deletes them first, which needs the
//! permission to delete access keys too.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::{AccessKeyFault, UserFault};
use claviger_core::records::User;
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use super::profile::Switch;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "DeleteUser",
    permission: Permission::UserDelete,
    rate: 20,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=DeleteUser",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    name: String,
    #[serde(default)]
    force: Switch,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let user = cx.user_named(&asked.name).await?;
    if user.is_root() {
        return Err(UserFault::NotFound.into());
    }
    if asked.force == Switch::On && !user.access_keys.is_empty() {
        delete_access_keys(cx, &user).await?;
    }
    cx.delete_user(&user).await?;
    Ok(Reply::nothing())
}

/// In a context of its own, whose permission is that of deleting access keys.
async fn delete_access_keys(cx: &Cx<'_>, user: &User) -> Result<(), Fault> {
    let caller = cx.caller()?.clone();
    let cx = Cx::new(cx.authority, Some(caller), Permission::AccessKeyDelete, cx.region.clone(), cx.source);
    let owner = cx.access_key_owner(Some(user.id)).await?;
    for id in &user.access_keys {
        match cx.delete_access_key(&owner, id).await {
            // Somebody else was first.
            Err(Fault::AccessKey(AccessKeyFault::NotFound)) | Ok(()) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
