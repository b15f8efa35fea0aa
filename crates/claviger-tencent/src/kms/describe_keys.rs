//! `DescribeKeys`: 1 to 100 keys, in the order they are asked for; all or nothing.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::{Cx, Fault, KeyId, Permission};
use serde::Deserialize;
use serde_json::json;

use super::key_metadata::KeyMetadata;
use super::one_key::{MemberAccount, key_id, no_member};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "DescribeKeys",
    permission: Permission::KeyDescribe,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Most keys of one call.
const MOST: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    key_ids: Vec<String>,
    member_account: Option<MemberAccount>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    no_member(parameters.member_account.as_ref())?;
    if !(1..=MOST).contains(&parameters.key_ids.len()) {
        return Err(Fault::value("KeyIds"));
    }
    let ids: Vec<KeyId> = parameters.key_ids.iter().map(|id| key_id(id)).collect::<Result<_, _>>()?;
    if ids.iter().enumerate().any(|(at, id)| ids.iter().take(at).any(|earlier| earlier == id)) {
        return Err(KeyFault::DuplicateId.into());
    }
    let mut metadata = Vec::with_capacity(ids.len());
    for id in ids {
        metadata.push(KeyMetadata::new(cx.key(id).await?.record(), &cx.caller()?.account));
    }
    Ok(Reply::json(&json!({"KeyMetadatas": metadata})))
}
