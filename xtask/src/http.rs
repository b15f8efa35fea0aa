//! A blocking keep-alive connection that speaks just enough HTTP/1.1 for answers with a known length, and for those that come in
//! chunks (RFC 9112, 7.1).

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// Longest answer head that is looked at.
const HEAD_BYTES: usize = 16 * 1024;
/// Longest answer body that is read.
const BODY_BYTES: usize = 16 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_SECONDS: u64 = 30;

/// The server closed the connection instead of beginning an answer: where the connection had served before, it was free to, and
/// the request is to be sent on another one (RFC 9112, 9.3.1).
#[derive(Debug)]
pub struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("the server closed the connection before an answer")
    }
}

impl std::error::Error for Closed {}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        Self::open_within(address, Duration::from_secs(ANSWER_SECONDS))
    }

    /// The same for those who wait only that long, for the connection and for each part of an answer.
    pub fn open_within(address: SocketAddr, timeout: Duration) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, timeout).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Sends one rendered request and reads its answer.
    pub fn call(&mut self, request: &[u8]) -> Result<Answer> {
        self.send(request)?;
        self.answer()
    }

    /// Sends without waiting.
    pub fn send(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).map_err(|error| self.broken(error).context("send"))
    }

    /// The answer to the oldest request that was sent and not answered.
    pub fn answer(&mut self) -> Result<Answer> {
        let (status, head_bytes, framing) = loop {
            if let Some(found) = framing(&self.unread)? {
                break found;
            }
            self.fill()?;
        };
        let body_bytes = match framing {
            Framing::Chunked => {
                self.unread.drain(..head_bytes);
                return Ok(Answer { status, body: self.chunks()? });
            }
            Framing::Length(bytes) => bytes,
        };
        while self.unread.len() < head_bytes + body_bytes {
            self.fill()?;
        }
        let rest = self.unread.split_off(head_bytes + body_bytes);
        let body = self.unread.split_off(head_bytes);
        self.unread = rest;
        Ok(Answer { status, body })
    }

    /// The body of an answer in chunks. Trailers are read and forgotten.
    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = self.line()?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
            ensure!(body.len() + size <= BODY_BYTES, "an answer past {BODY_BYTES} bytes");
            while self.unread.len() < size {
                self.fill()?;
            }
            body.extend(self.unread.drain(..size));
            // Each chunk ends with an empty line; after the last one trailers may come before it.
            while !self.line()?.is_empty() {}
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).context("a line that is not text");
            }
            ensure!(self.unread.len() <= HEAD_BYTES, "a line past {HEAD_BYTES} bytes");
            self.fill()?;
        }
    }

    fn broken(&self, error: std::io::Error) -> anyhow::Error {
        let closed = matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
        );
        if closed && self.unread.is_empty() { Closed.into() } else { error.into() }
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk).map_err(|error| self.broken(error).context("receive"))?;
        if read == 0 {
            return Err(self.broken(ErrorKind::UnexpectedEof.into()));
        }
        self.unread.extend_from_slice(chunk.get(..read).expect("read returns at most the buffer's length"));
        Ok(())
    }
}

/// Where an answer's parts are.
#[derive(Debug, Eq, PartialEq)]
pub struct Head {
    pub status: u16,
    /// Length of the head with its empty line.
    pub bytes: usize,
    pub body_bytes: usize,
}

impl Head {
    /// `None` while the head is not complete.
    pub fn parse(received: &[u8]) -> Result<Option<Self>> {
        match framing(received)? {
            Some((status, bytes, Framing::Length(body_bytes))) => {
                Ok(Some(Self { status, bytes, body_bytes }))
            }
            Some((_, _, Framing::Chunked)) => bail!("an answer of unknown length"),
            None => Ok(None),
        }
    }
}

/// How one knows where a body ends.
enum Framing {
    Chunked,
    Length(usize),
}

/// The status, the length of the head with its empty line, and where the body ends. `None` while the head is not complete.
fn framing(received: &[u8]) -> Result<Option<(u16, usize, Framing)>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        ensure!(received.len() <= HEAD_BYTES, "an answer head past {HEAD_BYTES} bytes");
        return Ok(None);
    };
    let (head, _) = received.split_at(end);
    let head = std::str::from_utf8(head).context("an answer head that is not text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?;
    let status: u16 = status.parse().context("no status")?;
    let mut framing = if status == 204 { Some(Framing::Length(0)) } else { None };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            let bytes = value.trim().parse().context("content-length")?;
            ensure!(bytes <= BODY_BYTES, "an answer of {bytes} bytes");
            framing = Some(Framing::Length(bytes));
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Some(Framing::Chunked);
        }
    }
    let Some(framing) = framing else { bail!("an answer of unknown length: {head}") };
    Ok(Some((status, end + 4, framing)))
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn heads() {
        let cases: &[(&str, Option<(u16, usize)>)] = &[
            ("", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", Some((200, 5))),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some((204, 0))),
        ];
        for (text, expected) in cases {
            let head = Head::parse(text.as_bytes()).expect("well-formed");
            assert_eq!(head.map(|head| (head.status, head.body_bytes)), *expected, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            Head::parse(text.as_bytes()).expect_err(text);
        }
    }
}
