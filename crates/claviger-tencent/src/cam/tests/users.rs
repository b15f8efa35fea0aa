use serde_json::json;

use super::{allow, check, number, text, world};
use crate::testing::secret_id;

#[tokio::test]
async fn users_are_made_and_shown() {
    let world = world().await;
    let made = world
        .call(
            "root",
            "cam",
            "AddUser",
            &json!({
                "Name": "carol", "Remark": "builds", "ConsoleLogin": 1, "UseApi": 1, "Password": "abcDEF12",
                "PhoneNum": "13800138000", "CountryCode": "86", "Email": "carol@example.com",
            }),
        )
        .await;
    let (uin, uid) = (number(&made, "/Uin"), number(&made, "/Uid"));
    assert_eq!(text(&made, "/Password"), "");
    assert_eq!((text(&made, "/SecretId").len(), text(&made, "/SecretKey").len()), (36, 32));
    assert_eq!(
        world.call("alice", "cam", "GetUser", &json!({"Name": "carol"})).await,
        json!({
            "Uin": uin, "Name": "carol", "Uid": uid, "Remark": "builds", "ConsoleLogin": 1,
            "PhoneNum": "13800138000", "CountryCode": "86", "Email": "carol@example.com",
            "RecentlyLoginIP": "", "RecentlyLoginTime": "",
        })
    );
    let listed = world.call("root", "cam", "ListUsers", &json!({})).await;
    let names: Vec<_> = (0..3).map(|at| text(&listed, &format!("/Data/{at}/Name"))).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!(text(&listed, "/Data/2/CreateTime"), "2026-01-02 11:04:05");
    assert!(listed.pointer("/Data/3").is_none());

    let plain = world.call("root", "cam", "AddUser", &json!({"Name": "dave"})).await;
    for member in ["/Password", "/SecretId", "/SecretKey", "/PhoneNumVerifyLink"] {
        assert_eq!(text(&plain, member), "", "{member}");
    }
    let login = world.call("root", "cam", "AddUser", &json!({"Name": "erin", "ConsoleLogin": "1"})).await;
    assert_eq!(text(&login, "/Password").len(), 32);
}

#[tokio::test]
async fn refusals_of_add_user() {
    let world = world().await;
    let rows = [
        ("root", json!({"Name": "bob"}), "InvalidParameter.SubUserNameInUse"),
        ("root", json!({"Name": ""}), "InvalidParameter.UserNameIllegal"),
        ("root", json!({"Name": "a b"}), "InvalidParameter.UserNameIllegal"),
        ("root", json!({"Name": "n".repeat(65)}), "InvalidParameter.UserNameIllegal"),
        ("root", json!({"Name": "n".repeat(64)}), "ok"),
        ("root", json!({"Name": "x", "Password": "abc"}), "InvalidParameter.PasswordViolatedRules"),
        ("root", json!({"Name": "x", "ConsoleLogin": 2}), "InvalidParameter.ParamError"),
        ("root", json!({"Name": "x", "Remark": "r".repeat(256)}), "InvalidParameter.ParamError"),
        ("root", json!({"Name": 1}), "InvalidParameter"),
        ("root", json!({}), "MissingParameter"),
        ("bob", json!({"Name": "x"}), "AuthFailure.UnauthorizedOperation"),
        ("stranger", json!({"Name": "bob"}), "ok"),
    ];
    check(&world, "AddUser", &rows).await;
    check(
        &world,
        "GetUser",
        &[
            ("root", json!({"Name": "nobody"}), "ResourceNotFound.UserNotExist"),
            ("root", json!({"Name": "root"}), "ResourceNotFound.UserNotExist"),
            ("root", json!({"Name": ""}), "ResourceNotFound.UserNotExist"),
            ("bob", json!({"Name": "alice"}), "AuthFailure.UnauthorizedOperation"),
            ("stranger", json!({"Name": "alice"}), "ResourceNotFound.UserNotExist"),
        ],
    )
    .await;
    check(
        &world,
        "ListUsers",
        &[
            ("bob", json!({}), "AuthFailure.UnauthorizedOperation"),
            ("root", json!({"Page": 1}), "UnknownParameter"),
        ],
    )
    .await;
}

