//! `DescribeKey`: works in every state, also while a key awaits its deletion.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde_json::json;

use super::key_metadata::KeyMetadata;
use super::one_key::OneKey;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "DescribeKey",
    permission: Permission::KeyDescribe,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let one: OneKey = parse(request)?;
    let key = cx.key(one.id()?).await?;
    let metadata = KeyMetadata::new(key.record(), &cx.caller()?.account);
    Ok(Reply::json(&json!({"KeyMetadata": metadata})))
}
