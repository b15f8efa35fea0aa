//! The actions of CAM through signed requests.

mod access_keys;
mod policies;
mod users;

use serde_json::{Value, json};

use crate::testing::World;

const ROOT: u64 = 100_000_000_001;
const ALICE: u64 = 100_000_000_002;
const BOB: u64 = 100_000_000_003;
const STRANGER: u64 = 100_000_000_009;

/// A policy that allows actions on everything.
fn allow(actions: &[&str]) -> Value {
    json!({"version": "2.0", "statement": {"effect": "allow", "action": actions, "resource": "*"}})
}

/// Root, a sub-user `alice` who may do everything, a sub-user `bob` who may do nothing, and a stranger.
async fn world() -> World {
    let world = World::new().await;
    world.user("alice", ALICE, &[allow(&["*"])]).await;
    world.user("bob", BOB, &[]).await;
    world
}

/// Every row: who asks for what, and the code of the answer.
async fn check(world: &World, action: &str, rows: &[(&str, Value, &str)]) {
    for (who, parameters, code) in rows {
        assert_eq!(world.code(who, "cam", action, parameters).await, *code, "{who} {action} {parameters}");
    }
}

/// A text of the answer.
fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {answer}"))
}

/// A number of the answer.
fn number(answer: &Value, pointer: &str) -> u64 {
    answer.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {answer}"))
}
