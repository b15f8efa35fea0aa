//! A client that talks to one node at a time and says what became of each request.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::caller::{Caller, Outcome};
use crate::history::Stopwatch;
use crate::http::Closed;
use crate::sign::Pair;

/// How long an answer may take. A stopped node takes longer.
const ANSWER: Duration = Duration::from_secs(5);

/// What a client was told.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Told {
    Done,
    /// Refused because of the access key.
    CredentialsOff,
    /// Refused because of the key's state.
    KeyOff,
    /// Refused in words that a healthy cluster has no reason for.
    Other(String),
    /// No answer, or none that can be understood.
    Lost(String),
    /// The retryable error.
    Unavailable,
}

/// One request as it went.
#[derive(Debug)]
pub struct Sent {
    /// Who answered or should have.
    pub at: SocketAddr,
    pub told: Told,
    pub answer: Value,
    pub start: Duration,
    pub end: Duration,
}

/// What to ask.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    Huawei { method: &'a str, path: &'a str },
    Tencent { service: &'a str, action: &'a str },
}

/// One access key, and a connection to a node that is kept while it lasts.
pub struct Line {
    pair: Pair,
    clock: Stopwatch,
    open: Option<(SocketAddr, Caller)>,
}

impl Line {
    pub fn new(pair: Pair, clock: Stopwatch) -> Self {
        Self { pair, clock, open: None }
    }

    /// Asks the first of these nodes that listens. `None` where none does: then nothing was sent.
    ///
    /// A connection that served before and is closed instead of an answer is tried once more on a new one, as every client
    /// does: a server may close what is idle at any time.
    pub fn ask(&mut self, nodes: &[SocketAddr], ask: Ask<'_>, body: &Value) -> Option<Sent> {
        let start = self.clock.read();
        let mut lost = None;
        for at in nodes {
            if self.open.as_ref().is_some_and(|(to, _)| to == at) {
                match self.ask_once(ask, body) {
                    Err(error) if error.downcast_ref::<Closed>().is_some() => lost = Some((*at, error)),
                    outcome => return Some(self.sent(*at, start, outcome)),
                }
            }
            self.open = None;
            if let Ok(caller) = Caller::connect_within(*at, &self.pair, ANSWER) {
                self.open = Some((*at, caller));
                let outcome = self.ask_once(ask, body);
                return Some(self.sent(*at, start, outcome));
            }
        }
        let (at, error) = lost?;
        Some(self.sent(at, start, Err(error)))
    }

    /// Forgets the connection: the next request makes a new one.
    pub fn hang_up(&mut self) {
        self.open = None;
    }

    fn ask_once(&mut self, ask: Ask<'_>, body: &Value) -> Result<Outcome> {
        let (_, caller) = self.open.as_mut().expect("every caller of this has opened it");
        match ask {
            Ask::Huawei { method, path } => caller.huawei(method, path, body),
            Ask::Tencent { service, action } => caller.tencent(service, action, body),
        }
    }

    fn sent(&mut self, at: SocketAddr, start: Duration, outcome: Result<Outcome>) -> Sent {
        if outcome.is_err() {
            self.open = None;
        }
        Sent::heard(at, start, self.clock.read(), outcome)
    }
}

impl Sent {
    /// What was heard of a request.
    pub fn heard(at: SocketAddr, start: Duration, end: Duration, outcome: Result<Outcome>) -> Self {
        let (told, answer) = match outcome {
            Ok(Outcome::Done(answer)) => (Told::Done, answer),
            Ok(Outcome::Refused(code)) => (told(&code), Value::Null),
            Err(error) => (Told::Lost(format!("{error:#}")), Value::Null),
        };
        Self { at, told, answer, start, end }
    }
}

/// What an error code means, in both clouds' words.
fn told(code: &str) -> Told {
    match code {
        "AuthFailure.SecretIdNotFound" | "APIGW.0301" => Told::CredentialsOff,
        "ResourceUnavailable.CmkDisabled" | "KMS.0209" => Told::KeyOff,
        "ServiceUnavailable"
        | "UnsupportedOperation.ServiceTemporaryUnavailable"
        | "FailedOperation.Accesskey"
        | "KMS.0104"
        | "APIGW.0801" => Told::Unavailable,
        other => Told::Other(other.to_owned()),
    }
}

/// Encrypting, in either dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tongue {
    Huawei,
    Tencent,
}

/// Encrypts something under a key.
pub fn encrypt(
    line: &mut Line,
    nodes: &[SocketAddr],
    tongue: Tongue,
    project: &str,
    key: &str,
) -> Option<Sent> {
    match tongue {
        Tongue::Huawei => {
            let path = format!("/v1.0/{project}/kms/encrypt-data");
            let body = json!({"key_id": key, "plain_text": "under fault"});
            line.ask(nodes, Ask::Huawei { method: "POST", path: &path }, &body)
        }
        Tongue::Tencent => {
            let body = json!({"KeyId": key, "Plaintext": "dW5kZXIgZmF1bHQ="});
            line.ask(nodes, Ask::Tencent { service: "kms", action: "Encrypt" }, &body)
        }
    }
}
