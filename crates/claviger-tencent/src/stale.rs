//! What a node answers that may have missed what others committed: a refusal to try again, before anything is looked at.

use std::sync::atomic::Ordering::SeqCst;

use serde_json::{Value, json};

use crate::testing::{World, secret_id};

async fn key(world: &World) -> Value {
    json!({"KeyId": world.call("root", "kms", "CreateKey", &json!({"Alias": "a"})).await["KeyId"]})
}

#[tokio::test]
async fn nothing_is_decided_on_what_may_be_old() {
    let world = World::new().await;
    let key = key(&world).await;
    let encrypt = json!({"KeyId": key["KeyId"], "Plaintext": "eA=="});
    let rows = [
        ("root", "kms", "Encrypt", encrypt.clone(), "UnsupportedOperation.ServiceTemporaryUnavailable"),
        ("root", "kms", "DisableKey", key.clone(), "UnsupportedOperation.ServiceTemporaryUnavailable"),
        // Even whether an access key exists is not told.
        ("nobody", "kms", "Encrypt", encrypt.clone(), "UnsupportedOperation.ServiceTemporaryUnavailable"),
        ("root", "cam", "ListUsers", json!({}), "ServiceUnavailable"),
        ("root", "cam", "ListAccessKeys", json!({}), "FailedOperation.Accesskey"),
        ("root", "sts", "GetCallerIdentity", json!({}), "ServiceUnavailable"),
        ("root", "tag", "DescribeResourceTagsByResourceIds", json!({}), "ServiceUnavailable"),
    ];
    assert_eq!(world.code("root", "kms", "Encrypt", &encrypt).await, "ok");
    let asked = world.app.authority.engine().stats();
    world.faults.stale.store(true, SeqCst);
    for (who, service, action, parameters, code) in &rows {
        assert_eq!(&world.code(who, service, action, parameters).await, code, "{who} {action}");
    }
    assert_eq!(world.app.authority.engine().stats(), asked, "the store was not even asked");
    world.faults.stale.store(false, SeqCst);
    assert_eq!(world.code("root", "kms", "Encrypt", &encrypt).await, "ok");
    assert_eq!(world.code("nobody", "kms", "Encrypt", &encrypt).await, "AuthFailure.SecretIdNotFound");
}

/// A node that is stopped in the middle of a request: what only reads is not answered late, what was written stays true.
#[tokio::test]
async fn what_became_old_meanwhile_is_not_told() {
    let world = World::new().await;
    let key = key(&world).await;
    let status = json!({"AccessKeyId": secret_id("root"), "Status": "Inactive"});
    for (service, action, parameters, code) in [
        ("kms", "ListKeys", json!({}), "UnsupportedOperation.ServiceTemporaryUnavailable"),
        ("kms", "DisableKey", key, "ok"),
        ("cam", "UpdateAccessKey", status, "ok"),
    ] {
        world.faults.stale_after_use.store(true, SeqCst);
        assert_eq!(world.code("root", service, action, &parameters).await, code, "{action}");
        assert!(world.faults.stale.swap(false, SeqCst), "{action} used the store");
    }
    assert_eq!(world.code("root", "kms", "ListKeys", &json!({})).await, "AuthFailure.SecretIdNotFound");
}

/// What is gone already may be gone on this node only, as long as whoever made it so has not been answered.
#[tokio::test]
async fn a_change_that_finds_its_work_done_waits_for_the_other_nodes() {
    let world = World::new().await;
    let key = key(&world).await;
    let gone = json!({"AccessKeyId": secret_id("gone")});
    let blank = json!({});
    let unavailable = "UnsupportedOperation.ServiceTemporaryUnavailable";
    assert_eq!(world.code("root", "kms", "DisableKey", &key).await, "ok");
    for (service, action, parameters, settled, unsettled) in [
        ("cam", "DeleteAccessKey", &gone, "ResourceNotFound.SecretNotExist", "FailedOperation.Accesskey"),
        ("kms", "DisableKey", &key, "ok", unavailable),
        ("kms", "EnableKey", &blank, "MissingParameter", "MissingParameter"),
        ("kms", "ListKeys", &json!({}), "ok", "ok"),
    ] {
        for (switch, code) in [(false, settled), (true, unsettled)] {
            world.faults.unsettled.store(switch, SeqCst);
            assert_eq!(world.code("root", service, action, parameters).await, code, "{action} {switch}");
        }
    }
}
