//! `CreatePolicy`: makes a policy from a document of the CAM language 2.0.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::permission::Language;
use claviger_core::policies::{DESCRIPTION_BYTES, NewPolicy};
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::policy_document::parse_policy;
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "cam",
    name: "CreatePolicy",
    permission: Permission::PolicyCreate,
    rate: 20,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://console.cloud.tencent.com/api/explorer?Product=cam&Version=2019-01-16&Action=CreatePolicy",
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    policy_name: String,
    policy_document: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Policies carry no tags yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    #[serde(rename = "Key")]
    _key: String,
    #[serde(rename = "Value")]
    _value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    policy_id: u64,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    if asked.description.len() > DESCRIPTION_BYTES {
        return Err(Fault::value("Description"));
    }
    if !asked.tags.is_empty() {
        return Err(Fault::value("Tags"));
    }
    let statements = parse_policy(&asked.policy_document)?;
    let account = cx.account().await?;
    let new = NewPolicy {
        name: asked.policy_name,
        description: asked.description,
        language: Language::Cam2,
        document: asked.policy_document,
        statements,
    };
    let policy = cx.create_policy(&account, new).await?;
    cx.touch(|| format!("policy/{}", policy.id.0));
    Ok(Reply::json(&Output { policy_id: policy.id.0 }))
}
