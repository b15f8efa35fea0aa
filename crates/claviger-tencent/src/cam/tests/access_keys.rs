use std::sync::atomic::Ordering::SeqCst;

use serde_json::json;

use super::{ALICE, BOB, ROOT, STRANGER, allow, check, text, world};
use crate::testing::secret_id;

#[tokio::test]
async fn every_documented_outcome_of_update_access_key() {
    let world = world().await;
    let update = |who: &str, target: u64| json!({"AccessKeyId": secret_id(who), "Status": "Active", "TargetUin": target});
    let id = secret_id("bob");
    let rows = [
        ("root", json!({"AccessKeyId": secret_id("root"), "Status": "Active"}), "ok"),
        ("root", update("root", 0), "ok"),
        ("root", update("root", ROOT), "ok"),
        ("root", update("bob", BOB), "ok"),
        ("root", json!({"AccessKeyId": id, "Status": "Active", "TargetUin": BOB.to_string()}), "ok"),
        ("alice", update("alice", ALICE), "ok"),
        ("alice", update("bob", BOB), "ok"),
        ("bob", update("bob", BOB), "AuthFailure.UnauthorizedOperation"),
        ("bob", json!({"AccessKeyId": id, "Status": "Active"}), "AuthFailure.UnauthorizedOperation"),
        ("bob", update("alice", ALICE), "AuthFailure.UnauthorizedOperation"),
        ("alice", update("root", ROOT), "OperationDenied.SubUin"),
        ("alice", json!({"AccessKeyId": secret_id("root"), "Status": "Active"}), "OperationDenied.SubUin"),
        ("alice", update("bob", ROOT), "OperationDenied.SubUin"),
        ("bob", update("root", ROOT), "OperationDenied.SubUin"),
        ("root", update("bob", ALICE), "OperationDenied.UinNotMatch"),
        ("root", json!({"AccessKeyId": id, "Status": "Active"}), "OperationDenied.UinNotMatch"),
        ("root", update("stranger", ROOT), "OperationDenied.UinNotMatch"),
        ("root", update("stranger", STRANGER), "InvalidParameter.UserNotExist"),
        ("stranger", update("root", ROOT), "InvalidParameter.UserNotExist"),
        ("stranger", json!({"AccessKeyId": id, "Status": "Active"}), "OperationDenied.UinNotMatch"),
        ("root", update("bob", 7), "InvalidParameter.UserNotExist"),
        ("root", update("unknown", BOB), "ResourceNotFound.SecretNotExist"),
        ("root", json!({"AccessKeyId": id, "Status": "active"}), "InvalidParameter.ParamError"),
        ("root", json!({"AccessKeyId": id, "Status": ""}), "InvalidParameter.ParamError"),
        ("root", json!({"AccessKeyId": "", "Status": "Active"}), "InvalidParameter.ParamError"),
        ("root", json!({"AccessKeyId": "AKID-1", "Status": "Active"}), "InvalidParameter.ParamError"),
        ("root", json!({"AccessKeyId": "a".repeat(65), "Status": "Active"}), "InvalidParameter.ParamError"),
        ("root", json!({"AccessKeyId": id}), "MissingParameter"),
        ("root", json!({"Status": "Active"}), "MissingParameter"),
        ("root", json!({"AccessKeyId": 5, "Status": "Active"}), "InvalidParameter"),
        ("root", json!({"AccessKeyId": id, "Status": 1}), "InvalidParameter"),
        ("root", json!({"AccessKeyId": id, "Status": "Active", "TargetUin": -1}), "InvalidParameter"),
        ("root", json!({"AccessKeyId": id, "Status": "Active", "Odd": 1}), "UnknownParameter"),
        // What is wrong with the parameters is said before who asks is looked at, and who is meant before what is.
        ("bob", json!({"AccessKeyId": id, "Status": "x", "TargetUin": 7}), "InvalidParameter.ParamError"),
        ("bob", update("unknown", 7), "InvalidParameter.UserNotExist"),
        ("bob", update("unknown", BOB), "AuthFailure.UnauthorizedOperation"),
    ];
    check(&world, "UpdateAccessKey", &rows).await;
}

