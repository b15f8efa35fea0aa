//! Tags of the steady key: each has one writer, who writes another value each time, and everybody reads them.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::super::line::{Ask, Line, Sent, Told};
use super::{Kind, PATIENCE, STEADY_KEY, TAGS, World, pause};
use crate::chance::Chance;
use crate::history::{Act, ON, Object};

/// The value that a tag begins with: the history's first value.
pub(super) const FIRST: &str = "v1";
const WRITE_PACE: Duration = Duration::from_millis(200);
const READ_PACE: Duration = Duration::from_millis(40);

pub(super) fn write(world: &World, number: usize, chance: &mut Chance) {
    let mut line = Line::new(world.account.root(), world.clock);
    let path = path(world);
    let mut value = ON;
    while !world.over() {
        value += 1;
        let nodes = world.from(chance.below(world.nodes.len()));
        let body = json!({"tag": {"key": format!("tag{number}"), "value": format!("v{value}")}});
        let Some(sent) = line.ask(&nodes, Ask::Huawei { method: "POST", path: &path }, &body) else {
            sleep(PATIENCE);
            continue;
        };
        world.record(Kind::Write, &sent, &[(Object::Tag(number), Act::Write(value))]);
        pause(chance, WRITE_PACE);
    }
}

pub(super) fn read(world: &World, node: usize, chance: &mut Chance) {
    let mut line = Line::new(world.account.root(), world.clock);
    while !world.over() {
        let sent = read_once(world, &mut line, &world.from(node));
        let patient = sent.is_none_or(|sent| matches!(sent.told, Told::Lost(_) | Told::Unavailable));
        pause(chance, if patient { PATIENCE } else { READ_PACE });
    }
}

/// Reads all tags and records what they are.
pub fn read_once(world: &World, line: &mut Line, nodes: &[std::net::SocketAddr]) -> Option<Sent> {
    let ask = Ask::Huawei { method: "GET", path: &path(world) };
    let mut sent = line.ask(nodes, ask, &json!({}))?;
    let mut acts = Vec::new();
    if sent.told == Told::Done {
        match values(&sent.answer) {
            Ok(values) => acts = values,
            Err(error) => sent.told = Told::Other(error.to_string()),
        }
    }
    world.record(Kind::Use, &sent, &acts);
    Some(sent)
}

fn values(answer: &Value) -> Result<Vec<(Object, Act)>> {
    let tags = answer.get("tags").and_then(Value::as_array).context("no tags")?;
    let one = |number: usize| {
        let name = format!("tag{number}");
        let tag = tags.iter().find(|tag| tag.get("key").and_then(Value::as_str) == Some(&name));
        let text = tag.and_then(|tag| tag.get("value")).and_then(Value::as_str);
        let value =
            text.and_then(|text| text.strip_prefix('v')).with_context(|| format!("{name} in {answer}"))?;
        Ok((Object::Tag(number), Act::Read(value.parse()?)))
    };
    (0..TAGS).map(one).collect()
}

fn path(world: &World) -> String {
    format!("/v1.0/{}/kms/{}/tags", world.account.project_id(), world.keys[STEADY_KEY])
}
