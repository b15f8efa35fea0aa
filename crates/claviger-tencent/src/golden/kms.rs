//! Keys.

use serde_json::{Value, json};

use super::UNKNOWN_KEY;
use crate::testing::{Ask, check};

/// `hello`
const HELLO: &str = "aGVsbG8=";

fn disable(key: &str) -> Ask {
    Ask::kms("DisableKey", json!({"KeyId": key}))
}

fn schedule(key: &str, days: u64) -> Ask {
    Ask::kms("ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": days}))
}

fn bind(key: &str) -> Ask {
    Ask::kms("BindCloudResource", json!({"KeyId": key, "ProductId": "ssm", "ResourceId": "ins-1"}))
}

fn encryption(key: &str, plaintext: &str) -> Ask {
    Ask::kms("Encrypt", json!({"KeyId": key, "Plaintext": plaintext}))
}

/// A key whose material is the customer's.
fn create_external() -> Ask {
    Ask::kms("CreateKey", json!({"Alias": "own", "Type": 2})).keep("external", "/KeyId")
}

fn parameters_for(key: &str, algorithm: &str) -> Ask {
    let body = json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"});
    Ask::kms("GetParametersForImport", body)
}

/// Import parameters, and two materials wrapped under them.
fn parameters() -> Ask {
    parameters_for("{external}", "RSAES_PKCS1_V1_5")
        .keep("token", "/ImportToken")
        .keep("public_key", "/PublicKey")
        .wrap("wrapped", 0x5A)
        .wrap("wrapped_other", 0xA5)
}

fn import(key: &str, wrapped: &str) -> Ask {
    let body = json!({"KeyId": key, "ImportToken": "{token}", "EncryptedKeyMaterial": wrapped});
    Ask::kms("ImportKeyMaterial", body)
}

#[tokio::test]
async fn bind_cloud_resource() {
    let odd = json!({"KeyId": "{key}", "ProductId": "", "ResourceId": "ins-1"});
    check(
        "kms.BindCloudResource",
        &[
            bind("{key}"),
            bind("{key}"),
            disable("{key}"),
            bind("{key}").signed_by("bob"),
            bind("{other_key}"),
            Ask::kms("BindCloudResource", odd),
        ],
    )
    .await;
}

