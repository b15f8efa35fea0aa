//! `DescribeResourceTagsByResourceIds`: the tags of resources of one kind, by pages of tags.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::KeyFault;
use claviger_core::tag::Tag;
use claviger_core::{Cx, Fault, Permission};
use serde::{Deserialize, Serialize};

use super::resource::{Kind, Resource, in_region};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "tag",
    name: "DescribeResourceTagsByResourceIds",
    permission: Permission::TagList,
    rate: 100,
    effect: Effect::Reads,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/651/33022",
};

/// Most resources asked for at once.
const MOST_RESOURCES: usize = 50;
/// Tags of a page, where nothing is said.
const PAGE: u64 = 15;
/// Most tags of a page.
const MOST_PER_PAGE: u64 = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    service_type: String,
    resource_prefix: String,
    resource_ids: Vec<String>,
    resource_region: String,
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    #[serde(default)]
    category: Category,
}

/// Whose tags: those that users set, or those that the platform sets, of which there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Category {
    All,
    #[default]
    Custom,
    System,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    total_count: usize,
    offset: u64,
    limit: u64,
    tags: Vec<TagResource>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    tag_key: String,
    tag_value: String,
    resource_id: String,
    /// Digests are not given: nothing asks for tags by them.
    tag_key_md5: &'static str,
    tag_value_md5: &'static str,
    service_type: String,
    category: &'static str,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let kind = Kind::of(&asked.service_type).ok_or(Fault::value("ServiceType"))?;
    if asked.resource_prefix != kind.prefix() {
        return Err(Fault::value("ResourcePrefix"));
    }
    if !(1..=MOST_RESOURCES).contains(&asked.resource_ids.len()) {
        return Err(Fault::value("ResourceIds"));
    }
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=MOST_PER_PAGE).contains(&limit) {
        return Err(Fault::value("Limit"));
    }
    let there = in_region(cx, &asked.resource_region).ok_or(Fault::value("ResourceRegion"))?;
    let mut all = Vec::new();
    for name in &asked.resource_ids {
        let resource = kind.resource(name).ok_or(Fault::value("ResourceIds"))?;
        cx.touch(|| format!("{}/{name}", kind.prefix()));
        all.extend(tags_of(&there, resource).await?.into_iter().map(|tag| (name, tag)));
    }
    if asked.category == Category::System {
        all.clear();
    }
    let (skipped, taken) = (to_usize(asked.offset), to_usize(limit));
    let total_count = all.len();
    let tags = all.into_iter().skip(skipped).take(taken).map(|(name, tag)| TagResource {
        tag_key: tag.key,
        tag_value: tag.value,
        resource_id: name.clone(),
        tag_key_md5: "",
        tag_value_md5: "",
        service_type: asked.service_type.clone(),
        category: "Custom",
    });
    Ok(Reply::json(&Output { total_count, offset: asked.offset, limit, tags: tags.collect() }))
}

/// Users carry no tags yet, but one that is not there, or that the caller may not see, is refused all the same.
async fn tags_of(cx: &Cx<'_>, resource: Resource) -> Result<Vec<Tag>, Fault> {
    match resource {
        Resource::Key(path) => {
            let key = cx.key(path.id).await?;
            if key.record().creator != path.creator {
                return Err(KeyFault::NotFound.into());
            }
            Ok(key.record().tags.clone())
        }
        Resource::User(id) => {
            cx.user(id).await?;
            Ok(Vec::new())
        }
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
