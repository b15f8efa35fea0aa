//! Tags.

use serde_json::{Value, json};

use super::UNKNOWN_KEY;
use crate::testing::{Ask, BOB, ROOT, check};

fn modify(key: &str, mut body: Value) -> Ask {
    body["Resource"] = json!(format!("qcs::kms:ap-guangzhou:uin/:key/creatorUin/{ROOT}/{key}"));
    Ask::new("tag", "ModifyResourceTags", body)
}

fn describe(key: &str) -> Ask {
    let body = json!({
        "ServiceType": "kms",
        "ResourcePrefix": "key",
        "ResourceIds": [format!("creatorUin/{ROOT}/{key}")],
        "ResourceRegion": "ap-guangzhou",
    });
    Ask::new("tag", "DescribeResourceTagsByResourceIds", body)
}

fn two() -> Value {
    json!({"ReplaceTags": [{"TagKey": "env", "TagValue": "dev"}, {"TagKey": "team", "TagValue": ""}]})
}

#[tokio::test]
async fn describe_resource_tags_by_resource_ids() {
    let odd = json!({
        "ServiceType": "cvm", "ResourcePrefix": "instance", "ResourceIds": ["ins-1"], "ResourceRegion": "",
    });
    check(
        "tag.DescribeResourceTagsByResourceIds",
        &[
            describe("{key}"),
            modify("{key}", two()),
            describe("{key}"),
            describe("{key}").signed_by("bob"),
            describe("{key}").signed_by("stranger"),
            describe(UNKNOWN_KEY),
            Ask::new("tag", "DescribeResourceTagsByResourceIds", odd),
        ],
    )
    .await;
}

#[tokio::test]
async fn modify_resource_tags() {
    let change =
        json!({"ReplaceTags": [{"TagKey": "env", "TagValue": "prod"}], "DeleteTags": [{"TagKey": "team"}]});
    let both = json!({"ReplaceTags": [{"TagKey": "a", "TagValue": "1"}], "DeleteTags": [{"TagKey": "a"}]});
    let of_user = json!({
        "Resource": format!("qcs::cam::uin/:uin/{BOB}"),
        "ReplaceTags": [{"TagKey": "a", "TagValue": "1"}],
    });
    check(
        "tag.ModifyResourceTags",
        &[
            modify("{key}", two()),
            modify("{key}", change.clone()),
            describe("{key}"),
            modify("{key}", change.clone()).signed_by("bob"),
            modify("{other_key}", change),
            modify("{key}", both),
            modify("{key}", json!({"ReplaceTags": []})),
            Ask::new("tag", "ModifyResourceTags", of_user),
        ],
    )
    .await;
}
