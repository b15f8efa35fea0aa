//! Per-message keys.

use crate::mac::{MacKey, Tag};

/// Derives the key of one message from a long-lived key, as many bits as `length` says.
///
/// The KDF in counter mode of [SP 800-108r1 §4.1](https://doi.org/10.6028/NIST.SP.800-108r1-upd1) with a single
/// iteration: the first bits of `PRF(key, [1] || label || 0x00 || context || [length in bits])`, both numbers as
/// 32-bit big-endian integers. The context must hold enough chance for the result never to repeat.
pub(crate) fn message_key(key: &MacKey, label: &[u8], context: &[u8], length: MessageKeyLen) -> Tag {
    let bits = (length as u32).to_be_bytes();
    key.sign(&[&COUNTER, label, &[0], context, &bits]).truncated(length as usize / 8)
}

/// How long a message key is, in bits; never longer than one tag of the PRF.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MessageKeyLen {
    Bits128 = 128,
    Bits256 = 256,
}

const COUNTER: [u8; 4] = 1u32.to_be_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_counter_mode_construction() {
        let key = MacKey::sha256(b"key");
        let whole = key.sign(&[b"\0\0\0\x01label\0context\0\0\x01\0"]);
        assert_eq!(*message_key(&key, b"label", b"context", MessageKeyLen::Bits256), *whole);
        let half = key.sign(&[b"\0\0\0\x01label\0context\0\0\0\x80"]);
        assert_eq!(*message_key(&key, b"label", b"context", MessageKeyLen::Bits128), half[..16]);
    }
}
