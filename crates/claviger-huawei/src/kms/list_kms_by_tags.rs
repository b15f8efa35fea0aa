//! `ListKmsByTags`: finds or counts keys by tags and names.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::TagFault;
use claviger_core::key::Key;
use claviger_core::key::list::Order;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use crate::kms::key_info::KeyInfo;
use crate::kms::parameter::{Sequence, body};
use crate::kms::read;
use crate::kms::tag_item::{ShownTag, shown};

pub(super) const ACTION: Action = read(
    "ListKmsByTags",
    Permission::TagQuery,
    "https://support.huaweicloud.com/intl/en-us/api-dew/ListKmsByTags.html",
);

/// Most tags, values of one tag, and matches of one query.
const CONDITIONS: usize = 10;
/// Keys on a page unless the caller says otherwise.
const DEFAULT_LIMIT: usize = 10;
const MOST: usize = 1000;
/// Longest value of a match, in characters.
const MATCH_CHARS: usize = 255;

#[derive(Debug, Deserialize)]
struct Ask {
    action: String,
    limit: Option<String>,
    offset: Option<String>,
    tags: Option<Vec<TagValues>>,
    matches: Option<Vec<Match>>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

#[derive(Debug, Deserialize)]
struct TagValues {
    key: String,
    values: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Match {
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Counted {
    total_count: usize,
}

#[derive(Debug, Serialize)]
struct FoundKeys<'a> {
    resources: Vec<FoundKey<'a>>,
    total_count: usize,
}

#[derive(Debug, Serialize)]
struct FoundKey<'a> {
    resource_id: String,
    resource_detail: KeyInfo,
    resource_name: &'a str,
    tags: Vec<ShownTag<'a>>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let ask: Ask = body(request)?;
    let (offset, limit) = match ask.action.as_str() {
        // Where a page begins means nothing to a count; clients send it all the same.
        "count" => (0, 0),
        "filter" => (offset(ask.offset.as_deref())?, limit(ask.limit.as_deref())?),
        _ => return Err(TagFault::ActionInvalid.into()),
    };
    let query = Query::parse(ask.tags.unwrap_or_default(), ask.matches.unwrap_or_default())?;
    let ring = cx.ring().await?;
    let listed = cx.list_keys(&ring, Order::OldestFirst, offset, limit, |key| query.finds(key)).await?;
    if ask.action == "count" {
        return Ok(Reply::json(&Counted { total_count: listed.total }));
    }
    let resources = listed.keys.iter().map(|key| {
        let detail = KeyInfo::new(cx, key)?;
        let (resource_id, resource_name, tags) = (key.id.to_string(), key.alias.as_str(), shown(&key.tags));
        Ok(FoundKey { resource_id, resource_detail: detail, resource_name, tags })
    });
    let resources = resources.collect::<Result<_, Fault>>()?;
    Ok(Reply::json(&FoundKeys { resources, total_count: listed.total }))
}

/// What a key must have: every tag, with any of its values; and a name that fits every match.
#[derive(Debug)]
struct Query {
    tags: Vec<TagValues>,
    /// Parts of the name, in lower case; an empty one stands for the empty name.
    names: Vec<String>,
}

impl Query {
    fn parse(tags: Vec<TagValues>, matches: Vec<Match>) -> Result<Self, Fault> {
        if tags.len() > CONDITIONS {
            return Err(TagFault::ListTooLong.into());
        }
        for (index, tag) in tags.iter().enumerate() {
            if tag.key.is_empty() {
                return Err(TagFault::KeyEmpty.into());
            }
            if tags.iter().take(index).any(|earlier| earlier.key == tag.key) {
                return Err(TagFault::DuplicateKey.into());
            }
            if tag.values.as_ref().is_some_and(|values| values.len() > CONDITIONS) {
                return Err(TagFault::TooManyValues.into());
            }
        }
        if matches.len() > CONDITIONS || matches.iter().any(|wanted| wanted.key != "resource_name") {
            return Err(TagFault::MatchKeyInvalid.into());
        }
        if matches.iter().any(|wanted| wanted.value.chars().count() > MATCH_CHARS) {
            return Err(TagFault::MatchValueInvalid.into());
        }
        let names = matches.into_iter().map(|wanted| wanted.value.to_lowercase()).collect();
        Ok(Self { tags, names })
    }

