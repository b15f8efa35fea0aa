//! What a node answers that may have missed what others committed: a refusal to try again, before anything is looked at.

use std::sync::atomic::Ordering::SeqCst;

use serde_json::json;

use crate::testing::{Ask, PASSWORD, World};

fn encrypt() -> Ask {
    Ask::kms("encrypt-data", json!({"key_id": "{key}", "plain_text": "x"}))
}

fn disable() -> Ask {
    Ask::kms("disable-key", json!({"key_id": "{key}"}))
}

#[test]
fn nothing_is_decided_on_what_may_be_old() {
    let mut world = World::new();
    let token = world.token(1, Some("local"));
    let login = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "root", "password": PASSWORD, "domain": {"name": "root"}}}}}});
    world.outcomes([(encrypt(), "200"), (encrypt().with_token(token.clone()), "200")]);
    let asked = world.app.authority.engine().stats();
    world.faults.stale.store(true, SeqCst);
    world.outcomes([
        (encrypt(), "503 KMS.0104"),
        (encrypt().with_token(token.clone()), "503 KMS.0104"),
        (disable(), "503 KMS.0104"),
        // Whether there are credentials at all is not looked at either.
        (encrypt().anonymous(), "503 KMS.0104"),
        (Ask::post("/v3/auth/tokens", login.clone()).anonymous(), "503"),
        (Ask::get("/v3/projects"), "503"),
    ]);
    assert_eq!(world.app.authority.engine().stats(), asked, "the store was not even asked");
    world.faults.stale.store(false, SeqCst);
    world.outcomes([
        (encrypt(), "200"),
        (encrypt().with_token(token), "200"),
        (encrypt().anonymous(), "403 KMS.0301"),
        (Ask::post("/v3/auth/tokens", login).anonymous(), "201"),
    ]);
}

/// A node that is stopped in the middle of a request: what only reads is not answered late, what was written stays true.
#[test]
fn what_became_old_meanwhile_is_not_told() {
    let mut world = World::new();
    let list = || Ask::kms("list-keys", json!({}));
    for (ask, outcome) in [(list(), "503 KMS.0104"), (disable(), "200")] {
        world.faults.stale_after_use.store(true, SeqCst);
        world.outcomes([(ask, outcome)]);
        assert!(world.faults.stale.swap(false, SeqCst), "the store was used");
    }
    world.outcomes([(encrypt(), "400 KMS.0209"), (list(), "200")]);
}
