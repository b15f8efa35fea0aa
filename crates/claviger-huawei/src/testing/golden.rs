//! Golden files: conversations that are read in review.

use std::fmt::Write as _;

use claviger_api::RequestId;
use claviger_core::Entropy;

use crate::testing::ask::Credentials;
use crate::testing::{Ask, World};

/// Plays requests one after the other in a fresh world and compares the conversation with `golden/<name>.txt`, where `name` is
/// `service.Action`. With `UPDATE=1` in the environment the file is written anew.
pub(crate) fn check(name: &str, asks: &[Ask]) {
    let mut world = World::new();
    let mut played = String::new();
    for ask in asks {
        let answered = world.send(ask);
        played.push_str(&shown_request(ask));
        let _ = writeln!(played, "-> {}", answered.status);
        for (header, value) in &answered.headers {
            if !["content-type", "x-request-id"].contains(&header.as_str()) {
                let _ =
                    writeln!(played, "{header}: {}", world.shown(&String::from_utf8_lossy(value.as_bytes())));
            }
        }
        if !answered.body.is_empty() {
            let id = RequestId::new(&Entropy::seeded(9)).simple();
            let _ = writeln!(played, "{}", world.shown(&answered.body).replace(&id, "{request}"));
        }
        played.push('\n');
    }
    let file = format!("{}/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &played).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(played, golden, "{file} differs; run with UPDATE=1 and read the change");
}

fn shown_request(ask: &Ask) -> String {
    let mut shown = format!("{} {}\n", ask.method, ask.target);
    match &ask.credentials {
        Credentials::AccessKey(who) if who == "root" => {}
        Credentials::AccessKey(who) => drop(writeln!(shown, "(signed by {who})")),
        Credentials::None => shown.push_str("(not signed)\n"),
        Credentials::Token(token) => drop(writeln!(shown, "x-auth-token: {token}")),
    }
    for (name, value) in &ask.headers {
        let _ = writeln!(shown, "{name}: {value}");
    }
    if !ask.body.is_empty() {
        let _ = writeln!(shown, "{}", ask.body);
    }
    shown
}
