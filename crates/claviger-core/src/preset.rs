//! Policies that every account has.

use std::sync::{Arc, LazyLock};

use crate::clock::Moment;
use crate::ids::{AccountId, PolicyId};
use crate::loaded::LoadedPolicy;
use crate::permission::Language;
use crate::policy::{Effect, Pattern, Statement};
use crate::records::Policy;

/// Number, name, actions, description.
const PRESETS: &[(u64, &str, &[&str], &str)] = &[
    (1, "AdministratorAccess", &["*"], "Everything the account may do."),
    (
        2,
        "ReadOnlyAccess",
        &["*:Describe*", "*:Get*", "*:List*"],
        "Reading of everything, without the use of keys.",
    ),
    (3, "QcloudCamFullAccess", &["cam:*"], "All of users, access keys and policies."),
    (4, "QcloudCamReadOnlyAccess", &["cam:Get*", "cam:List*"], "Reading of users, access keys and policies."),
    (5, "QcloudKMSFullAccess", &["kms:*", "tag:*"], "All of keys and their tags."),
    (
        6,
        "QcloudKMSReadOnlyAccess",
        &["kms:Describe*", "kms:GetRegions", "kms:GetServiceStatus", "kms:List*", "tag:Describe*"],
        "Reading of keys and their tags, without their use.",
    ),
];

static LOADED: LazyLock<Vec<Arc<LoadedPolicy>>> = LazyLock::new(|| {
    PRESETS
        .iter()
        .map(|&(id, name, actions, description)| Arc::new(load(id, name, actions, description)))
        .collect()
});

/// A preset by its number.
pub(crate) fn find(id: PolicyId) -> Option<Arc<LoadedPolicy>> {
    LOADED.iter().find(|policy| policy.record.id == id).cloned()
}

/// A preset's number by its name.
pub fn named(name: &str) -> Option<PolicyId> {
    LOADED.iter().find(|policy| policy.record.name == name).map(|policy| policy.record.id)
}

fn load(id: u64, name: &str, actions: &[&str], description: &str) -> LoadedPolicy {
    let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let document = serde_json::json!({
        "version": "2.0",
        "statement": [{"effect": "allow", "action": actions, "resource": ["*"]}],
    });
    LoadedPolicy::new(Policy {
        v: 1,
        id: PolicyId(id),
        account: AccountId(0),
        name: name.into(),
        description: description.into(),
        language: Language::Cam2,
        document: document.to_string(),
        statements: vec![Statement { effect: Effect::Allow, actions, resources: vec![Pattern::Any] }],
        created: Moment::default(),
    })
}
