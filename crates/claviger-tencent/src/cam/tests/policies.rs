use serde_json::{Value, json};

use super::{ALICE, BOB, ROOT, STRANGER, allow, check, number, text, world};
use crate::testing::World;

async fn create(world: &World, name: &str, document: &Value) -> u64 {
    let ask = json!({"PolicyName": name, "PolicyDocument": document.to_string(), "Description": "for tests"});
    number(&world.call("root", "cam", "CreatePolicy", &ask).await, "/PolicyId")
}

#[tokio::test]
async fn policies_are_made_shown_and_attached() {
    let world = world().await;
    let document = allow(&["cam:ListUsers"]);
    let id = create(&world, "lister", &document).await;
    let shown = world.call("root", "cam", "GetPolicy", &json!({"PolicyId": id})).await;
    assert_eq!(
        shown,
        json!({
            "PolicyName": "lister", "Description": "for tests", "Type": 1, "AddTime": "2026-01-02 11:04:05",
            "UpdateTime": "2026-01-02 11:04:05", "PolicyDocument": document.to_string(), "PresetAlias": "",
            "IsServiceLinkedRolePolicy": 0, "Tags": [],
        })
    );
    let preset = world.call("root", "cam", "GetPolicy", &json!({"PolicyId": "1"})).await;
    assert_eq!((text(&preset, "/PolicyName"), number(&preset, "/Type")), ("AdministratorAccess", 2));
    assert!(crate::parse_policy(text(&preset, "/PolicyDocument")).is_ok());

    let attach = json!({"PolicyId": id, "AttachUin": BOB});
    let detach = json!({"PolicyId": id, "DetachUin": BOB});
    let empty = json!({});
    let code = || world.code("bob", "cam", "ListUsers", &empty);
    assert_eq!(code().await, "AuthFailure.UnauthorizedOperation");
    check(&world, "AttachUserPolicy", &[("root", attach.clone(), "ok"), ("root", attach, "ok")]).await;
    assert_eq!(code().await, "ok");
    let listed = world.call("root", "cam", "ListAttachedUserPolicies", &json!({"TargetUin": BOB})).await;
    assert_eq!(
        listed,
        json!({"TotalNum": 1, "List": [{
            "PolicyId": id, "PolicyName": "lister", "AddTime": "2026-01-02 11:04:05", "CreateMode": 2,
            "PolicyType": "User", "Remark": "for tests", "OperateOwnerUin": ROOT.to_string(), "OperateUin": "",
            "OperateUinType": 0, "Deactived": 0, "DeactivedDetail": [],
        }]})
    );
    check(&world, "DetachUserPolicy", &[("root", detach.clone(), "ok"), ("root", detach, "ok")]).await;
    assert_eq!(code().await, "AuthFailure.UnauthorizedOperation");
}

#[tokio::test]
async fn attached_policies_are_listed_by_pages() {
    let world = world().await;
    for preset in 1..=5 {
        let attach = json!({"PolicyId": preset, "AttachUin": BOB});
        assert_eq!(world.code("root", "cam", "AttachUserPolicy", &attach).await, "ok");
    }
    for (page, rows, expected) in
        [(1, 2, vec![1, 2]), (3, 2, vec![5]), (4, 2, vec![]), (1, 200, vec![1, 2, 3, 4, 5])]
    {
        let ask = json!({"TargetUin": BOB, "Page": page.to_string(), "Rp": rows});
        let listed = world.call("root", "cam", "ListAttachedUserPolicies", &ask).await;
        assert_eq!(number(&listed, "/TotalNum"), 5);
        let list = listed.pointer("/List").and_then(Value::as_array).expect("a list");
        let ids: Vec<u64> = list.iter().map(|row| number(row, "/PolicyId")).collect();
        assert_eq!(ids, expected, "page {page} of {rows}");
        assert!(list.iter().all(|row| text(row, "/PolicyType") == "QCS"));
    }
    check(
        &world,
        "ListAttachedUserPolicies",
        &[
            ("root", json!({"TargetUin": BOB, "Page": 0}), "InvalidParameter.ParamError"),
            ("root", json!({"TargetUin": BOB, "Rp": 201}), "InvalidParameter.ParamError"),
            ("root", json!({"TargetUin": STRANGER}), "InvalidParameter.ParamError"),
            ("root", json!({"TargetUin": BOB, "Rp": "x"}), "InvalidParameter"),
            ("root", json!({}), "MissingParameter"),
            ("stranger", json!({"TargetUin": BOB}), "InvalidParameter.ParamError"),
        ],
    )
    .await;
}

