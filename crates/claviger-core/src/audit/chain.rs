//! Lines and the chain through them: how one is written, sealed with its hash, and read back.

use std::collections::VecDeque;

use super::json::{Second, address, number, optional, text};
use super::{Event, Head, Why};

/// 64 lower-case hex digits of a SHA-256.
pub(super) type Hex = [u8; 64];

/// What the first line of all has as its `prev`.
pub(super) const GENESIS: Hex = [b'0'; 64];
/// The longest line there can be: every text at its limit and every byte of it escaped.
pub(super) const LINE_LIMIT_BYTES: usize = 16 << 10;

const TEXT_LIMIT_BYTES: usize = 256;
const RESOURCE_LIMIT_BYTES: usize = 1024;

/// The end of the chain, and the lines behind it that are not written yet.
#[derive(Debug)]
pub(super) struct Chain {
    seq: u64,
    hash: Hex,
    queue: Batch,
    queued: u64,
    segment: u64,
    segment_len: u64,
    segment_bytes: u64,
    second: Second,
}

/// Lines to write, and the places where a new segment begins.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) cuts: VecDeque<usize>,
}

/// Where an existing chain ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) seq: u64,
    pub(super) hash: Hex,
    pub(super) segment: u64,
    pub(super) segment_len: u64,
}

impl Chain {
    /// A chain that goes on after `end`, in segments of about `segment_bytes`.
    pub(super) fn after(end: End, segment_bytes: u64) -> Self {
        Self {
            seq: end.seq,
            hash: end.hash,
            queue: Batch::default(),
            queued: 0,
            segment: end.segment,
            segment_len: end.segment_len,
            segment_bytes,
            second: Second::default(),
        }
    }

    /// Adds the event's line, in a new segment if the current one is full. Answers with
    /// [`queued`](Self::queued).
    pub(super) fn push_event(&mut self, event: &Event<'_>) -> u64 {
        if self.segment_len >= self.segment_bytes {
            self.queue.cuts.push_back(self.queue.bytes.len());
            self.segment += 1;
            self.segment_len = 0;
            self.push_header();
        }
        let start = self.begin();
        let out = &mut self.queue.bytes;
        out.extend_from_slice(b",\"time\":\"");
        self.second.write(out, event.time);
        text(out, b"\",\"request_id\":", event.request_id, TEXT_LIMIT_BYTES);
        text(out, b",\"dialect\":", event.dialect, TEXT_LIMIT_BYTES);
        text(out, b",\"action\":", event.action, TEXT_LIMIT_BYTES);
        number(out, b",\"account\":", event.account);
        number(out, b",\"user\":", event.user);
        optional(out, b",\"access_key\":", event.access_key, TEXT_LIMIT_BYTES);
        out.extend_from_slice(b",\"source\":\"");
        address(out, event.source);
        optional(out, b"\",\"resource\":", event.resource, RESOURCE_LIMIT_BYTES);
        text(out, b",\"outcome\":", event.outcome, TEXT_LIMIT_BYTES);
        self.seal(start)
    }

    /// Adds the line that every segment begins with.
    pub(super) fn push_header(&mut self) {
        let start = self.begin();
        let out = &mut self.queue.bytes;
        out.extend_from_slice(b",\"event\":\"segment\"");
        number(out, b",\"segment\":", Some(self.segment));
        self.seal(start);
    }

    /// Adds the line saying that the last start found a half-written line of `cut_bytes` and removed it.
    pub(super) fn push_recovered(&mut self, cut_bytes: u64) {
        let start = self.begin();
        let out = &mut self.queue.bytes;
        out.extend_from_slice(b",\"event\":\"recovered\"");
        number(out, b",\"cut_bytes\":", Some(cut_bytes));
        self.seal(start);
    }

    /// Bytes queued since opening, written or not.
    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    pub(super) fn head(&self) -> Head {
        Head { seq: self.seq, hash: shown(&self.hash) }
    }

    /// Hands out the queue and takes `empty` in its place, so that the two buffers are used in turn.
    pub(super) fn swap_queue(&mut self, empty: &mut Batch) {
        debug_assert!(empty.bytes.is_empty() && empty.cuts.is_empty());
        std::mem::swap(&mut self.queue, empty);
    }

    /// Starts a line; answers with where.
    fn begin(&mut self) -> usize {
        let start = self.queue.bytes.len();
        self.seq += 1;
        number(&mut self.queue.bytes, b"{\"v\":1,\"seq\":", Some(self.seq));
        start
    }

    /// Ends the line begun at `start`: links it to the one before and hashes it.
    fn seal(&mut self, start: usize) -> u64 {
        let out = &mut self.queue.bytes;
        out.extend_from_slice(b",\"prev\":\"");
        out.extend_from_slice(&self.hash);
        out.push(b'"');
        self.hash = hash(&out[start..]);
        out.extend_from_slice(b",\"hash\":\"");
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(b"\"}\n");
        let length = (out.len() - start) as u64;
        self.segment_len += length;
        self.queued += length;
        self.queued
    }
}

/// What a reader needs of a line. Its own hash has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) prev: Hex,
    pub(super) hash: Hex,
    /// The segment's number, when this is a segment's header.
    pub(super) header: Option<u64>,
}

