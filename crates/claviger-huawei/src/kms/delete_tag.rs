//! `DeleteTag`: deletes one tag of a key, named in the path.

use claviger_api::{Action, Reply, Request};
use claviger_core::fault::TagFault;
use claviger_core::{Cx, Fault, Permission, tag};
use hyper::StatusCode;

use crate::kms::parameter::key_in_path;
use crate::kms::write;

pub(super) const ACTION: Action = write(
    "DeleteTag",
    Permission::TagUpdate,
    "https://support.huaweicloud.com/intl/en-us/api-dew/DeleteTag.html",
);

/// A body is let pass: some clients send one, and nothing in it is needed.
pub(super) async fn run(cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
    let id = key_in_path(request)?;
    let mut edit = cx.edit(id).await?;
    if !tag::remove(&mut edit.key.tags, request.captured(2)) {
        return Err(TagFault::NotFound.into());
    }
    edit.commit().await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Ask, World, check};

    fn delete(key: &str) -> Ask {
        Ask::delete(format!("/v1.0/{{project}}/kms/{{key}}/tags/{key}"))
    }

    fn add(key: &str) -> Ask {
        Ask::post("/v1.0/{project}/kms/{key}/tags", json!({"tag": {"key": key, "value": "v"}}))
    }

    #[test]
    fn golden() {
        check("kms.DeleteTag", &[add("DEV"), delete("DEV"), delete("DEV")]);
    }

    #[test]
    fn every_character_a_path_can_be_confused_by() {
        let mut world = World::new();
        for (key, written) in [
            ("a b", "a%20b"),
            ("a/b", "a%2Fb"),
            ("a/b", "a/b"),
            ("a//b", "a//b"),
            ("/", "%2F"),
            ("a/", "a%2F"),
            ("a+b", "a+b"),
            ("a+b", "a%2Bb"),
            ("100%", "100%25"),
            ("100%", "100%"),
            ("%2F", "%252F"),
            ("%20", "%2520"),
            ("环境", "%E7%8E%AF%E5%A2%83"),
            ("a?b#c", "a%3Fb%23c"),
            ("action", "action"),
            ("tags", "tags"),
        ] {
            world.outcomes([(add(key), "204"), (delete(written), "204")]);
            let left = world.send(&Ask::get("/v1.0/{project}/kms/{key}/tags")).json();
            assert_eq!(left["existTagsNum"], 0, "{key} as {written}");
        }
    }

    #[test]
    fn what_it_takes() {
        World::new().outcomes([
            (delete("never"), "404 KMS.0416"),
            (delete("DEV").signed_by("alice"), "403 KMS.0306"),
            (delete("DEV").anonymous(), "403 KMS.0301"),
            (Ask::delete("/v1.0/{project}/kms/x/tags/DEV"), "400 KMS.0205"),
            (Ask::delete("/v1.0/{project}/kms/{other_key}/tags/DEV"), "404 KMS.0207"),
        ]);
    }

    #[test]
    fn a_slash_added_on_the_way_reaches_no_tag() {
        let mut world = World::new();
        world.outcomes([(add("a"), "204"), (add("a/"), "204")]);
        let mut request = world.incoming(&delete("a"));
        request.uri = format!("{}/", request.uri).parse().expect("a path");
        assert_eq!(world.serve(request).outcome(), "404 APIGW.0101");
        let left = world.send(&Ask::get("/v1.0/{project}/kms/{key}/tags")).json();
        assert_eq!(left["existTagsNum"], 2);
    }
}