#[tokio::test]
async fn an_inactive_key_stops_working_at_once() {
    let world = world().await;
    let set = |status: &str| json!({"AccessKeyId": secret_id("alice"), "Status": status, "TargetUin": ALICE});
    for (status, code) in [
        ("Inactive", "AuthFailure.SecretIdNotFound"),
        ("Inactive", "AuthFailure.SecretIdNotFound"),
        ("Active", "ok"),
        ("Active", "ok"),
    ] {
        assert_eq!(world.code("root", "cam", "UpdateAccessKey", &set(status)).await, "ok");
        let listed = world.call("root", "cam", "ListAccessKeys", &json!({"TargetUin": ALICE})).await;
        assert_eq!(text(&listed, "/AccessKeys/0/Status"), status);
        assert_eq!(world.code("alice", "sts", "GetCallerIdentity", &json!({})).await, code, "{status}");
    }
}

#[tokio::test]
async fn keys_are_made_listed_and_deleted() {
    let world = world().await;
    let made =
        world.call("root", "cam", "CreateAccessKey", &json!({"TargetUin": BOB, "Description": "ci"})).await;
    let id = text(&made, "/AccessKey/AccessKeyId").to_owned();
    assert!(id.starts_with("AKID") && id.len() == 36, "{id}");
    assert_eq!(text(&made, "/AccessKey/SecretAccessKey").len(), 32);
    assert_eq!(text(&made, "/AccessKey/CreateTime"), "2026-01-02 11:04:05");
    assert_eq!(text(&made, "/AccessKey/Status"), "Active");
    let third = json!({"TargetUin": BOB});
    check(
        &world,
        "CreateAccessKey",
        &[
            ("root", third.clone(), "OperationDenied.AccessKeyOverLimit"),
            ("bob", json!({}), "AuthFailure.UnauthorizedOperation"),
            ("alice", json!({"TargetUin": ROOT}), "OperationDenied.SubUin"),
            ("root", json!({"TargetUin": STRANGER}), "InvalidParameter.UserNotExist"),
            ("root", json!({"Description": "two words"}), "InvalidParameter.ParamError"),
            ("root", json!({"Description": 1}), "InvalidParameter"),
        ],
    )
    .await;
    let listed = world.call("alice", "cam", "ListAccessKeys", &json!({"TargetUin": BOB})).await;
    assert_eq!(
        listed,
        json!({"AccessKeys": [
            {
                "AccessKeyId": secret_id("bob"), "Status": "Active", "CreateTime": "2026-01-02 11:04:05",
                "Description": "",
            },
            {"AccessKeyId": id, "Status": "Active", "CreateTime": "2026-01-02 11:04:05", "Description": "ci"},
        ]})
    );
    check(
        &world,
        "ListAccessKeys",
        &[
            ("root", json!({}), "ok"),
            ("root", json!({"TargetUin": null}), "ok"),
            ("bob", json!({}), "AuthFailure.UnauthorizedOperation"),
            ("alice", json!({"TargetUin": ROOT}), "OperationDenied.SubUin"),
            ("stranger", json!({"TargetUin": BOB}), "InvalidParameter.UserNotExist"),
        ],
    )
    .await;
    let delete = |target: u64| json!({"AccessKeyId": id, "TargetUin": target});
    check(
        &world,
        "DeleteAccessKey",
        &[
            ("bob", json!({"AccessKeyId": id}), "AuthFailure.UnauthorizedOperation"),
            ("alice", json!({"AccessKeyId": secret_id("root")}), "OperationDenied.SubUin"),
            ("root", delete(ALICE), "OperationDenied.UinNotMatch"),
            ("root", delete(BOB), "ok"),
            ("root", delete(BOB), "ResourceNotFound.SecretNotExist"),
            ("root", json!({}), "MissingParameter"),
        ],
    )
    .await;
    assert_eq!(world.code("root", "cam", "CreateAccessKey", &third).await, "ok");
}

