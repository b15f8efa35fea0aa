//! etcd's API as JSON over HTTP/1.1, which every member speaks on its client port. Enough for looking and for damage.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::Connection;

/// How long a member may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// One member's client port.
#[derive(Clone, Copy, Debug)]
pub struct Gateway {
    member: SocketAddr,
    patience: Duration,
}

/// What a member says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    pub member: String,
    /// The member that this one takes for the leader; none during an election.
    pub leader: Option<String>,
    pub revision: i64,
}

impl Gateway {
    pub fn new(member: SocketAddr) -> Self {
        Self { member, patience: ANSWER }
    }

    /// The same for those who wait only that long.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub fn status(self) -> Result<Status> {
        let answer = self.post("/v3/maintenance/status", &json!({}))?;
        let text = |pointer| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Ok(Status {
            member: text("/header/member_id").context("no member_id")?,
            leader: text("/leader").filter(|leader| leader != "0"),
            revision: revision(&answer)?,
        })
    }

    /// Puts one key; the revision that made it.
    pub fn put(self, key: &str, value: &[u8]) -> Result<i64> {
        let body = json!({"key": STANDARD.encode(key), "value": STANDARD.encode(value)});
        revision(&self.post("/v3/kv/put", &body)?)
    }

    /// How many keys there are that begin so; an empty prefix counts all.
    pub fn count(self, prefix: &str) -> Result<u64> {
        let body = json!({"key": from(prefix), "range_end": after(prefix), "count_only": true});
        let answer = self.post("/v3/kv/range", &body)?;
        // A zero is left out of the JSON.
        let count = answer.get("count").and_then(Value::as_str).unwrap_or("0");
        Ok(count.parse()?)
    }

    pub fn delete(self, prefix: &str) -> Result<()> {
        let body = json!({"key": from(prefix), "range_end": after(prefix)});
        self.post("/v3/kv/deleterange", &body).map(drop)
    }

    /// Forgets all revisions before that one, and waits until they are gone.
    pub fn compact(self, revision: i64) -> Result<()> {
        let body = json!({"revision": revision.to_string(), "physical": true});
        self.post("/v3/kv/compaction", &body).map(drop)
    }

    /// Gives this member's freed pages back.
    pub fn defragment(self) -> Result<()> {
        self.post("/v3/maintenance/defragment", &json!({})).map(drop)
    }

    /// Ends the alarm about space on every member that raised it.
    pub fn disarm(self) -> Result<()> {
        let raised = self.post("/v3/maintenance/alarm", &json!({"action": "GET"}))?;
        for alarm in raised.get("alarms").and_then(Value::as_array).into_iter().flatten() {
            let member = alarm.get("memberID").cloned().unwrap_or(Value::Null);
            let body = json!({"action": "DEACTIVATE", "alarm": "NOSPACE", "memberID": member});
            self.post("/v3/maintenance/alarm", &body)?;
        }
        Ok(())
    }

    fn post(self, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.member,
            body.len()
        );
        let answer = Connection::open_within(self.member, self.patience)?
            .call(request.as_bytes())
            .context(path.to_owned())?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status != 200 {
            bail!("{path}: HTTP {}: {text}", answer.status);
        }
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }
}

fn revision(answer: &Value) -> Result<i64> {
    let revision = answer.pointer("/header/revision").and_then(Value::as_str).context("no revision")?;
    Ok(revision.parse()?)
}

/// Where the keys begin that have that prefix: a single zero byte stands for the first of all.
fn from(prefix: &str) -> String {
    STANDARD.encode(if prefix.is_empty() { "\0" } else { prefix })
}

/// The first key that no longer has that prefix.
fn after(prefix: &str) -> String {
    let mut end = prefix.as_bytes().to_vec();
    match end.pop() {
        // No prefix of ours ends in 0xff: they are text.
        Some(last) => end.push(last + 1),
        None => end.push(0),
    }
    STANDARD.encode(end)
}