/// Who may not make access keys of a user makes none by making the user, and leaves no user behind.
#[tokio::test]
async fn a_first_access_key_needs_its_own_permission() {
    let world = world().await;
    let statement = |effect: &str, action: &str, resource: &str| {
        let statement = json!({"effect": effect, "action": action, "resource": resource});
        json!({"version": "2.0", "statement": statement})
    };
    let add = || allow(&["cam:AddUser"]);
    let users = "qcs::cam::uin/:uin/*";
    for (number, name, documents, outcome) in [
        (11, "none", vec![add()], "AuthFailure.UnauthorizedOperation"),
        (
            12,
            "star",
            vec![allow(&["*"]), statement("deny", "cam:CreateAccessKey", "*")],
            "AuthFailure.UnauthorizedOperation",
        ),
        (
            13,
            "users",
            vec![allow(&["*"]), statement("deny", "cam:CreateAccessKey", users)],
            "AuthFailure.UnauthorizedOperation",
        ),
        (14, "both", vec![add(), statement("allow", "cam:CreateAccessKey", users)], "ok"),
        (
            15,
            "own",
            vec![add(), statement("allow", "cam:CreateAccessKey", "qcs::cam::uin/:uin/100000000015")],
            "AuthFailure.UnauthorizedOperation",
        ),
        (
            16,
            "others",
            vec![allow(&["*"]), statement("deny", "cam:CreateAccessKey", "qcs::cam::uin/:uin/100000000016")],
            "ok",
        ),
    ] {
        world.user(name, 100_000_000_000 + number, &documents).await;
        let new = json!({"Name": format!("by-{name}"), "UseApi": 1});
        let found = if outcome == "ok" { "ok" } else { "ResourceNotFound.UserNotExist" };
        check(&world, "AddUser", &[(name, new, outcome)]).await;
        check(&world, "GetUser", &[("root", json!({"Name": format!("by-{name}")}), found)]).await;
        check(&world, "AddUser", &[(name, json!({"Name": format!("plain-{name}")}), "ok")]).await;
        // The permission is asked for before anything is made, or else the name would be found taken.
        let taken = if outcome == "ok" { "InvalidParameter.SubUserNameInUse" } else { outcome };
        check(&world, "AddUser", &[(name, json!({"Name": "bob", "UseApi": 1}), taken)]).await;
    }
}

#[tokio::test]
async fn users_are_deleted() {
    let world = world().await;
    world.user("carol", 100_000_000_004, &[allow(&["cam:DeleteUser"])]).await;
    world.user("dave", 100_000_000_005, &[allow(&["cam:DeleteUser", "cam:DeleteApiKey"])]).await;
    let force = |name: &str, force: u64| json!({"Name": name, "Force": force});
    let rows = [
        ("root", json!({"Name": "bob"}), "OperationDenied.HaveKeys"),
        ("root", force("bob", 0), "OperationDenied.HaveKeys"),
        ("root", force("bob", 2), "InvalidParameterValue"),
        ("bob", force("alice", 1), "AuthFailure.UnauthorizedOperation"),
        ("carol", force("bob", 1), "UnauthorizedOperation.DeleteApiKey"),
        ("stranger", force("bob", 1), "ResourceNotFound.UserNotExist"),
        ("root", force("root", 1), "ResourceNotFound.UserNotExist"),
        ("alice", force("root", 1), "ResourceNotFound.UserNotExist"),
        ("dave", force("bob", 1), "ok"),
        ("dave", force("bob", 1), "ResourceNotFound.UserNotExist"),
        ("bob", json!({"Name": "alice"}), "AuthFailure.SecretIdNotFound"),
    ];
    check(&world, "DeleteUser", &rows).await;
    // The root user and its key are untouched.
    let keys = world.call("root", "cam", "ListAccessKeys", &json!({})).await;
    assert_eq!(text(&keys, "/AccessKeys/0/AccessKeyId"), secret_id("root"));
}
