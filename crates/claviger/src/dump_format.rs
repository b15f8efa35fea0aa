//! The lines of a dump: a header, one line per record in the order of the store's keys, and a trailer.
//!
//! ```text
//! {"format":"claviger-dump","v":1,"claviger":"0.1.0","created":"2026-01-01T00:00:00Z","root":"82d36bc29bfe5459"}
//! {"k":"<base64>","v":"<base64>"}
//! {"records":1,"chain":"<64 hex digits>"}
//! ```
//! Records are as the store has them: secrets stay sealed, and whoever restores needs the root key that `root` names. The chain
//! begins as 32 zero bytes; each line, with its line feed, makes it SHA-256(chain ‖ line). It finds accidents and half-written
//! copies; it is no signature, so keep dumps where nobody can write.

use claviger_core::sha256;
use serde::{Deserialize, Serialize};

/// What the header's `format` says.
pub const FORMAT: &str = "claviger-dump";
/// The version that this release writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// The longest line: a record at the store's limits, in base64.
pub const LINE_BYTES_MAX: usize = 2 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub v: u32,
    /// The release that wrote it.
    #[serde(default)]
    pub claviger: String,
    /// When, in RFC 3339.
    #[serde(default)]
    pub created: String,
    /// The fingerprint of the root key that it is sealed under; absent for a store that was never served.
    #[serde(default)]
    pub root: Option<String>,
}

/// A line after the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Line {
    /// A record.
    Record {
        /// Its key, in base64.
        k: String,
        /// Its value, in base64.
        v: String,
    },
    /// The last line.
    Trailer {
        /// How many records there are.
        records: u64,
        /// The chain over all lines before.
        chain: String,
    },
}

/// The digest over all lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain([u8; 32]);

impl Chain {
    /// Takes a line in, its line feed included.
    pub fn take(&mut self, line: &[u8]) {
        self.0 = sha256(&[&self.0, line]);
    }

    /// As 64 hex digits.
    pub fn hex(&self) -> String {
        claviger_core::hex_lower(&self.0)
    }
}
