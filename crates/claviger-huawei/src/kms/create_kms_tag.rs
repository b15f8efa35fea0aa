//! `CreateKmsTag`: adds one tag to a key, or changes the value of one that is there.

use claviger_api::{Action, Reply, Request};
use claviger_core::{Cx, Fault, Permission, tag};
use hyper::StatusCode;
use serde::Deserialize;

use crate::kms::parameter::{Sequence, body, key_in_path};
use crate::kms::tag_item::TagItem;
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "CreateKmsTag",
    Permission::TagUpdate,
    "https://support.huaweicloud.com/intl/en-us/api-dew/CreateKmsTag.html",
);

#[derive(Debug, Deserialize)]
struct Ask {
    tag: TagItem,
    #[serde(rename = "sequence")]
    _sequence: Option<Sequence>,
}

pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let id = key_in_path(request)?;
    let ask: Ask = body(request)?;
    let mut edit = cx.edit(id).await?;
    tag::set(&mut edit.key.tags, &[ask.tag.into()], cx.authority.limits().tags)?;
    edit.commit().await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use claviger_core::Limits;
    use claviger_core::tag::TagProfile;
    use serde_json::{Value, json};

    use crate::testing::{Ask, World, check};

    fn add(key: &str, value: &str) -> Ask {
        raw(json!({"tag": {"key": key, "value": value}}))
    }

    fn raw(body: Value) -> Ask {
        Ask::post("/v1.0/{project}/kms/{key}/tags", body)
    }

    fn show() -> Ask {
        Ask::get("/v1.0/{project}/kms/{key}/tags")
    }

    #[test]
    fn golden() {
        check(
            "kms.CreateKmsTag",
            &[add("DEV", "DEV1"), add("DEV", "DEV2"), show(), add("a*b", ""), add("k", "v").anonymous()],
        );
    }

    #[test]
    fn classic_limits() {
        let wide = |n: usize| "𝒳".repeat(n);
        World::new().outcomes([
            (raw(json!({})), "400 KMS.0204"),
            (raw(json!({"tag": null})), "400 KMS.0204"),
            (raw(json!({"tag": {}})), "400 KMS.0204"),
            (raw(json!({"tag": 1})), "400 KMS.0308"),
            (raw(json!({"tag": {"value": "v"}})), "400 KMS.0204"),
            (raw(json!({"tag": {"key": "only"}})), "204"),
            (add("", "v"), "400 KMS.0411"),
            (add("   ", "v"), "400 KMS.0411"),
            (add(&wide(36), &wide(43)), "204"),
            (add(&wide(37), ""), "400 KMS.0411"),
            (add("k", &wide(44)), "400 KMS.0410"),
            (add("a=b", ""), "400 KMS.0406"),
            (add("k", "<"), "400 KMS.0405"),
            (raw(json!({"tag": {"key": "k"}, "sequence": "short"})), "400 KMS.0206"),
        ]);
    }

    #[test]
    fn the_eleventh_tag_is_one_too_many() {
        let mut world = World::new();
        for number in 0..10 {
            world.outcomes([(add(&format!("k{number}"), ""), "204")]);
        }
        world.outcomes([(add("k10", ""), "400 KMS.0409"), (add("k9", "new"), "204")]);
    }

    #[test]
    fn the_modern_profile_is_wider() {
        let mut world = World::with(Limits { tags: TagProfile::Modern, ..Limits::default() });
        world.outcomes([
            (add("a=b", "c/d"), "204"),
            (add(&"k".repeat(128), &"v".repeat(255)), "204"),
            (add(&"k".repeat(129), ""), "400 KMS.0411"),
            (add("sysadmin", ""), "400 KMS.0406"),
        ]);
    }

    #[test]
    fn whom_and_what_it_takes() {
        let to =
            |key: &str| Ask::post(format!("/v1.0/{{project}}/kms/{key}/tags"), json!({"tag": {"key": "k"}}));
        World::new().outcomes([
            (to("x"), "400 KMS.0205"),
            (to("0D0466B0-e727-4d9c-b35d-f84bb474a37f"), "400 KMS.0205"),
            (to("0d0466b0-e727-4d9c-b35d-f84bb474a37f"), "404 KMS.0207"),
            (to("{other_key}"), "404 KMS.0207"),
            (to("{key}").signed_by("alice"), "403 KMS.0306"),
            (to("{key}").signed_by("admin"), "204"),
            (to("{key}").signed_by("stranger"), "403 KMS.0321"),
            (to("{key}").anonymous(), "403 KMS.0301"),
        ]);
    }

    #[test]
    fn a_store_that_fails() {
        let mut world = World::new();
        world.faults.refuse.store(true, Ordering::SeqCst);
        world.outcomes([(add("k", "v"), "503 KMS.0104")]);
        world.faults.refuse.store(false, Ordering::SeqCst);
        assert_eq!(world.send(&show()).json()["existTagsNum"], 0);
        world.faults.lose_answer.store(true, Ordering::SeqCst);
        world.outcomes([(add("k", "v"), "500 KMS.0101")]);
    }
}
