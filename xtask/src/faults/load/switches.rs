//! Switching keys and access keys off and on. A client that does not learn what became of a change asks for the same again,
//! on another node.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::super::line::{Ask, Line, Sent, Told, Tongue};
use super::{Kind, PATIENCE, SWITCHED_KEYS, World, pause};
use crate::chance::Chance;
use crate::history::{Act, OFF, ON, Object};

/// How long a state is left as it is.
const HOLD: Duration = Duration::from_millis(250);

/// The states that a key and an access key can be switched to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Switch {
    Off,
    On,
}

impl Switch {
    fn other(self) -> Self {
        match self {
            Self::Off => Self::On,
            Self::On => Self::Off,
        }
    }

    fn value(self) -> u64 {
        match self {
            Self::Off => OFF,
            Self::On => ON,
        }
    }
}

pub(super) fn keys(world: &World, number: usize, chance: &mut Chance) {
    let mut line = Line::new(world.account.root(), world.clock);
    let key = number % SWITCHED_KEYS;
    alternate(world, chance, |node, to, tongue| switch_key(world, &mut line, node, tongue, key, to));
}

pub(super) fn access_keys(world: &World, user: usize, chance: &mut Chance) {
    let mut line = Line::new(world.account.root(), world.clock);
    alternate(world, chance, |node, to, _| switch_access_key(world, &mut line, node, user, to));
}

fn alternate(
    world: &World,
    chance: &mut Chance,
    mut switch: impl FnMut(usize, Switch, Tongue) -> Option<Told>,
) {
    let mut to = Switch::Off;
    while !world.over() {
        let node = chance.below(world.nodes.len());
        let tongue = if chance.one_in(2) { Tongue::Huawei } else { Tongue::Tencent };
        match switch(node, to, tongue) {
            None | Some(Told::Lost(_) | Told::Unavailable) => sleep(PATIENCE),
            Some(Told::CredentialsOff | Told::Done | Told::KeyOff | Told::Other(_)) => {
                to = to.other();
                pause(chance, HOLD);
            }
        }
    }
}

/// Enables or disables a key and records that.
pub fn switch_key(
    world: &World,
    line: &mut Line,
    node: usize,
    tongue: Tongue,
    key: usize,
    to: Switch,
) -> Option<Told> {
    let (id, nodes) = (&world.keys[key], world.from(node));
    let sent = match tongue {
        Tongue::Huawei => {
            let action = if to == Switch::On { "enable-key" } else { "disable-key" };
            let path = format!("/v1.0/{}/kms/{action}", world.account.project_id());
            line.ask(&nodes, Ask::Huawei { method: "POST", path: &path }, &json!({"key_id": id}))
        }
        Tongue::Tencent => {
            let action = if to == Switch::On { "EnableKey" } else { "DisableKey" };
            line.ask(&nodes, Ask::Tencent { service: "kms", action }, &json!({"KeyId": id}))
        }
    };
    Some(recorded(world, sent?, Object::Key(key), to))
}

/// Makes a user's access key active or inactive and records that.
pub fn switch_access_key(
    world: &World,
    line: &mut Line,
    node: usize,
    user: usize,
    to: Switch,
) -> Option<Told> {
    let body = json!({
        "AccessKeyId": world.account.user_pair(user).id,
        "Status": if to == Switch::On { "Active" } else { "Inactive" },
        "TargetUin": world.account.user_uin(user),
    });
    let ask = Ask::Tencent { service: "cam", action: "UpdateAccessKey" };
    let sent = line.ask(&world.from(node), ask, &body)?;
    Some(recorded(world, sent, Object::AccessKey(user), to))
}

fn recorded(world: &World, mut sent: Sent, object: Object, to: Switch) -> Told {
    // Huawei refuses to switch to the state that a key has already. Such a refusal promises nothing about other nodes.
    let same = match &sent.told {
        Told::Other(code) if to == Switch::Off => code == "KMS.1301",
        Told::Other(code) => code == "KMS.1201",
        Told::CredentialsOff | Told::Done | Told::KeyOff | Told::Lost(_) | Told::Unavailable => false,
    };
    if same {
        sent.told = Told::KeyOff;
        world.record(Kind::Write, &sent, &[]);
    } else {
        world.record(Kind::Write, &sent, &[(object, Act::Write(to.value()))]);
    }
    sent.told
}
