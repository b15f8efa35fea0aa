//! One action against a key in every state.

use serde_json::{Value, json};

use crate::testing::{Ask, World};

/// Where the first key is taken to be enabled, disabled, pending deletion and pending import.
const PATHS: [&[(&str, &str)]; 4] = [
    &[],
    &[("disable-key", r#"{"key_id":"{key}"}"#)],
    &[("schedule-key-deletion", r#"{"key_id":"{key}","pending_days":"7"}"#)],
    &[],
];

/// Checks the outcome of an action on a key that is enabled, disabled, pending deletion and pending import: the status, and the
/// error code or the key's state after.
pub(super) fn check(action: &str, more: &Value, expected: [&str; 4]) {
    let states = PATHS.iter().enumerate();
    for ((index, path), expected) in states.zip(expected) {
        let mut world = World::new();
        if index == 3 {
            let lent = json!({"key_alias": "lent", "origin": "external"});
            world.send(&Ask::kms("create-key", lent).keep("key", "/key_info/key_id"));
        }
        for (action, body) in *path {
            assert_eq!(world.send(&Ask::kms(action, body)).outcome(), "200");
        }
        let answered = world.send(&Ask::kms(action, with_key(more)));
        let json = answered.json();
        let told = json.pointer("/key_info/key_state").or_else(|| json.pointer("/key_state"));
        let outcome = match told.and_then(Value::as_str) {
            Some(state) => format!("{} {state}", answered.outcome()),
            None => answered.outcome(),
        };
        assert_eq!(outcome, expected, "{action} in state {index}: {}", answered.body);
    }
}

/// Checks that an action is refused on a key that a service holds.
pub(super) fn check_bound(action: &str, more: &Value) {
    let mut world = World::new();
    let tenant = "/v4/tenants/{domain}/repo-encryption";
    world.outcomes([
        (Ask::post(format!("{tenant}/kms-grant"), ""), "200"),
        (
            Ask::new(
                "PUT",
                format!("{tenant}/setting"),
                json!({"encryption_type": "KMS", "cmk_key_id": "{key}", "default_encryption_enabled": true}),
            ),
            "200",
        ),
        (Ask::kms(action, with_key(more)), "400 KMS.0211"),
    ]);
}

fn with_key(more: &Value) -> Value {
    let mut body = more.clone();
    body["key_id"] = "{key}".into();
    body
}
