//! `ListKeyDetail`: keys with their metadata, filtered.

use std::collections::BTreeMap;

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::key::list::Order;
use claviger_core::key::{Key, KeyState, Origin};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;
use serde_json::json;

use super::key_metadata::KeyMetadata;
use super::list_keys::{keys_by_users, page, shared_cluster};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "kms",
    name: "ListKeyDetail",
    permission: Permission::KeyList,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://cloud.tencent.com/document/product/573",
};

/// Most filters by tag.
const MOST_FILTERS: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    offset: Option<u64>,
    limit: Option<u64>,
    role: Option<u64>,
    order_type: Option<u64>,
    key_state: Option<u64>,
    search_key_alias: Option<String>,
    origin: Option<String>,
    key_usage: Option<String>,
    tag_filters: Option<Vec<TagFilter>>,
    hsm_cluster_id: Option<String>,
    member_accounts: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagFilter {
    tag_key: String,
    tag_value: Option<Vec<String>>,
}

/// What a key must be to be listed.
struct Filter {
    none: bool,
    state: Option<KeyState>,
    text: String,
    origin: Option<Origin>,
    tags: BTreeMap<String, Vec<String>>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let parameters: Parameters = parse(request)?;
    let (offset, limit) = page(parameters.offset, parameters.limit)?;
    let order = match parameters.order_type {
        None | Some(0) => Order::NewestFirst,
        Some(1) => Order::OldestFirst,
        Some(_) => return Err(Fault::value("OrderType")),
    };
    let filter = Filter::new(parameters)?;
    let ring = cx.ring().await?;
    let listed = cx.list_keys(&ring, order, offset, limit, |key| filter.passes(key)).await?;
    let account = &cx.caller()?.account;
    let metadata: Vec<_> = listed.keys.iter().map(|key| KeyMetadata::new(key, account)).collect();
    Ok(Reply::json(&json!({"TotalCount": listed.total, "KeyMetadatas": metadata})))
}

impl Filter {
    fn new(parameters: Parameters) -> Result<Self, Fault> {
        // Archived keys (5) are not built yet: there are none.
        let (archived, state) = match parameters.key_state {
            None | Some(0) => (false, None),
            Some(1) => (false, Some(KeyState::Enabled)),
            Some(2) => (false, Some(KeyState::Disabled)),
            Some(3) => (false, Some(KeyState::PendingDeletion)),
            Some(4) => (false, Some(KeyState::PendingImport)),
            Some(5) => (true, None),
            Some(_) => return Err(Fault::value("KeyState")),
        };
        let origin = match parameters.origin.as_deref() {
            None | Some("" | "ALL") => None,
            Some("EXTERNAL") => Some(Origin::External),
            Some("TENCENT_KMS") => Some(Origin::Internal),
            Some(_) => return Err(Fault::value("Origin")),
        };
        // Every key is an ENCRYPT_DECRYPT one: another usage lists none.
        let symmetric =
            matches!(parameters.key_usage.as_deref(), None | Some("" | "ALL" | "ENCRYPT_DECRYPT"));
        let filters = parameters.tag_filters.unwrap_or_default();
        if filters.len() > MOST_FILTERS {
            return Err(Fault::value("TagFilters"));
        }
        if parameters.member_accounts.is_some_and(|members| !members.is_empty()) {
            return Err(Fault::value("MemberAccounts"));
        }
        let ours = keys_by_users(parameters.role)? && shared_cluster(parameters.hsm_cluster_id.as_deref())?;
        let tags = filters.into_iter().map(|filter| (filter.tag_key, filter.tag_value.unwrap_or_default()));
        Ok(Self {
            none: archived || !symmetric || !ours,
            state,
            text: parameters.search_key_alias.unwrap_or_default(),
            origin,
            tags: tags.collect(),
        })
    }

    /// Filters by tag are all met, each by one of its values; one without values by any.
    fn passes(&self, key: &Key) -> bool {
        let tagged = |wanted: &String, values: &Vec<String>| {
            key.tags
                .iter()
                .any(|tag| tag.key == *wanted && (values.is_empty() || values.contains(&tag.value)))
        };
        !self.none
            && self.state.is_none_or(|state| state == key.state)
            && self.origin.is_none_or(|origin| origin == key.origin)
            && (self.text.is_empty()
                || key.alias.contains(&self.text)
                || key.id.to_string().contains(&self.text))
            && self.tags.iter().all(|(wanted, values)| tagged(wanted, values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn filters_and_pages() {
        let world = World::new().await;
        for (alias, kind, tag) in [("app-1", 1, "a"), ("app-2", 1, "b"), ("web-3", 2, "a")] {
            let ask = json!({"Alias": alias, "Type": kind, "Tags": [{"TagKey": "t", "TagValue": tag}]});
            assert_eq!(world.code("root", "kms", "CreateKey", &ask).await, "ok");
            world.clock.advance(std::time::Duration::from_secs(1));
        }
        for (ask, aliases, total) in [
            (json!({}), vec!["web-3", "app-2", "app-1"], 3),
            (json!({"OrderType": 1, "Limit": 2}), vec!["app-1", "app-2"], 3),
            (json!({"OrderType": 1, "Limit": 2, "Offset": 2}), vec!["web-3"], 3),
            (json!({"Offset": 9}), vec![], 3),
            (json!({"KeyState": 4}), vec!["web-3"], 1),
            (json!({"KeyState": 5}), vec![], 0),
            (json!({"Origin": "TENCENT_KMS"}), vec!["app-2", "app-1"], 2),
            (json!({"SearchKeyAlias": "app"}), vec!["app-2", "app-1"], 2),
            (json!({"Role": 1}), vec![], 0),
            (json!({"KeyUsage": "ASYMMETRIC_DECRYPT_SM2"}), vec![], 0),
            (json!({"TagFilters": [{"TagKey": "t", "TagValue": ["a"]}]}), vec!["web-3", "app-1"], 2),
            (json!({"TagFilters": [{"TagKey": "t", "TagValue": []}]}), vec!["web-3", "app-2", "app-1"], 3),
            (json!({"TagFilters": [{"TagKey": "other"}]}), vec![], 0),
        ] {
            let answer = world.call("root", "kms", "ListKeyDetail", &ask).await;
            let listed: Vec<_> = answer["KeyMetadatas"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|key| key["Alias"].clone())
                .collect();
            assert_eq!((json!(listed), &answer["TotalCount"]), (json!(aliases), &json!(total)), "{ask}");
        }
        for bad in
            [json!({"Limit": 201}), json!({"KeyState": 6}), json!({"Origin": "x"}), json!({"Offset": -1})]
        {
            assert_eq!(world.code("root", "kms", "ListKeyDetail", &bad).await, "InvalidParameter", "{bad}");
        }
        let stranger = world.call("stranger", "kms", "ListKeys", &json!({})).await;
        assert_eq!(stranger, json!({"Keys": [], "TotalCount": 0}));
    }
}
