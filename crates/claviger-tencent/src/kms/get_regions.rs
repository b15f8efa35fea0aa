//! `GetRegions`: the names of regions that are answered to.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "GetRegions",
    permission: Permission::RegionList,
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
    cx.account().await?;
    let regions = cx.authority.regions().iter().flat_map(|region| {
        // A region that answers to every name is shown by its own.
        let names = region.names("tencent");
        if names.is_empty() { vec![region.id.to_string()] } else { names.to_vec() }
    });
    Ok(Reply::json(&json!({"Regions": regions.collect::<Vec<_>>()})))
}
