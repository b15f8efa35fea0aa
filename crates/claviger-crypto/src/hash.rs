//! Digests and their hexadecimal spelling.

use std::fmt;
use std::ops::Deref;

use sha2::{Digest, Sha256};
use sm3::Sm3;

const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

/// SHA-256 ([FIPS 180-4](https://doi.org/10.6028/NIST.FIPS.180-4)) of the concatenated `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest::<Sha256>(parts).into()
}

/// SM3 (GB/T 32905-2016) of the concatenated `parts`.
pub fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    digest::<Sm3>(parts).into()
}

/// SHA-256 of `bytes` as 64 lowercase hexadecimal digits, without allocating.
pub fn sha256_hex(bytes: &[u8]) -> Hex256 {
    Hex256::new(sha256(&[bytes]))
}

/// `bytes` in lowercase hexadecimal.
pub fn hex_lower(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend(digits(*byte).map(char::from));
    }
    text
}

/// 32 bytes as 64 lowercase hexadecimal digits, held in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hex256([u8; 64]);

impl Hex256 {
    /// Spells `bytes`.
    pub fn new(bytes: [u8; 32]) -> Self {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&digits(byte));
        }
        Self(text)
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }

    /// The digits as bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl Deref for Hex256 {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<[u8]> for Hex256 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<str> for Hex256 {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Hex256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Hex256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> sha2::digest::Output<D> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

fn digits(byte: u8) -> [u8; 2] {
    [HEX_DIGITS[usize::from(byte >> 4)], HEX_DIGITS[usize::from(byte & 0x0f)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_vectors() {
        // FIPS 180-4 examples.
        let cases = [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ];
        for (text, expected) in cases {
            let (head, tail) = text.as_bytes().split_at(text.len() / 3);
            assert_eq!(hex_lower(&sha256(&[head, b"", tail])), expected);
            assert_eq!(sha256_hex(text.as_bytes()).as_str(), expected);
        }
    }

    #[test]
    fn sm3_vectors() {
        // GB/T 32905-2016 annex A.
        let cases = [
            ("abc".to_owned(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            ("abcd".repeat(16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
        ];
        for (text, expected) in cases {
            let (head, tail) = text.as_bytes().split_at(text.len() / 3);
            assert_eq!(hex_lower(&sm3(&[head, tail])), expected);
        }
    }

    #[test]
    fn hexadecimal_spells_every_byte() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(hex_lower(&all), hex::encode(&all));
        assert_eq!(hex_lower(&[]), "");
        let hex = sha256_hex(b"");
        assert_eq!(format!("{hex} {hex:?}"), format!("{0} {0}", hex.as_str()));
        assert_eq!((hex.len(), hex.as_bytes().as_slice()), (64, hex.as_str().as_bytes()));
    }
}
