//! Golden files: conversations that are read in review.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use claviger_api::{RequestId, serve};
use claviger_core::Entropy;
use http_body_util::BodyExt;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use super::{World, secret_id, wrapping};

/// The numbers of the users of the account `root`; the root user's is the account's.
pub(crate) const ROOT: u64 = 100_000_000_001;
pub(crate) const ALICE: u64 = 100_000_000_002;
pub(crate) const BOB: u64 = 100_000_000_003;

/// A request of a conversation. In its body `{name}` stands for what the conversation knows by that name.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    service: &'static str,
    action: &'static str,
    body: String,
    who: &'static str,
    language: &'static str,
    kept: Vec<(&'static str, &'static str)>,
    wrapped: Vec<(&'static str, u8)>,
}

#[expect(clippy::needless_pass_by_value, reason = "a body is written where it is used, as JSON or as a text")]
impl Ask {
    /// A request signed by the root user of the account `root`.
    pub(crate) fn new(service: &'static str, action: &'static str, body: impl ToString) -> Self {
        Self {
            service,
            action,
            body: body.to_string(),
            who: "root",
            language: "en-US",
            kept: Vec::new(),
            wrapped: Vec::new(),
        }
    }

    pub(crate) fn cam(action: &'static str, body: impl ToString) -> Self {
        Self::new("cam", action, body)
    }

    pub(crate) fn kms(action: &'static str, body: impl ToString) -> Self {
        Self::new("kms", action, body)
    }

    /// Signed by somebody else: `stranger` of another account, `alice` who may everything, `bob` who may nothing, or a name
    /// that no access key has.
    pub(crate) fn signed_by(mut self, who: &'static str) -> Self {
        self.who = who;
        self
    }

    /// By somebody who reads Chinese.
    pub(crate) fn in_chinese(mut self) -> Self {
        self.language = "zh-CN";
        self
    }

    /// Keeps the text or number that the answer has at a JSON pointer within `Response` under a name; it is shown by that name
    /// from then on.
    pub(crate) fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.kept.push((name, pointer));
        self
    }

    /// Gives a name to key material, 32 times this byte, under the public key that the answer has.
    pub(crate) fn wrap(mut self, name: &'static str, material: u8) -> Self {
        self.wrapped.push((name, material));
        self
    }
}

/// Plays requests one after the other in a fresh world and compares the conversation with `golden/<name>.txt`, where `name` is
/// `service.Action`. With `UPDATE=1` in the environment the file is written anew.
///
/// Chance is seeded and the clock stands still, so an answer is shown as it is, except for what it gave a name, for the
/// request's id (`{request}`), and for import parameters, whose RSA key AWS-LC draws from the system: they are always kept.
pub(crate) async fn check(name: &str, asks: &[Ask]) {
    let mut conversation = Conversation::new().await;
    let mut played = String::new();
    for ask in asks {
        conversation.play(ask, &mut played).await;
    }
    let file = format!("{}/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &played).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(played, golden, "{file} differs; run with UPDATE=1 and read the change");
}

/// A world and what has a name in it: `{key}` is an enabled key of `root` with the alias `first`, `{other_key}` one of
/// `stranger`; `{root_access_key}`, `{alice_access_key}` and so on are access keys.
struct Conversation {
    world: World,
    names: BTreeMap<&'static str, String>,
}

impl Conversation {
    async fn new() -> Self {
        let world = World::new().await;
        let everything = json!({"version": "2.0", "statement": {
            "effect": "allow", "action": "*", "resource": "*",
        }});
        world.user("alice", ALICE, &[everything]).await;
        world.user("bob", BOB, &[]).await;
        let names = [
            ("alice_access_key", secret_id("alice")),
            ("bob_access_key", secret_id("bob")),
            ("root_access_key", secret_id("root")),
            ("stranger_access_key", secret_id("stranger")),
        ];
        let mut conversation = Self { world, names: names.into() };
        let create = |alias: &str| Ask::kms("CreateKey", json!({"Alias": alias}));
        let unseen = &mut String::new();
        conversation.play(&create("first").keep("key", "/KeyId"), unseen).await;
        let other = create("other").signed_by("stranger").keep("other_key", "/KeyId");
        conversation.play(&other, unseen).await;
        conversation
    }

    /// Sends a request and writes down what was said.
    async fn play(&mut self, ask: &Ask, played: &mut String) {
        let answer = self.send(ask).await;
        let parsed: Value = serde_json::from_str(&answer).expect("JSON");
        let found = |pointer: &str| match parsed.pointer(&format!("/Response{pointer}")) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => panic!("no {pointer} in {answer}"),
        };
        for (name, pointer) in &ask.kept {
            self.names.insert(name, found(pointer));
        }
        for (name, material) in &ask.wrapped {
            self.names.insert(name, wrapping::wrap(&found("/PublicKey"), &[*material; 32]));
        }
        let Ask { service, action, body, who, language, .. } = ask;
        let _ = writeln!(played, "POST https://{service}.tencentcloudapi.com/\nx-tc-action: {action}");
        if *who != "root" {
            let _ = writeln!(played, "(signed by {who})");
        }
        if *language != "en-US" {
            let _ = writeln!(played, "x-tc-language: {language}");
        }
        let _ = writeln!(played, "{body}\n-> 200 OK\n{}\n", self.shown(&answer));
    }

    /// The body of the answer.
    async fn send(&self, ask: &Ask) -> String {
        let body = self.filled(&ask.body);
        let mut incoming = self.world.signed(ask.who, ask.service, ask.action, &body);
        // The signature does not cover it.
        incoming.headers.insert("x-tc-language", HeaderValue::from_static(ask.language));
        let answer = serve(Arc::clone(&self.world.app), incoming).await;
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        String::from_utf8(body.to_vec()).expect("a text")
    }

    /// A text with names filled in.
    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&&'static str, &String)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        self.names.iter().fold(text.to_owned(), fill)
    }

    /// A text with what has a name shown by its name; longer values first.
    fn shown(&self, text: &str) -> String {
        let request = RequestId::new(&Entropy::seeded(9)).hyphenated();
        let mut names: Vec<(&str, &String)> =
            self.names.iter().map(|(name, value)| (*name, value)).chain([("request", &request)]).collect();
        names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        names
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("{{{name}}}")))
    }
}
