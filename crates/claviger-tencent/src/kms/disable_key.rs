//! `DisableKey`: a disabled key stays disabled, as Terraform needs it.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};

use super::one_key::OneKey;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "DisableKey",
    permission: Permission::KeyDisable,
    rate: 100,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let one: OneKey = parse(request)?;
    let mut edit = cx.edit(one.id()?).await?;
    edit.key.disable()?;
    edit.commit().await?;
    Ok(Reply::nothing())
}
