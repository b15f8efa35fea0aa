//! Users, access keys and policies.

use serde_json::{Value, json};

use crate::testing::{ALICE, Ask, BOB, ROOT, check};

fn document(action: &str) -> String {
    let statement = json!({"effect": "allow", "action": action, "resource": "*"});
    json!({"version": "2.0", "statement": statement}).to_string()
}

fn new_policy(name: &str, document: &str) -> Ask {
    let body = json!({"PolicyName": name, "PolicyDocument": document, "Description": "for robots"});
    Ask::cam("CreatePolicy", body)
}

fn attach(policy: u64, uin: u64) -> Ask {
    Ask::cam("AttachUserPolicy", json!({"PolicyId": policy, "AttachUin": uin}))
}

#[tokio::test]
async fn add_user() {
    let add = |body: Value| Ask::cam("AddUser", body);
    let whole = json!({
        "Name": "carol", "Remark": "builds", "ConsoleLogin": 1, "UseApi": 1, "Password": "abcDEF12",
        "PhoneNum": "13800138000", "CountryCode": "86", "Email": "carol@example.com",
    });
    check(
        "cam.AddUser",
        &[
            add(json!({"Name": "robot"})).keep("robot", "/Uin"),
            add(whole.clone())
                .keep("carol", "/Uin")
                .keep("new_access_key", "/SecretId")
                .keep("new_secret", "/SecretKey"),
            add(whole),
            add(json!({"Name": "erin", "ConsoleLogin": 1}))
                .keep("erin", "/Uin")
                .keep("new_password", "/Password"),
            add(json!({"Name": "dave", "Password": "abc"})),
            add(json!({"Name": "two words"})),
            add(json!({"Name": "dave"})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn attach_user_policy() {
    check(
        "cam.AttachUserPolicy",
        &[
            attach(1, BOB),
            attach(1, BOB),
            Ask::cam("ListUsers", json!({})).signed_by("bob"),
            attach(7, BOB),
            attach(1, ROOT),
            attach(1, ALICE).signed_by("stranger"),
            attach(0, BOB),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_access_key() {
    let create = |body: Value| Ask::cam("CreateAccessKey", body);
    let new = create(json!({"TargetUin": BOB, "Description": "ci"}));
    check(
        "cam.CreateAccessKey",
        &[
            new.keep("new_access_key", "/AccessKey/AccessKeyId")
                .keep("new_secret", "/AccessKey/SecretAccessKey"),
            create(json!({"TargetUin": BOB})),
            create(json!({})).signed_by("bob"),
            create(json!({"TargetUin": ROOT})).signed_by("alice"),
            create(json!({"TargetUin": BOB})).signed_by("stranger"),
            create(json!({"Description": "two words"})),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_policy() {
    check(
        "cam.CreatePolicy",
        &[
            new_policy("robots", &document("kms:Encrypt")).keep("policy", "/PolicyId"),
            new_policy("robots", &document("kms:Encrypt")),
            new_policy("two words", &document("kms:Encrypt")),
            new_policy("other", &document("kms:Nothing")),
            new_policy("other", "nonsense"),
            new_policy("other", &document("kms:Encrypt")).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn delete_access_key() {
    let delete = |key: &str, target: u64| {
        Ask::cam("DeleteAccessKey", json!({"AccessKeyId": key, "TargetUin": target}))
    };
    check(
        "cam.DeleteAccessKey",
        &[
            delete("{bob_access_key}", BOB).signed_by("bob"),
            delete("{root_access_key}", ROOT).signed_by("alice"),
            delete("{bob_access_key}", ALICE),
            delete("{bob_access_key}", BOB),
            delete("{bob_access_key}", BOB),
            Ask::new("sts", "GetCallerIdentity", json!({})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn delete_user() {
    let delete = |name: &str, force: u64| Ask::cam("DeleteUser", json!({"Name": name, "Force": force}));
    check(
        "cam.DeleteUser",
        &[
            delete("bob", 0),
            delete("alice", 1).signed_by("bob"),
            delete("root", 1).signed_by("alice"),
            delete("bob", 1).signed_by("stranger"),
            delete("bob", 1),
            delete("bob", 1),
        ],
    )
    .await;
}

#[tokio::test]
async fn detach_user_policy() {
    let detach =
        |policy: u64, uin: u64| Ask::cam("DetachUserPolicy", json!({"PolicyId": policy, "DetachUin": uin}));
    check(
        "cam.DetachUserPolicy",
        &[
            attach(1, BOB),
            detach(1, BOB),
            detach(1, BOB),
            Ask::cam("ListUsers", json!({})).signed_by("bob"),
            detach(1, ALICE).signed_by("bob"),
            detach(7, BOB),
            detach(1, 7),
        ],
    )
    .await;
}

#[tokio::test]
async fn get_policy() {
    let get = |policy: &str| Ask::cam("GetPolicy", format!(r#"{{"PolicyId":{policy}}}"#));
    check(
        "cam.GetPolicy",
        &[
            get("1"),
            new_policy("robots", &document("kms:Encrypt")).keep("policy", "/PolicyId"),
            get("{policy}"),
            get("{policy}").signed_by("stranger"),
            get("{policy}").signed_by("bob"),
            get("0"),
        ],
    )
    .await;
}

#[tokio::test]
async fn get_security_last_used() {
    let ask = |keys: Value| Ask::cam("GetSecurityLastUsed", json!({"SecretIdList": keys}));
    check(
        "cam.GetSecurityLastUsed",
        &[
            ask(json!(["{root_access_key}", "{bob_access_key}", "AKIDunknown", "{stranger_access_key}"])),
            ask(json!([])),
            ask(json!(["two words"])),
            ask(json!(["{bob_access_key}"])).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn get_user() {
    let get = |name: &str| Ask::cam("GetUser", json!({"Name": name}));
    check(
        "cam.GetUser",
        &[get("bob"), get("root"), get("bob").signed_by("stranger"), get("alice").signed_by("bob")],
    )
    .await;
}

#[tokio::test]
async fn list_access_keys() {
    let list = |body: Value| Ask::cam("ListAccessKeys", body);
    check(
        "cam.ListAccessKeys",
        &[
            list(json!({})),
            list(json!({"TargetUin": BOB})).signed_by("alice"),
            list(json!({"TargetUin": ROOT})).signed_by("alice"),
            list(json!({})).signed_by("bob"),
            list(json!({"TargetUin": BOB})).signed_by("stranger"),
        ],
    )
    .await;
}

#[tokio::test]
async fn list_attached_user_policies() {
    let list = |body: Value| Ask::cam("ListAttachedUserPolicies", body);
    check(
        "cam.ListAttachedUserPolicies",
        &[
            list(json!({"TargetUin": BOB})),
            attach(1, BOB),
            list(json!({"TargetUin": BOB})),
            list(json!({"TargetUin": ALICE})),
            list(json!({"TargetUin": ALICE, "Page": 2, "Rp": 1})),
            list(json!({"TargetUin": ALICE, "Page": 0})),
            list(json!({"TargetUin": ALICE})).signed_by("stranger"),
            list(json!({})),
        ],
    )
    .await;
}

#[tokio::test]
async fn list_users() {
    let list = |body: Value| Ask::cam("ListUsers", body);
    check(
        "cam.ListUsers",
        &[
            list(json!({})),
            list(json!({})).signed_by("stranger"),
            list(json!({})).signed_by("bob"),
            list(json!({"Page": 1})),
        ],
    )
    .await;
}

#[tokio::test]
async fn update_access_key() {
    let update = |key: &str, status: &str, target: u64| {
        Ask::cam("UpdateAccessKey", json!({"AccessKeyId": key, "Status": status, "TargetUin": target}))
    };
    let who = || Ask::new("sts", "GetCallerIdentity", json!({})).signed_by("bob");
    check(
        "cam.UpdateAccessKey",
        &[
            update("{bob_access_key}", "Inactive", BOB),
            who(),
            update("{bob_access_key}", "Active", BOB),
            who(),
            update("{bob_access_key}", "active", BOB),
            update("{bob_access_key}", "Inactive", BOB).signed_by("bob"),
            update("{root_access_key}", "Inactive", ROOT).signed_by("alice"),
            update("{bob_access_key}", "Inactive", ALICE),
            update("{bob_access_key}", "Inactive", BOB).signed_by("stranger"),
            update("AKIDunknown", "Inactive", BOB),
        ],
    )
    .await;
}
