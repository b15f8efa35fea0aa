//! Both actions through signed requests.

use serde_json::{Value, json};

use crate::testing::World;

const ROOT: u64 = 100_000_000_001;
const BOB: u64 = 100_000_000_003;
const STRANGER: u64 = 100_000_000_009;
const UNKNOWN: &str = "23e80852-1e38-11e9-b129-5cb9019b4b01";

/// Root with a key, a sub-user `bob` who may do nothing, a stranger.
async fn world() -> (World, String) {
    let world = World::new().await;
    world.user("bob", BOB, &[]).await;
    let made = world.call("root", "kms", "CreateKey", &json!({"Alias": "tagged"})).await;
    let id = made.pointer("/KeyId").and_then(Value::as_str).expect("a new key").to_owned();
    (world, id)
}

fn modify(resource: &str, replace: &[(&str, &str)], delete: &[&str]) -> Value {
    let replace: Vec<_> =
        replace.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect();
    let delete: Vec<_> = delete.iter().map(|key| json!({"TagKey": key})).collect();
    let list = |tags: Vec<Value>| if tags.is_empty() { Value::Null } else { Value::Array(tags) };
    json!({"Resource": resource, "ReplaceTags": list(replace), "DeleteTags": list(delete)})
}

fn describe(service: &str, prefix: &str, ids: &[&str]) -> Value {
    json!({
        "ServiceType": service, "ResourcePrefix": prefix, "ResourceIds": ids, "ResourceRegion": "ap-guangzhou",
        "Limit": 20, "Offset": 0,
    })
}

/// The tags of a key as `key=value`.
async fn tags(world: &World, id: &str) -> Vec<String> {
    let ask = describe("kms", "key", &[&format!("creatorUin/{ROOT}/{id}")]);
    let answer = world.call("root", "tag", "DescribeResourceTagsByResourceIds", &ask).await;
    let rows = answer.pointer("/Tags").and_then(Value::as_array).unwrap_or_else(|| panic!("{answer}"));
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    rows.iter().map(|row| format!("{}={}", text(row, "TagKey"), text(row, "TagValue"))).collect()
}

#[tokio::test]
async fn tags_are_set_and_taken_away_at_once() {
    let (world, id) = world().await;
    let resource = format!("qcs::kms:ap-guangzhou:uin/:key/creatorUin/{ROOT}/{id}");
    let ten: Vec<(String, &str)> = (0..10).map(|n| (format!("k{n}"), "v")).collect();
    let ten: Vec<(&str, &str)> = ten.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    for (replace, delete, code, left) in [
        (vec![("env", "dev"), ("team", "")], vec![], "ok", "env=dev team="),
        (vec![("env", "prod")], vec!["team"], "ok", "env=prod"),
        (vec![("env", "prod")], vec!["never"], "ok", "env=prod"),
        (vec![], vec![], "InvalidParameter.Tag", "env=prod"),
        (vec![("a", "1"), ("a", "2")], vec!["env"], "InvalidParameterValue.TagKeyDuplicate", "env=prod"),
        (vec![("a", "1")], vec!["a"], "InvalidParameterValue.DeleteTagsParamError", "env=prod"),
        (vec![("", "1")], vec!["env"], "InvalidParameterValue.TagKeyEmpty", "env=prod"),
        (vec![("a*", "1")], vec!["env"], "InvalidParameterValue.TagKeyCharacterIllegal", "env=prod"),
        (vec![("a", "<")], vec!["env"], "InvalidParameterValue.TagValueCharacterIllegal", "env=prod"),
        (vec![(&"k".repeat(37), "1")], vec!["env"], "InvalidParameterValue.TagKeyLengthExceeded", "env=prod"),
        (
            vec![("a", &"v".repeat(44))],
            vec!["env"],
            "InvalidParameterValue.TagValueLengthExceeded",
            "env=prod",
        ),
        (ten.clone(), vec![], "LimitExceeded.ResourceAttachedTags", "env=prod"),
        (vec![], vec!["k"; 51], "LimitExceeded.TagNumPerRequest", "env=prod"),
        // What is taken away makes room for what is set.
        (ten, vec!["env"], "ok", "k0=v k1=v k2=v k3=v k4=v k5=v k6=v k7=v k8=v k9=v"),
    ] {
        let ask = modify(&resource, &replace, &delete);
        assert_eq!(world.code("root", "tag", "ModifyResourceTags", &ask).await, code, "{ask}");
        assert_eq!(tags(&world, &id).await.join(" "), left, "{ask}");
    }
}

#[tokio::test]
async fn the_answer_has_the_documented_shape() {
    let (world, id) = world().await;
    let name = format!("creatorUin/{ROOT}/{id}");
    let resource = format!("qcs::kms:ap-guangzhou:uin/{ROOT}:key/{name}");
    let ask = modify(&resource, &[("a", "1"), ("b", "2"), ("c", "3")], &[]);
    assert_eq!(world.call("root", "tag", "ModifyResourceTags", &ask).await, json!({}));
    let mut ask = describe("kms", "key", &[&name]);
    ask["Limit"] = json!(1);
    ask["Offset"] = json!("1");
    let read = world.call("root", "tag", "DescribeResourceTagsByResourceIds", &ask).await;
    assert_eq!(
        read,
        json!({"TotalCount": 3, "Offset": 1, "Limit": 1, "Tags": [{
            "TagKey": "b", "TagValue": "2", "ResourceId": name, "TagKeyMd5": "", "TagValueMd5": "",
            "ServiceType": "kms", "Category": "Custom",
        }]})
    );
    ask["Category"] = json!("System");
    let system = world.call("root", "tag", "DescribeResourceTagsByResourceIds", &ask).await;
    assert_eq!(system.pointer("/TotalCount"), Some(&json!(0)));
}

