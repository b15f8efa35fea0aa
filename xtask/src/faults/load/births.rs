//! Making keys. What was acknowledged has to be there for ever.

use std::time::Duration;

use serde_json::json;

use super::super::line::{Ask, Line, Told};
use super::{Kind, World, pause};
use crate::caller::text;
use crate::chance::Chance;

const PACE: Duration = Duration::from_millis(250);

pub(super) fn run(world: &World, _: usize, chance: &mut Chance) {
    let mut line = Line::new(world.account.root(), world.clock);
    let mut count = 0;
    while !world.over() {
        count += 1;
        let nodes = world.from(chance.below(world.nodes.len()));
        let body = json!({"Alias": format!("born-{count}")});
        // Asking twice could make two: a connection that may have been closed meanwhile is not used again.
        line.hang_up();
        if let Some(mut sent) = line.ask(&nodes, Ask::Tencent { service: "kms", action: "CreateKey" }, &body)
        {
            if sent.told == Told::Done {
                match text(&sent.answer, "/KeyId") {
                    Ok(id) => world.born.lock().expect("nobody panics holding it").push(id),
                    Err(error) => sent.told = Told::Other(error.to_string()),
                }
            }
            world.record(Kind::Write, &sent, &[]);
        }
        pause(chance, PACE);
    }
}
