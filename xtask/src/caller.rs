//! Someone who signs and sends: one connection, one access key, both dialects.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::clock::unix_seconds;
use crate::http::Connection;
use crate::sign::{Huawei, Pair, Tencent};

/// What the server said. Not hearing from it is an `Err` beside this.
#[derive(Debug)]
pub enum Outcome {
    Done(Value),
    /// The error code.
    Refused(String),
}

impl Outcome {
    /// The answer, where a refusal would be a fault of the server.
    pub fn done(self) -> Result<Value> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(code) => bail!("refused with {code}"),
        }
    }

    /// Demands that it was refused with that code.
    pub fn refused(self, expected: &str) -> Result<()> {
        match self {
            Self::Refused(code) if code == expected => Ok(()),
            other => bail!("expected {expected}, got {other:?}"),
        }
    }
}

/// One signer on one connection.
pub struct Caller {
    connection: Connection,
    host: String,
    pair: Pair,
}

impl Caller {
    pub fn connect(address: SocketAddr, pair: &Pair) -> Result<Self> {
        Ok(Self { connection: Connection::open(address)?, host: address.to_string(), pair: pair.clone() })
    }

    /// The same for those who wait only that long.
    pub fn connect_within(address: SocketAddr, pair: &Pair, timeout: Duration) -> Result<Self> {
        let connection = Connection::open_within(address, timeout)?;
        Ok(Self { connection, host: address.to_string(), pair: pair.clone() })
    }

    /// One Tencent action; the members of `Response`.
    pub fn tencent(&mut self, service: &str, action: &str, body: &Value) -> Result<Outcome> {
        self.send_tencent(service, action, body)?;
        self.tencent_answer().with_context(|| action.to_owned())
    }

    /// Sends it without waiting.
    pub fn send_tencent(&mut self, service: &str, action: &str, body: &Value) -> Result<()> {
        let body = body.to_string();
        let request = Tencent { pair: &self.pair, host: &self.host, service, action, body: &body };
        self.connection.send(&request.render(unix_seconds())).with_context(|| action.to_owned())
    }

    /// The answer to what was sent.
    pub fn tencent_answer(&mut self) -> Result<Outcome> {
        let answer = self.connection.answer()?;
        ensure!(answer.status == 200, "HTTP {}", answer.status);
        let mut value: Value = serde_json::from_slice(&answer.body)?;
        let response = value.get_mut("Response").context("no Response")?.take();
        Ok(match response.pointer("/Error/Code").and_then(Value::as_str) {
            Some(code) => Outcome::Refused(code.to_owned()),
            None => Outcome::Done(response),
        })
    }

    /// One Huawei call; an empty body is `Null`.
    pub fn huawei(&mut self, method: &str, path: &str, body: &Value) -> Result<Outcome> {
        let body = body.to_string();
        let request = Huawei { pair: &self.pair, host: &self.host, method, path, body: &body };
        let answer =
            self.connection.call(&request.render(unix_seconds())).with_context(|| path.to_owned())?;
        let value = if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body)? };
        if (200..300).contains(&answer.status) {
            return Ok(Outcome::Done(value));
        }
        let code = value.pointer("/error/error_code").or_else(|| value.get("error_code"));
        Ok(Outcome::Refused(code.and_then(Value::as_str).unwrap_or("without a code").to_owned()))
    }
}

/// A text member of an answer.
pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let member = value.pointer(pointer).and_then(Value::as_str);
    Ok(member.with_context(|| format!("no text at {pointer} in {value}"))?.to_owned())
}