#[tokio::test]
async fn refusals_of_reading() {
    let (world, id) = world().await;
    let name = format!("creatorUin/{ROOT}/{id}");
    let with = |name: &str, value: Value| {
        let mut ask = describe("kms", "key", &[&format!("creatorUin/{ROOT}/{id}")]);
        ask[name] = value;
        ask
    };
    let many = vec![name.as_str(); 51];
    for (who, ask, code) in [
        ("root", describe("kms", "key", &many[..50]), "ok"),
        ("root", describe("kms", "key", &many), "InvalidParameterValue.ResourceIdInvalid"),
        ("root", describe("kms", "key", &[]), "InvalidParameterValue.ResourceIdInvalid"),
        ("root", describe("kms", "key", &[&id]), "InvalidParameterValue.ResourceIdInvalid"),
        ("root", describe("kms", "keys", &[&name]), "InvalidParameterValue.ResourcePrefixInvalid"),
        ("root", describe("cvm", "instance", &["ins-1"]), "InvalidParameterValue.ServiceTypeInvalid"),
        ("root", with("Limit", json!(0)), "InvalidParameterValue"),
        ("root", with("Limit", json!(1001)), "InvalidParameterValue"),
        ("root", with("Category", json!("Other")), "InvalidParameterValue"),
        ("root", with("Offset", json!(-1)), "InvalidParameter"),
        ("root", with("ResourceRegion", Value::Null), "MissingParameter"),
        ("root", describe("kms", "key", &[&format!("creatorUin/{ROOT}/{UNKNOWN}")]), "ResourceNotFound"),
        ("root", describe("kms", "key", &[&format!("creatorUin/{BOB}/{id}")]), "ResourceNotFound"),
        ("stranger", describe("kms", "key", &[&name]), "ResourceNotFound"),
        ("bob", describe("kms", "key", &[&name]), "AuthFailure.UnauthorizedOperation"),
        ("root", describe("cam", "uin", &[&BOB.to_string()]), "ok"),
        ("root", describe("cam", "uin", &[&STRANGER.to_string()]), "ResourceNotFound"),
        ("root", describe("cam", "uin", &["bob"]), "InvalidParameterValue.ResourceIdInvalid"),
        ("bob", describe("cam", "uin", &[&BOB.to_string()]), "AuthFailure.UnauthorizedOperation"),
    ] {
        assert_eq!(
            world.code(who, "tag", "DescribeResourceTagsByResourceIds", &ask).await,
            code,
            "{who} {ask}"
        );
    }
}

#[tokio::test]
async fn refusals_of_writing() {
    let (world, id) = world().await;
    for (who, resource, code) in [
        ("root", format!("qcs::kms:::key/creatorUin/{ROOT}/{id}"), "ok"),
        ("root", format!("qcs::kms::uin/{ROOT}:key/creatorUin/{ROOT}/{id}"), "ok"),
        ("root", format!("qcs::kms::uin/{STRANGER}:key/creatorUin/{ROOT}/{id}"), "ResourceNotFound"),
        ("root", format!("qcs::kms:::key/creatorUin/{BOB}/{id}"), "ResourceNotFound"),
        ("root", format!("qcs::kms:::key/creatorUin/{ROOT}/{UNKNOWN}"), "ResourceNotFound"),
        ("stranger", format!("qcs::kms:::key/creatorUin/{ROOT}/{id}"), "ResourceNotFound"),
        ("bob", format!("qcs::kms:::key/creatorUin/{ROOT}/{id}"), "AuthFailure.UnauthorizedOperation"),
        ("root", format!("qcs::cam::uin/:uin/{BOB}"), "UnsupportedOperation"),
        ("root", format!("qcs::cam::uin/:uin/{STRANGER}"), "ResourceNotFound"),
        ("bob", format!("qcs::cam::uin/:uin/{BOB}"), "AuthFailure.UnauthorizedOperation"),
        ("root", id.clone(), "InvalidParameterValue.ResourceDescriptionError"),
        ("root", "qcs::cvm:::instance/ins-1".to_owned(), "InvalidParameterValue.ResourceDescriptionError"),
    ] {
        let ask = modify(&resource, &[("a", "1")], &[]);
        assert_eq!(world.code(who, "tag", "ModifyResourceTags", &ask).await, code, "{who} {resource}");
    }
    let resource = format!("qcs::kms:::key/creatorUin/{ROOT}/{id}");
    for (ask, code) in [
        (json!({"Resource": resource, "ReplaceTags": []}), "InvalidParameter.Tag"),
        (json!({"Resource": resource, "ReplaceTags": [{"TagKey": "a"}]}), "MissingParameter"),
        (json!({"Resource": resource, "ReplaceTags": [{"TagKey": "a", "TagValue": 1}]}), "InvalidParameter"),
        (
            json!({"Resource": resource, "ReplaceTags": [{"TagKey": "a", "TagValue": "", "Category": "System"}]}),
            "InvalidParameterValue",
        ),
        (json!({"ReplaceTags": [{"TagKey": "a", "TagValue": ""}]}), "MissingParameter"),
    ] {
        assert_eq!(world.code("root", "tag", "ModifyResourceTags", &ask).await, code, "{ask}");
    }
}