#[tokio::test]
async fn last_use_is_told() {
    let world = world().await;
    let id = secret_id("root");
    let ask = json!({"SecretIdList": [id, secret_id("bob"), "AKIDunknown", secret_id("stranger")]});
    assert_eq!(
        world.call("root", "cam", "GetSecurityLastUsed", &ask).await,
        json!({"SecretIdLastUsedRows": [
            {"SecretId": id, "LastUsedDate": "2026-01-02", "LastSecretUsedDate": 1_767_323_045_000_u64},
            {"SecretId": secret_id("bob"), "LastUsedDate": null, "LastSecretUsedDate": null},
            {"SecretId": "AKIDunknown", "LastUsedDate": null, "LastSecretUsedDate": null},
            {"SecretId": secret_id("stranger"), "LastUsedDate": null, "LastSecretUsedDate": null},
        ]})
    );
    check(
        &world,
        "GetSecurityLastUsed",
        &[
            ("alice", json!({"SecretIdList": vec![&id; 10]}), "ok"),
            ("alice", json!({"SecretIdList": vec![&id; 11]}), "InvalidParameter"),
            ("alice", json!({"SecretIdList": []}), "InvalidParameter"),
            ("alice", json!({"SecretIdList": ["a b"]}), "InvalidParameter"),
            ("bob", json!({"SecretIdList": [id]}), "AuthFailure.UnauthorizedOperation"),
        ],
    )
    .await;
}

#[tokio::test]
async fn permissions_may_name_users() {
    let world = world().await;
    let statement = json!({
        "effect": "allow", "action": "cam:*AccessKey*", "resource": format!("qcs::cam::uin/:uin/{BOB}"),
    });
    let helper = json!({"version": "2.0", "statement": [statement]});
    world.user("carol", 100_000_000_004, &[helper]).await;
    world.user("dave", 100_000_000_005, &[allow(&["cam:*"]), json!({"version": "2.0", "statement": {
        "effect": "deny", "action": "cam:UpdateAccessKey", "resource": format!("qcs::cam::uin/:uin/{ALICE}"),
    }})])
    .await;
    let update = |who: &str, target: u64| json!({"AccessKeyId": secret_id(who), "Status": "Active", "TargetUin": target});
    check(
        &world,
        "UpdateAccessKey",
        &[
            ("carol", update("bob", BOB), "ok"),
            ("carol", update("alice", ALICE), "AuthFailure.UnauthorizedOperation"),
            ("dave", update("bob", BOB), "ok"),
            ("dave", update("alice", ALICE), "AuthFailure.UnauthorizedOperation"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_failing_store_is_told_as_documented() {
    let world = world().await;
    let id = secret_id("bob");
    let target = json!({"TargetUin": BOB});
    let named = json!({"AccessKeyId": id, "TargetUin": BOB});
    let status = json!({"AccessKeyId": id, "TargetUin": BOB, "Status": "Inactive"});
    let rows = [("UpdateAccessKey", status), ("CreateAccessKey", target.clone()), ("DeleteAccessKey", named)];
    world.faults.refuse.store(true, SeqCst);
    for (action, parameters) in &rows {
        assert_eq!(
            world.code("root", "cam", action, parameters).await,
            "FailedOperation.Accesskey",
            "{action}"
        );
    }
    // Nothing is left of a user that could not be made: its name is free afterwards.
    let new = json!({"Name": "carol", "UseApi": 1});
    assert_eq!(world.code("root", "cam", "AddUser", &new).await, "ServiceUnavailable");
    world.faults.refuse.store(false, SeqCst);
    let listed = world.call("root", "cam", "ListAccessKeys", &target).await;
    assert_eq!(text(&listed, "/AccessKeys/0/Status"), "Active");
    assert!(listed.pointer("/AccessKeys/1").is_none(), "{listed}");
    assert_eq!(world.code("root", "cam", "AddUser", &new).await, "ok");

    world.faults.lose_answer.store(true, SeqCst);
    let (action, parameters) = &rows[0];
    assert_eq!(world.code("root", "cam", action, parameters).await, "InternalError");
    world.faults.lose_answer.store(false, SeqCst);
}
