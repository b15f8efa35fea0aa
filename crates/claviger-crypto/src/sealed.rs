//! The sealed format: how keys and credentials lie in the store.
//!
//! ```text
//! version 1 | kind 1 | salt 32 | nonce 12 | ciphertext n | tag 16
//! └────── header (34) ──────┘
//! ```
//! The message key is derived from the sealing key and the header, and the header and the record's label are
//! authenticated. Described in `docs/format.md`.

use crate::derive::{MessageKeyLen, message_key};
use crate::gcm::{NONCE_LEN, TAG_LEN, aes_open, aes_seal};
use crate::{CryptoError, Entropy, MacKey, Secret};

/// What is sealed. Part of the header, so that a ring key never opens as a secret of its ring or the reverse.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Ring = 1,
    Secret = 2,
}

/// Seals `secret` for the record that `label` names.
pub(crate) fn seal(key: &MacKey, entropy: &Entropy, kind: Kind, label: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut header = [0; HEADER_LEN];
    let [version, kind_byte, salt @ ..] = &mut header;
    *version = VERSION;
    *kind_byte = kind as u8;
    entropy.fill(salt);
    let nonce: [u8; NONCE_LEN] = entropy.bytes();

    let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + secret.len() + TAG_LEN);
    sealed.extend(header);
    sealed.extend(nonce);
    sealed.extend(secret);
    let message_key = message_key(key, KDF_LABEL, &header, MessageKeyLen::Bits256);
    let text = &mut sealed[HEADER_LEN + NONCE_LEN..];
    let tag = aes_seal(&message_key, nonce, &[&header, label].concat(), text);
    sealed.extend(tag);
    sealed
}

/// Opens what [`seal`] made with the same key, kind and label.
pub(crate) fn open(key: &MacKey, kind: Kind, label: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    if *sealed.first().ok_or(CryptoError::Malformed)? != VERSION {
        return Err(CryptoError::UnsupportedVersion);
    }
    let (header, rest) = sealed.split_first_chunk::<HEADER_LEN>().ok_or(CryptoError::Malformed)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(CryptoError::Malformed)?;
    let (text, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(CryptoError::Malformed)?;
    if header[1] != kind as u8 {
        return Err(CryptoError::Malformed);
    }
    let message_key = message_key(key, KDF_LABEL, header, MessageKeyLen::Bits256);
    aes_open(&message_key, *nonce, &[header, label].concat(), text, tag)
}

const VERSION: u8 = 1;
const SALT_LEN: usize = 32;
const HEADER_LEN: usize = 2 + SALT_LEN;
const KDF_LABEL: &[u8] = b"claviger sealed 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_matters() {
        let (key, sealed) = sample();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0 => CryptoError::UnsupportedVersion,
                1 => CryptoError::Malformed,
                _ => CryptoError::Authentication,
            };
            assert_eq!(open(&key, Kind::Secret, b"label", &altered), Err(expected), "bit {bit}");
        }
    }

    #[test]
    fn every_length_matters() {
        let (key, sealed) = sample();
        for len in 0..sealed.len() {
            assert!(open(&key, Kind::Secret, b"label", &sealed[..len]).is_err(), "{len} bytes");
        }
        let longer = [sealed.as_slice(), &[0]].concat();
        assert_eq!(open(&key, Kind::Secret, b"label", &longer), Err(CryptoError::Authentication));
        assert_eq!(open(&key, Kind::Secret, b"label", &[]), Err(CryptoError::Malformed));
    }

    #[test]
    fn kinds_do_not_open_as_each_other() {
        let (key, sealed) = sample();
        assert_eq!(open(&key, Kind::Ring, b"label", &sealed), Err(CryptoError::Malformed));
        let mut renamed = sealed;
        renamed[1] = Kind::Ring as u8;
        assert_eq!(open(&key, Kind::Ring, b"label", &renamed), Err(CryptoError::Authentication));
    }

    fn sample() -> (MacKey, Vec<u8>) {
        let key = MacKey::sha256(&[7; 32]);
        let sealed = seal(&key, &Entropy::seeded(1), Kind::Secret, b"label", b"secret");
        (key, sealed)
    }
}
