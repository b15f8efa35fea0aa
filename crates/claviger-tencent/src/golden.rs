//! A golden file per action: what is asked for and what is answered, success and the refusals that matter.

mod cam;
mod kms;
mod tag;

use std::collections::BTreeSet;

use serde_json::json;

use crate::testing::{Ask, check};

/// Well formed, and no key's.
const UNKNOWN_KEY: &str = "23e80852-1e38-11e9-b129-5cb9019b4b01";

#[test]
fn there_is_one_golden_file_per_route_and_no_other() {
    let routes = [crate::cam::ROUTES, crate::kms::ROUTES, crate::sts::ROUTES, crate::tag::ROUTES];
    let routes: BTreeSet<String> = (routes.iter().flat_map(|routes| routes.iter()))
        .map(|route| format!("{}.{}.txt", route.action.service, route.action.name))
        .collect();
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).expect("the folder");
    let files: BTreeSet<String> = folder
        .map(|file| file.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(files, routes);
}

#[tokio::test]
async fn get_caller_identity() {
    let ask = |body| Ask::new("sts", "GetCallerIdentity", body);
    check(
        "sts.GetCallerIdentity",
        &[
            ask(json!({})),
            ask(json!({})).signed_by("bob"),
            ask(json!({})).signed_by("nobody"),
            ask(json!({})).signed_by("nobody").in_chinese(),
            ask(json!({"TargetUin": 1})),
        ],
    )
    .await;
}