    fn finds(&self, key: &Key) -> bool {
        let name = key.alias.to_lowercase();
        self.tags.iter().all(|wanted| wanted.is_on(key))
            && self
                .names
                .iter()
                .all(|part| if part.is_empty() { name.is_empty() } else { name.contains(part) })
    }
}

impl TagValues {
    fn is_on(&self, key: &Key) -> bool {
        let values = self.values.as_deref().unwrap_or_default();
        let tag = key.tags.iter().find(|tag| tag.key == self.key);
        tag.is_some_and(|tag| values.is_empty() || values.contains(&tag.value))
    }
}

fn limit(text: Option<&str>) -> Result<usize, Fault> {
    match text {
        None | Some("") => Ok(DEFAULT_LIMIT),
        Some(text) => {
            let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            limit.ok_or(Fault::Tag(TagFault::PageLimitInvalid))
        }
    }
}

fn offset(text: Option<&str>) -> Result<usize, Fault> {
    match text {
        None | Some("") => Ok(0),
        Some(text) => {
            let offset: u32 = text.parse().map_err(|_| Fault::Tag(TagFault::OffsetInvalid))?;
            Ok(offset as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::{Ask, World, check};

    fn ask(body: Value) -> Ask {
        Ask::post("/v1.0/{project}/kms/resource_instances/action", body)
    }

    fn tag(key: &str, tags: &Value) -> Ask {
        Ask::post(
            format!("/v1.0/{{project}}/kms/{key}/tags/action"),
            json!({"action": "create", "tags": tags}),
        )
    }

    fn create(name: &str) -> Ask {
        Ask::kms("create-key", json!({"key_alias": name})).keep(name, "/key_info/key_id")
    }

    #[test]
    fn golden() {
        let red = json!([{"key": "team", "values": ["red", "blue"]}]);
        check(
            "kms.ListKmsByTags",
            &[
                tag("{key}", &json!([{"key": "team", "value": "red"}, {"key": "env", "value": ""}])),
                ask(json!({"action": "filter", "tags": red})),
                ask(json!({"action": "count", "tags": red})),
                ask(json!({"action": "count"})),
            ],
        );
    }

    #[test]
    fn conditions() {
        let mut world = World::new();
        for (name, tags) in [
            ("Reading-0", json!([{"key": "team", "value": "blue"}, {"key": "env", "value": "dev"}])),
            ("Reading-1", json!([{"key": "team", "value": "blue"}, {"key": "env", "value": "prod"}])),
            ("Reading-2", json!([{"key": "team", "value": "red"}])),
        ] {
            world.clock.advance(Duration::from_millis(1));
            world.outcomes([(create(name), "200"), (tag(&format!("{{{name}}}"), &tags), "204")]);
        }
        for (body, expected) in [
            (json!({}), vec!["first", "Reading-0", "Reading-1", "Reading-2"]),
            (json!({"tags": [], "matches": []}), vec!["first", "Reading-0", "Reading-1", "Reading-2"]),
            (json!({"tags": [{"key": "team", "values": ["blue"]}]}), vec!["Reading-0", "Reading-1"]),
            (
                json!({"tags": [{"key": "team", "values": ["blue", "red"]}]}),
                vec!["Reading-0", "Reading-1", "Reading-2"],
            ),
            (json!({"tags": [{"key": "team", "values": []}]}), vec!["Reading-0", "Reading-1", "Reading-2"]),
            (json!({"tags": [{"key": "team"}, {"key": "env", "values": ["prod"]}]}), vec!["Reading-1"]),
            (json!({"tags": [{"key": "team", "values": ["green"]}]}), vec![]),
            (
                json!({"matches": [{"key": "resource_name", "value": "rEADING-"}]}),
                vec!["Reading-0", "Reading-1", "Reading-2"],
            ),
            (json!({"matches": [{"key": "resource_name", "value": ""}]}), vec![]),
            (json!({"limit": "2", "offset": 1}), vec!["Reading-0", "Reading-1"]),
            (json!({"limit": 1000, "offset": "3"}), vec!["Reading-2"]),
            (json!({"offset": "9"}), vec![]),
        ] {
            let shown = body.to_string();
            let mut body = body;
            body["action"] = "filter".into();
            let found = world.send(&ask(body)).json();
            let names: Vec<&str> = found["resources"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|key| key["resource_name"].as_str())
                .collect();
            assert_eq!(names, expected, "{shown}");
        }
    }

    #[test]
    fn what_is_refused() {
        let filter = |more: Value| {
            let mut body = more;
            body["action"] = "filter".into();
            ask(body)
        };
        let tags =
            |n: usize| json!({"tags": (0..n).map(|i| json!({"key": format!("k{i}")})).collect::<Vec<_>>()});
        let values = |n: usize| json!({"tags": [{"key": "k", "values": vec!["v"; n]}]});
        World::new().outcomes([
            (ask(json!({})), "400 KMS.0204"),
            (ask(json!({"action": "find"})), "400 KMS.0404"),
            (filter(json!({"limit": "0"})), "400 KMS.1601"),
            (filter(json!({"limit": "1000"})), "200"),
            (filter(json!({"limit": "1001"})), "400 KMS.1601"),
            (filter(json!({"limit": "x"})), "400 KMS.1601"),
            (filter(json!({"offset": "-1"})), "400 KMS.0417"),
            (filter(tags(10)), "200"),
            (filter(tags(11)), "400 KMS.0407"),
            (filter(values(10)), "200"),
            (filter(values(11)), "400 KMS.0413"),
            (filter(json!({"tags": [{"key": "k"}, {"key": "k"}]})), "400 KMS.0412"),
            (filter(json!({"tags": [{"key": ""}]})), "400 KMS.0411"),
            (filter(json!({"matches": [{"key": "colour", "value": "red"}]})), "400 KMS.0403"),
            (
                filter(json!({"matches": [{"key": "resource_name", "value": "x".repeat(256)}]})),
                "400 KMS.0402",
            ),
            (ask(json!({"action": "count", "limit": "x", "offset": "-1"})), "200"),
            (filter(json!({})).signed_by("alice"), "403 KMS.0307"),
        ]);
    }
}
