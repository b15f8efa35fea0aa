//! `ListKmsTags`: every tag of a project's keys, with its values.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Serialize;

use crate::kms::read;

pub(super) const ACTION: Action = read(
    "ListKmsTags",
    Permission::TagListAll,
    "https://support.huaweicloud.com/intl/en-us/api-dew/ListKmsTags.html",
);

#[derive(Debug, Serialize)]
struct Tags {
    tags: Vec<TagOfMany>,
}

#[derive(Debug, Serialize)]
struct TagOfMany {
    key: String,
    values: Vec<String>,
}

pub(super) async fn run(cx: &Cx<'_>, _: &Request) -> Result<Reply, Fault> {
    let ring = cx.ring().await?;
    let tags = cx.all_tags(&ring).await?;
    let tags = tags.into_iter().map(|(key, values)| TagOfMany { key, values: values.into_iter().collect() });
    Ok(Reply::json(&Tags { tags: tags.collect() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    fn list() -> Ask {
        Ask::get("/v1.0/{project}/kms/tags")
    }

    #[test]
    fn golden() {
        let tag = |key: &str, value: &str| {
            let body = json!({"tag": {"key": "team", "value": value}});
            Ask::post(format!("/v1.0/{{project}}/kms/{key}/tags"), body)
        };
        let second =
            Ask::kms("create-key", json!({"key_alias": "second"})).keep("second", "/key_info/key_id");
        check("kms.ListKmsTags", &[list(), second, tag("{key}", "red"), tag("{second}", "blue"), list()]);
    }

    #[test]
    fn what_it_takes() {
        World::new().outcomes([
            (list().signed_by("admin"), "200"),
            (list().signed_by("alice"), "403 KMS.0307"),
            (list().signed_by("stranger"), "403 KMS.0321"),
            (list().anonymous(), "403 KMS.0301"),
        ]);
    }
}
