//! `ModifyResourceTags`: sets some tags of a resource and takes others away, all or nothing.

use claviger_api::{Access, Action, Effect, Reply, Request};
use claviger_core::fault::{KeyFault, TagFault};
use claviger_core::tag::{self, Tag};
use claviger_core::{Cx, Fault, Permission};
use serde::Deserialize;

use super::resource::{KeyPath, Resource, SixSegments, in_region};
use crate::wire::parse;

/// The action.
pub(super) const ACTION: Action = Action {
    service: "tag",
    name: "ModifyResourceTags",
    permission: Permission::TagUpdate,
    rate: 20,
    effect: Effect::Writes,
    access: Access::Signed,
    reference: "https://www.tencentcloud.com/document/product/651/33012",
};

/// Most tags taken away at once.
const MOST_DELETED: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Parameters {
    resource: String,
    replace_tags: Option<Vec<NewTag>>,
    delete_tags: Option<Vec<TagKeyObject>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NewTag {
    tag_key: String,
    tag_value: String,
    #[serde(default, rename = "Category")]
    _category: Category,
}

/// Users set tags of this category only.
#[derive(Debug, Default, Deserialize)]
enum Category {
    #[default]
    Custom,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagKeyObject {
    tag_key: String,
}

/// What is to change: at least one tag, and no key on both lists.
#[derive(Debug)]
struct Changes {
    replace: Vec<Tag>,
    delete: Vec<String>,
}

/// Performs it.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let asked: Parameters = parse(request)?;
    let malformed = || Fault::value("Resource");
    let name = SixSegments::parse(&asked.resource).ok_or_else(malformed)?;
    let changes = Changes::parse(asked.replace_tags, asked.delete_tags)?;
    let there = in_region(cx, name.region).ok_or_else(malformed)?;
    if name.account.is_some_and(|account| cx.caller().is_ok_and(|caller| caller.account.id != account)) {
        return Err(KeyFault::NotFound.into());
    }
    match name.resource {
        Resource::Key(path) => {
            cx.touch(|| format!("key/{}", path.id));
            modify_key(&there, path, &changes).await?;
            Ok(Reply::nothing())
        }
        Resource::User(id) => {
            cx.touch(|| format!("user/{}", id.0));
            there.user(id).await?;
            // Users carry no tags yet.
            Err(TagFault::ActionInvalid.into())
        }
    }
}

/// Takes tags away first: only what is there in the end counts against the limit.
async fn modify_key(cx: &Cx<'_>, path: KeyPath, changes: &Changes) -> Result<(), Fault> {
    let mut edit = cx.edit(path.id).await?;
    if edit.key.creator != path.creator {
        return Err(KeyFault::NotFound.into());
    }
    for key in &changes.delete {
        tag::remove(&mut edit.key.tags, key);
    }
    tag::set(&mut edit.key.tags, &changes.replace, cx.authority.limits().tags)?;
    edit.commit().await?;
    Ok(())
}

impl Changes {
    /// A list may be absent, but not empty, and not both absent.
    fn parse(replace: Option<Vec<NewTag>>, delete: Option<Vec<TagKeyObject>>) -> Result<Self, Fault> {
        let nothing = replace.is_none() && delete.is_none();
        if nothing
            || replace.as_ref().is_some_and(Vec::is_empty)
            || delete.as_ref().is_some_and(Vec::is_empty)
        {
            return Err(TagFault::ListEmpty.into());
        }
        let replace: Vec<Tag> = replace
            .unwrap_or_default()
            .into_iter()
            .map(|tag| Tag { key: tag.tag_key, value: tag.tag_value })
            .collect();
        let delete: Vec<String> = delete.unwrap_or_default().into_iter().map(|tag| tag.tag_key).collect();
        if delete.len() > MOST_DELETED {
            return Err(TagFault::ListTooLong.into());
        }
        if replace.iter().any(|tag| delete.contains(&tag.key)) {
            return Err(Fault::value("DeleteTags"));
        }
        Ok(Self { replace, delete })
    }
}
