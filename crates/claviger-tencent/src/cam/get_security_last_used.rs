//! `GetSecurityLastUsed`: when access keys were last used. A key that is unknown, foreign or never used has nulls.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::access_key::AccessKeyId;
use super::beijing_time::date;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "GetSecurityLastUsed",
    permission: Permission::AccessKeyLastUsed,
    rate: 20,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/598/41082",
};

/// Most keys asked for at once.
const MOST_KEYS: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    secret_id_list: Vec<AccessKeyId>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    secret_id_last_used_rows: Vec<SecretIdLastUsed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SecretIdLastUsed {
    secret_id: String,
    last_used_date: Option<String>,
    /// Milliseconds since the epoch.
    last_secret_used_date: Option<u64>,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    if !(1..=MOST_KEYS).contains(&asked.secret_id_list.len()) {
        return Err(Fault::value("SecretIdList"));
    }
    cx.account().await?;
    let mut rows = Vec::with_capacity(asked.secret_id_list.len());
    for id in &asked.secret_id_list {
        let used = cx.access_key_last_used(id.as_str()).await?;
        rows.push(SecretIdLastUsed {
            secret_id: id.as_str().to_owned(),
            last_used_date: used.map(date),
            last_secret_used_date: used.map(claviger_core::Moment::millis),
        });
    }
    Ok(Reply::json(&Output { secret_id_last_used_rows: rows }))
}