#[tokio::test]
async fn refusals_of_policies() {
    let world = world().await;
    let document = allow(&["kms:*"]).to_string();
    let new = |name: &str, document: &str| json!({"PolicyName": name, "PolicyDocument": document});
    let id = create(&world, "mine", &allow(&["kms:*"])).await;
    let long = |n: usize| json!({"PolicyName": format!("d{n}"), "PolicyDocument": document, "Description": "d".repeat(n)});
    let tagged = json!({"PolicyName": "t", "PolicyDocument": document, "Tags": [{"Key": "a", "Value": "b"}]});
    let conditional = r#"{"version":"2.0","statement":{"effect":"allow","action":"*","resource":"*","condition":{"bool_equal":{"mfa":"true"}}}}"#;
    let rows = [
        ("root", new("mine", &document), "FailedOperation.PolicyNameInUse"),
        ("root", new("AdministratorAccess", &document), "FailedOperation.PolicyNameInUse"),
        ("root", new("", &document), "InvalidParameter.PolicyNameError"),
        ("root", new("a b", &document), "InvalidParameter.PolicyNameError"),
        ("root", new(&"n".repeat(128), &document), "ok"),
        ("root", new(&"n".repeat(129), &document), "InvalidParameter.PolicyNameError"),
        ("root", long(1024), "ok"),
        ("root", long(1025), "InvalidParameter.DescriptionLengthOverlimit"),
        ("root", tagged, "InvalidParameter.ParamError"),
        ("root", new("x", "nonsense"), "InvalidParameter.PolicyDocumentError"),
        ("root", new("x", &document.replace("2.0", "1.0")), "InvalidParameter.VersionError"),
        ("root", new("x", &document.replace("kms:*", "kms:Nothing")), "InvalidParameter.ActionNotExist"),
        ("root", new("x", &document.replace("allow", "perhaps")), "InvalidParameter.EffectError"),
        ("root", new("x", &document.replace(r#""*""#, r#""all""#)), "InvalidParameter.ResourceError"),
        ("root", new("x", conditional), "InvalidParameter.ConditionError"),
        ("root", new("x", &" ".repeat(6145)), "InvalidParameter.PolicyDocumentLengthOverLimit"),
        ("root", json!({"PolicyName": "x"}), "MissingParameter"),
        ("bob", new("x", &document), "AuthFailure.UnauthorizedOperation"),
        ("stranger", new("mine", &document), "ok"),
    ];
    check(&world, "CreatePolicy", &rows).await;
    check(
        &world,
        "GetPolicy",
        &[
            ("root", json!({"PolicyId": 0}), "InvalidParameter.PolicyIdError"),
            ("root", json!({"PolicyId": 7}), "ResourceNotFound.PolicyIdNotFound"),
            ("root", json!({"PolicyId": "x"}), "InvalidParameter"),
            ("stranger", json!({"PolicyId": id}), "ResourceNotFound.PolicyIdNotFound"),
            ("bob", json!({"PolicyId": id}), "AuthFailure.UnauthorizedOperation"),
        ],
    )
    .await;
    let attach = |id: u64, uin: u64| json!({"PolicyId": id, "AttachUin": uin});
    check(
        &world,
        "AttachUserPolicy",
        &[
            ("root", attach(0, BOB), "InvalidParameter.PolicyIdError"),
            ("root", attach(7, BOB), "ResourceNotFound.PolicyIdNotFound"),
            ("root", attach(id, STRANGER), "ResourceNotFound.UserNotExist"),
            ("root", attach(id, ROOT), "ResourceNotFound.UserNotExist"),
            ("bob", attach(1, BOB), "AuthFailure.UnauthorizedOperation"),
            ("bob", attach(1, ALICE), "AuthFailure.UnauthorizedOperation"),
            ("stranger", attach(1, BOB), "ResourceNotFound.UserNotExist"),
        ],
    )
    .await;
    let detach = json!({"PolicyId": id, "DetachUin": ALICE});
    check(
        &world,
        "DetachUserPolicy",
        &[
            ("bob", detach, "AuthFailure.UnauthorizedOperation"),
            ("root", json!({"PolicyId": 7, "DetachUin": ALICE}), "ResourceNotFound.PolicyIdNotFound"),
            ("root", json!({"PolicyId": id, "DetachUin": STRANGER}), "ResourceNotFound.UserNotExist"),
        ],
    )
    .await;
}
