//! `BatchCreateKmsTags`: adds, changes or deletes many tags of a key at once, all or none.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::TagFault;
use claviger_core::tag::{self, Tag};
use claviger_core::{Cx, Fault, Permission};
use hyper::StatusCode;
use serde::Deserialize;

use crate::kms::parameter::{Sequence, body, key_in_path};
use crate::kms::tag_item::TagItem;
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "BatchCreateKmsTags",
    Permission::TagUpdate,
    "https://support.huaweicloud.com/intl/en-us/api-dew/BatchCreateKmsTags.html",
);

#[derive(Debug, Deserialize)]
struct Ask {
    action: String,
    tags: Vec<TagItem>,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let id = key_in_path(request)?;
    let ask: Ask = body(request)?;
    let profile = cx.authority.limits().tags;
    if ask.tags.is_empty() {
        return Err(TagFault::ListEmpty.into());
    }
    if ask.tags.len() > profile.most() {
        return Err(TagFault::ListTooLong.into());
    }
    let tags: Vec<Tag> = ask.tags.into_iter().map(Tag::from).collect();
    let mut edit = cx.edit(id).await?;
    match ask.action.as_str() {
        "create" => tag::set(&mut edit.key.tags, &tags, profile)?,
        "delete" => delete(&mut edit.key.tags, &tags)?,
        _ => return Err(TagFault::ActionInvalid.into()),
    }
    edit.commit().await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Deletes by key alone: values are not looked at, and what is not there need not be.
fn delete(tags: &mut Vec<Tag>, named: &[Tag]) -> Result<(), Fault> {
    if named.iter().any(|tag| tag.key.is_empty()) {
        return Err(TagFault::KeyEmpty.into());
    }
    for tag in named {
        tag::remove(tags, &tag.key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Ask, World, check};

    fn batch(action: &str, tags: &[(&str, &str)]) -> Ask {
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        raw(json!({"action": action, "tags": tags}))
    }

    fn raw(body: Value) -> Ask {
        Ask::post("/v1.0/{project}/kms/{key}/tags/action", body)
    }

    fn show() -> Ask {
        Ask::get("/v1.0/{project}/kms/{key}/tags")
    }

    #[test]
    fn golden() {
        check(
            "kms.BatchCreateKmsTags",
            &[
                batch("create", &[("key1", "value1"), ("key2", "value3")]),
                show(),
                batch("delete", &[("key1", "whatever"), ("never", "there")]),
                show(),
                batch("create", &[("a", "1"), ("a", "2")]),
            ],
        );
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut world = World::new();
        world.outcomes([(batch("create", &[("kept", "v")]), "204")]);
        let numbered = |n: usize| {
            let tags: Vec<Value> = (0..n).map(|i| json!({"key": format!("k{i}")})).collect();
            raw(json!({"action": "create", "tags": tags}))
        };
        world.outcomes([
            (raw(json!({"action": "create"})), "400 KMS.0204"),
            (raw(json!({"tags": [{"key": "a"}]})), "400 KMS.0204"),
            (raw(json!({"action": "create", "tags": [{}]})), "400 KMS.0204"),
            (batch("create", &[]), "400 KMS.0401"),
            (batch("delete", &[]), "400 KMS.0401"),
            (batch("Create", &[("a", "1")]), "400 KMS.0404"),
            (batch("", &[("a", "1")]), "400 KMS.0404"),
            (batch("create", &[("a", "1"), ("b", "2"), ("a", "3")]), "400 KMS.0412"),
            (batch("create", &[("a", "1"), ("x*y", "2")]), "400 KMS.0406"),
            (batch("create", &[("a", "1"), ("", "2")]), "400 KMS.0411"),
            (batch("delete", &[("kept", "v"), ("", "2")]), "400 KMS.0411"),
            (batch("delete", &[("kept", "v")]).signed_by("alice"), "403 KMS.0306"),
            (batch("delete", &[("kept", "v")]).anonymous(), "403 KMS.0301"),
            (numbered(11), "400 KMS.0407"),
            (numbered(10), "400 KMS.0409"),
        ]);
        assert_eq!(world.send(&show()).json()["tags"], json!([{"key": "kept", "value": "v"}]));
        world.outcomes([
            (numbered(9), "204"),
            (numbered(9), "204"),
            (batch("delete", &[("a=b", "")]), "204"),
        ]);
        assert_eq!(world.send(&show()).json()["existTagsNum"], 10);
    }
}