impl Line {
    /// Reads a line (without its line feed) and checks its own hash.
    pub(super) fn read(line: &[u8]) -> Result<Self, Why> {
        let (hashed, stated) = split_hex(line, b",\"hash\":\"", b"\"}").ok_or(Why::Malformed)?;
        let (front, prev) = split_hex(hashed, b",\"prev\":\"", b"\"").ok_or(Why::Malformed)?;
        let front = front.strip_prefix(b"{\"v\":").ok_or(Why::Malformed)?;
        let front = front.strip_prefix(b"1,").ok_or(Why::Version)?;
        let front = front.strip_prefix(b"\"seq\":").ok_or(Why::Malformed)?;
        let digits = front.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (seq, rest) = front.split_at(digits);
        if hash(hashed) != stated {
            return Err(Why::Edited);
        }
        let header = rest.strip_prefix(b",\"event\":\"segment\",\"segment\":").map(integer);
        let header = header.map(|segment| segment.ok_or(Why::Malformed)).transpose()?;
        Ok(Self { seq: integer(seq).ok_or(Why::Malformed)?, prev, hash: stated, header })
    }
}

/// A hash as text.
pub(super) fn shown(hash: &Hex) -> String {
    String::from_utf8_lossy(hash).into_owned()
}

/// Takes `<name><64 characters><close>` off the end of a line.
fn split_hex<'a>(line: &'a [u8], name: &[u8], close: &[u8]) -> Option<(&'a [u8], Hex)> {
    let (front, hex) = line.strip_suffix(close)?.split_last_chunk::<64>()?;
    Some((front.strip_suffix(name)?, *hex))
}

fn integer(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn hash(line: &[u8]) -> Hex {
    *claviger_crypto::sha256_hex(line).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::event;

    const NONE: End = End { seq: 0, hash: GENESIS, segment: 1, segment_len: 0 };

    fn line_of(event: &Event<'_>) -> String {
        let mut chain = Chain::after(NONE, u64::MAX);
        chain.push_event(event);
        String::from_utf8(chain.queue.bytes).expect("lines are UTF-8")
    }

    #[test]
    fn a_line_has_the_documented_shape() {
        let zeros = "0".repeat(64);
        let line = line_of(&event("r-1"));
        let (front, end) = line.split_once(",\"hash\":").expect("a hash");
        let expected = format!(
            r#"{{"v":1,"seq":1,"time":"2026-11-21T22:30:01.000042Z","request_id":"r-1","dialect":"tencent","action":"Encrypt","account":7,"user":null,"access_key":"AKID1","source":"192.0.2.1","resource":null,"outcome":"ok","prev":"{zeros}""#
        );
        assert_eq!(front, expected);
        assert_eq!(end, format!("\"{}\"}}\n", &*claviger_crypto::sha256_hex(expected.as_bytes())));
        assert_eq!(Line::read(line.trim_end().as_bytes()).expect("a line").seq, 1);
    }

    #[test]
    fn text_is_escaped_and_reads_back() {
        let long = "x".repeat(TEXT_LIMIT_BYTES);
        let longer = format!("{long}y");
        let wide = "钥".repeat(100);
        let cases: &[(&str, &str)] = &[
            ("", r#""""#),
            ("Encrypt", r#""Encrypt""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\0\n\r\t\u{1f}\u{7f}", r#""\u0000\u000a\u000d\u0009\u001f\u007f""#),
            ("密钥 ключ 🔑", r#""密钥 ключ 🔑""#),
            ("\u{9b}2J\u{202e}gnp\u{2028}\u{feff}\u{200b}", r#""\u009b2J\u202egnp\u2028\ufeff\u200b""#),
            ("\",\"outcome\":\"ok", r#""\",\"outcome\":\"ok""#),
            (&long, &format!("\"{long}\"")),
            (&longer, &format!("\"{long}…\"")),
            (&wide, &format!("\"{}…\"", "钥".repeat(TEXT_LIMIT_BYTES / 3))),
        ];
        for (value, expected) in cases {
            let line = line_of(&Event { action: value, ..event("r") });
            assert!(line.contains(&format!(",\"action\":{expected},\"account\"")), "{value:?}: {line}");
            let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            let kept = json.get("action").and_then(serde_json::Value::as_str).expect("a text");
            assert!(kept == *value || value.starts_with(kept.trim_end_matches('…')), "{value:?}");
            assert_eq!(json.get("outcome"), Some(&"ok".into()), "{value:?}");
        }
    }

    #[test]
    fn the_longest_line_keeps_within_the_limit() {
        let hostile = "\u{7f}".repeat(RESOURCE_LIMIT_BYTES + 1);
        let line = line_of(&Event {
            time: jiff::Timestamp::MIN,
            request_id: &hostile,
            dialect: &hostile,
            action: &hostile,
            account: Some(u64::MAX),
            user: Some(u64::MAX),
            access_key: Some(&hostile),
            source: "2001:db8:1111:2222:3333:4444:5555:6666".parse().expect("an address"),
            resource: Some(&hostile),
            outcome: &hostile,
        });
        assert!(line.len() < LINE_LIMIT_BYTES, "{}", line.len());
        Line::read(line.trim_end().as_bytes()).expect("a line");
    }
}
