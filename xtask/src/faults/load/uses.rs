//! Encrypting, all the time, on every node in both dialects, signed by root or by a user.

use std::thread::sleep;
use std::time::Duration;

use super::super::line::{Line, Told, Tongue, encrypt};
use super::{PATIENCE, STEADY_KEY, SWITCHED_USERS, World, pause};
use crate::chance::Chance;

/// Pause between two requests of one client.
const PACE: Duration = Duration::from_millis(10);

pub(super) fn run(world: &World, number: usize, chance: &mut Chance) {
    let tongue = if number < world.nodes.len() { Tongue::Tencent } else { Tongue::Huawei };
    let project = world.account.project_id();
    let mut lines = vec![(None, Line::new(world.account.root(), world.clock))];
    lines.extend(
        (0..SWITCHED_USERS).map(|user| (Some(user), Line::new(world.account.user_pair(user), world.clock))),
    );
    while !world.over() {
        let (user, line) = &mut lines[chance.below(SWITCHED_USERS + 1)];
        let key = chance.below(STEADY_KEY + 1);
        let nodes = world.from(number % world.nodes.len());
        let Some(sent) = encrypt(line, &nodes, tongue, &project, &world.keys[key]) else {
            sleep(PATIENCE);
            continue;
        };
        world.record_use(&sent, *user, key);
        match sent.told {
            Told::Lost(_) | Told::Unavailable => sleep(PATIENCE),
            Told::CredentialsOff | Told::Done | Told::KeyOff | Told::Other(_) => pause(chance, PACE),
        }
    }
}
