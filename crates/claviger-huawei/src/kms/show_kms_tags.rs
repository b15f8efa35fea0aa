//! `ShowKmsTags`: the tags of a key.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission};
use serde::Serialize;

use crate::kms::parameter::key_in_path;
use crate::kms::read;
use crate::kms::tag_item::{ShownTag, shown};

pub(super) const ACTION: Action = read(
    "ShowKmsTags",
    Permission::TagList,
    "https://support.huaweicloud.com/intl/en-us/api-dew/ShowKmsTags.html",
);

#[derive(Debug, Serialize)]
struct Tags<'a> {
    tags: Vec<ShownTag<'a>>,
    #[serde(rename = "existTagsNum")]
    count: usize,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let key = cx.key(key_in_path(request)?).await?;
    let tags = &key.record().tags;
    Ok(Reply::json(&Tags { tags: shown(tags), count: tags.len() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    fn show(key: &str) -> Ask {
        Ask::get(format!("/v1.0/{{project}}/kms/{key}/tags"))
    }

    #[test]
    fn golden() {
        let tags = json!({"action": "create", "tags": [{"key": "z", "value": "1"}, {"key": "a"}]});
        check(
            "kms.ShowKmsTags",
            &[show("{key}"), Ask::post("/v1.0/{project}/kms/{key}/tags/action", tags), show("{key}")],
        );
    }

    #[test]
    fn what_it_takes() {
        World::new().outcomes([
            // A client sends a body with every GET.
            (Ask::new("GET", "/v1.0/{project}/kms/{key}/tags", "{}"), "200"),
            (show("x"), "400 KMS.0205"),
            (show("{other_key}"), "404 KMS.0207"),
            (show("{key}").signed_by("alice"), "403 KMS.0306"),
            (show("{key}").anonymous(), "403 KMS.0301"),
        ]);
    }
}
