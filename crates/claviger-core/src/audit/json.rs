//! The members of a line as JSON, straight into its bytes.
//!
//! By hand because every request pays for it: a whole append, its SHA-256 aside, costs less than `serde_json`
//! takes for the text alone.

use std::io::Write as _;
use std::net::IpAddr;

/// The text of the second written last: most lines share theirs with the line before.
#[derive(Debug, Default)]
pub(super) struct Second {
    unix: Option<i64>,
    text: String,
}

impl Second {
    /// Writes RFC 3339 in UTC with microseconds.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, time: jiff::Timestamp) {
        let micros = time.as_microsecond();
        let unix = micros.div_euclid(1_000_000);
        if self.unix != Some(unix) {
            // The whole second below a time in range is in range.
            let second = jiff::Timestamp::from_second(unix).unwrap_or(time);
            self.text = second.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            self.unix = Some(unix);
        }
        out.extend_from_slice(self.text.as_bytes());
        // Seven digits, the first of which becomes the point.
        let at = out.len();
        decimal(out, 1_000_000 + micros.rem_euclid(1_000_000).unsigned_abs());
        out[at] = b'.';
        out.push(b'Z');
    }
}

/// Writes a name and a number, or null.
pub(super) fn number(out: &mut Vec<u8>, name: &[u8], value: Option<u64>) {
    out.extend_from_slice(name);
    match value {
        Some(value) => decimal(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes a name and a text, or null.
pub(super) fn optional(out: &mut Vec<u8>, name: &[u8], value: Option<&str>, limit: usize) {
    match value {
        Some(value) => text(out, name, value, limit),
        None => number(out, name, None),
    }
}

/// Writes a name and a text of at most `limit` bytes, quoted and escaped.
pub(super) fn text(out: &mut Vec<u8>, name: &[u8], value: &str, limit: usize) {
    let kept = &value[..value.floor_char_boundary(limit)];
    out.extend_from_slice(name);
    out.push(b'"');
    if kept.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        out.extend_from_slice(kept.as_bytes());
    } else {
        escaped(out, kept);
    }
    if kept.len() < value.len() {
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cold]
fn escaped(out: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        match character {
            '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
            _ if is_unprintable(character) => {
                // All of these lie below U+10000, so one escape is enough.
                write!(out, "\\u{:04x}", u32::from(character)).expect("a Vec takes every write");
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Characters that JSON forbids raw, or that would let a stranger's text move the cursor or turn the
/// direction of writing on the terminal of whoever reads the record.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes an address as text, an IPv4-mapped one as IPv4.
pub(super) fn address(out: &mut Vec<u8>, source: IpAddr) {
    match source.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            decimal(out, a.into());
            for octet in [b, c, d] {
                out.push(b'.');
                decimal(out, octet.into());
            }
        }
        IpAddr::V6(v6) => write!(out, "{v6}").expect("a Vec takes every write"),
    }
}

fn decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_addresses() {
        let times = [
            ("2026-11-21T22:30:01Z", "2026-11-21T22:30:01.000000Z"),
            ("2026-11-21T22:30:01.9999999Z", "2026-11-21T22:30:01.999999Z"),
            ("2026-11-21T22:30:02.5Z", "2026-11-21T22:30:02.500000Z"),
            ("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000Z"),
            ("9999-12-30T22:00:00.999999999Z", "9999-12-30T22:00:00.999999Z"),
        ];
        let mut second = Second::default();
        for (time, expected) in times {
            let mut out = Vec::new();
            second.write(&mut out, time.parse().expect("a time"));
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
        let addresses = [("0.0.0.0", "0.0.0.0"), ("255.9.10.255", "255.9.10.255"), ("::1", "::1")];
        for (source, expected) in addresses.into_iter().chain([("::ffff:192.0.2.9", "192.0.2.9")]) {
            let mut out = Vec::new();
            address(&mut out, source.parse().expect("an address"));
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn numbers() {
        for value in [0, 1, 9, 10, 99, 100, 1_000_000, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, value);
            assert_eq!(String::from_utf8_lossy(&out), value.to_string());
        }
    }
}