#[tokio::test]
async fn cancel_key_deletion() {
    let cancel = |key: &str| Ask::kms("CancelKeyDeletion", json!({"KeyId": key}));
    check(
        "kms.CancelKeyDeletion",
        &[
            cancel("{key}"),
            disable("{key}"),
            schedule("{key}", 7),
            cancel("{key}").signed_by("bob"),
            cancel("{key}"),
            Ask::kms("DescribeKey", json!({"KeyId": "{key}"})),
            cancel(UNKNOWN_KEY),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_key() {
    let create = |body: Value| Ask::kms("CreateKey", body);
    let tags = json!([{"TagKey": "env", "TagValue": "dev"}]);
    check(
        "kms.CreateKey",
        &[
            create(json!({"Alias": "app", "Description": "for the app", "Tags": tags}))
                .keep("made", "/KeyId"),
            create(json!({"Alias": "app"})),
            create(json!({"Alias": "own", "Type": "2"})).keep("external", "/KeyId"),
            create(json!({"Alias": "kms-own"})),
            create(json!({"Alias": "b", "KeyUsage": "ASYMMETRIC_DECRYPT_SM2"})),
            create(json!({"Alias": "b", "Odd": 1})),
            create(json!({})),
            create(json!({"Alias": "b"})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn decrypt() {
    let decrypt = |body: Value| Ask::kms("Decrypt", body);
    let context = r#"{"app":"1","stage":"a"}"#;
    let bound = json!({"KeyId": "{key}", "Plaintext": HELLO, "EncryptionContext": context});
    let blob = |context: &str| json!({"CiphertextBlob": "{blob}", "EncryptionContext": context});
    check(
        "kms.Decrypt",
        &[
            Ask::kms("Encrypt", bound).keep("blob", "/CiphertextBlob"),
            decrypt(blob(r#"{"stage": "a", "app": "1"}"#)),
            decrypt(blob("{}")),
            decrypt(json!({"CiphertextBlob": "AAAA"})),
            decrypt(blob(context)).signed_by("bob"),
            decrypt(blob(context)).signed_by("stranger"),
            disable("{key}"),
            decrypt(blob(context)),
            schedule("{key}", 7),
            decrypt(blob(context)).in_chinese(),
        ],
    )
    .await;
}

#[tokio::test]
async fn delete_imported_key_material() {
    let delete = |key: &str| Ask::kms("DeleteImportedKeyMaterial", json!({"KeyId": key}));
    check(
        "kms.DeleteImportedKeyMaterial",
        &[
            create_external(),
            parameters(),
            import("{external}", "{wrapped}"),
            delete("{external}").signed_by("bob"),
            delete("{external}"),
            Ask::kms("DescribeKey", json!({"KeyId": "{external}"})),
            encryption("{external}", HELLO),
            delete("{key}"),
            delete("{other_key}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn describe_key() {
    let describe = |body: Value| Ask::kms("DescribeKey", body);
    check(
        "kms.DescribeKey",
        &[
            describe(json!({"KeyId": "{key}"})),
            describe(json!({"KeyId": "{key}"})).signed_by("bob"),
            describe(json!({"KeyId": "{other_key}"})),
            describe(json!({"KeyId": "first"})),
            describe(json!({"KeyId": "{key}", "MemberAccount": {"MemberUin": 7}})),
        ],
    )
    .await;
}

#[tokio::test]
async fn describe_keys() {
    let describe = |keys: Value| Ask::kms("DescribeKeys", json!({"KeyIds": keys}));
    check(
        "kms.DescribeKeys",
        &[
            Ask::kms("CreateKey", json!({"Alias": "second"})).keep("second", "/KeyId"),
            describe(json!(["{second}", "{key}"])),
            describe(json!(["{key}", "{key}"])),
            describe(json!(["{key}", "{other_key}"])),
            describe(json!([])),
            describe(json!(["{key}"])).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn disable_key() {
    check(
        "kms.DisableKey",
        &[
            disable("{key}").signed_by("bob"),
            disable("{key}"),
            disable("{key}"),
            encryption("{key}", HELLO),
            disable("{other_key}"),
            schedule("{key}", 7),
            disable("{key}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn enable_key() {
    let enable = |key: &str| Ask::kms("EnableKey", json!({"KeyId": key}));
    check(
        "kms.EnableKey",
        &[
            enable("{key}"),
            disable("{key}"),
            enable("{key}").signed_by("bob"),
            enable("{key}"),
            create_external(),
            enable("{external}"),
            enable("{other_key}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn encrypt() {
    let odd = json!({"KeyId": "{key}", "Plaintext": HELLO, "EncryptionContext": "[]"});
    check(
        "kms.Encrypt",
        &[
            encryption("{key}", HELLO),
            encryption("{key}", "not base64"),
            Ask::kms("Encrypt", odd),
            encryption("{key}", HELLO).signed_by("bob"),
            encryption("{other_key}", HELLO),
            disable("{key}"),
            encryption("{key}", HELLO),
        ],
    )
    .await;
}

#[tokio::test]
async fn generate_data_key() {
    let generate = |body: Value| Ask::kms("GenerateDataKey", body);
    check(
        "kms.GenerateDataKey",
        &[
            generate(json!({"KeyId": "{key}", "KeySpec": "AES_128"})).keep("blob", "/CiphertextBlob"),
            Ask::kms("Decrypt", json!({"CiphertextBlob": "{blob}"})),
            generate(json!({"KeyId": "{key}", "NumberOfBytes": 1025})),
            generate(json!({"KeyId": "{key}"})),
            generate(json!({"KeyId": "{key}", "KeySpec": "AES_256", "IsHostedByKms": 1})),
            generate(json!({"KeyId": "{key}", "KeySpec": "AES_256"})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn get_parameters_for_import() {
    let sized =
        json!({"KeyId": "{external}", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "SM2"});
    check(
        "kms.GetParametersForImport",
        &[
            create_external(),
            parameters_for("{external}", "RSAES_OAEP_SHA_256")
                .keep("token", "/ImportToken")
                .keep("public_key", "/PublicKey"),
            parameters_for("{external}", "RSAES_OAEP_SHA_512"),
            Ask::kms("GetParametersForImport", sized),
            parameters_for("{key}", "RSAES_OAEP_SHA_256"),
            parameters_for("{external}", "RSAES_OAEP_SHA_256").signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn get_regions() {
    let get = |body: Value| Ask::kms("GetRegions", body);
    check("kms.GetRegions", &[get(json!({})), get(json!({"Odd": 1})), get(json!({})).signed_by("bob")]).await;
}

#[tokio::test]
async fn get_service_status() {
    let get = |body: Value| Ask::kms("GetServiceStatus", body);
    check("kms.GetServiceStatus", &[get(json!({})), get(json!({"Odd": 1})), get(json!({})).signed_by("bob")])
        .await;
}

#[tokio::test]
async fn import_key_material() {
    let until = |seconds: u64| {
        let body = json!({
            "KeyId": "{external}", "ImportToken": "{token}", "EncryptedKeyMaterial": "{wrapped}",
            "ValidTo": seconds,
        });
        Ask::kms("ImportKeyMaterial", body)
    };
    check(
        "kms.ImportKeyMaterial",
        &[
            create_external(),
            parameters(),
            until(1),
            import("{external}", "AAAA"),
            import("{external}", "{wrapped}").signed_by("bob"),
            until(1_767_409_445),
            Ask::kms("DescribeKey", json!({"KeyId": "{external}"})),
            encryption("{external}", HELLO).keep("blob", "/CiphertextBlob"),
            import("{external}", "{wrapped_other}"),
            import("{key}", "{wrapped}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn list_key_detail() {
    let list = |body: Value| Ask::kms("ListKeyDetail", body);
    let tagged = json!({"Alias": "second", "Tags": [{"TagKey": "env", "TagValue": "dev"}]});
    check(
        "kms.ListKeyDetail",
        &[
            Ask::kms("CreateKey", tagged).keep("second", "/KeyId"),
            list(json!({})),
            list(json!({"TagFilters": [{"TagKey": "env", "TagValue": ["dev", "test"]}]})),
            list(json!({"KeyState": 2})),
            list(json!({"KeyState": 6})),
            list(json!({"Limit": 201})),
            list(json!({})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn list_keys() {
    let list = |body: Value| Ask::kms("ListKeys", body);
    check(
        "kms.ListKeys",
        &[
            Ask::kms("CreateKey", json!({"Alias": "second"})).keep("second", "/KeyId"),
            list(json!({})),
            list(json!({"Offset": 1, "Limit": "1"})),
            list(json!({"Limit": 201})),
            list(json!({"Role": 2})),
            list(json!({})).signed_by("bob"),
        ],
    )
    .await;
}

#[tokio::test]
async fn schedule_key_deletion() {
    check(
        "kms.ScheduleKeyDeletion",
        &[
            schedule("{key}", 7),
            bind("{key}"),
            schedule("{key}", 7),
            Ask::kms(
                "UnbindCloudResource",
                json!({"KeyId": "{key}", "ProductId": "ssm", "ResourceId": "ins-1"}),
            ),
            disable("{key}"),
            schedule("{key}", 6),
            schedule("{key}", 7).signed_by("bob"),
            schedule("{key}", 7),
            schedule("{key}", 7),
            schedule("{other_key}", 7),
        ],
    )
    .await;
}

#[tokio::test]
async fn unbind_cloud_resource() {
    let unbind = |key: &str, resource: &str| {
        let body = json!({"KeyId": key, "ProductId": "ssm", "ResourceId": resource});
        Ask::kms("UnbindCloudResource", body)
    };
    check(
        "kms.UnbindCloudResource",
        &[
            bind("{key}"),
            unbind("{key}", "ins-2"),
            unbind("{key}", "ins-1").signed_by("bob"),
            unbind("{key}", "ins-1"),
            unbind("{key}", "ins-1"),
            unbind("{other_key}", "ins-1"),
        ],
    )
    .await;
}
