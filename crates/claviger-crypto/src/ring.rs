//! The key of one ring.

use std::fmt;

use crate::sealed::{self, Kind};
use crate::{CryptoError, Entropy, MacKey, Secret};

/// Bytes in a ring key.
const RING_KEY_LEN: usize = 32;

/// The key of one ring, that is of one account in one region. It seals every secret of the ring that the store
/// holds, and is itself stored wrapped by the root key.
pub struct RingKey {
    bytes: Secret,
    sealing: MacKey,
}

impl RingKey {
    /// A new random ring key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self::prepare(Secret::random(entropy, RING_KEY_LEN))
    }

    /// Seals `secret` for the record that `label` names; [`Self::open`] demands the same label. The result is 62
    /// bytes longer than `secret`.
    pub fn seal(&self, entropy: &Entropy, label: &[u8], secret: &[u8]) -> Vec<u8> {
        sealed::seal(&self.sealing, entropy, Kind::Secret, label, secret)
    }

    /// Opens what [`Self::seal`] made for the record that `label` names.
    ///
    /// # Errors
    /// `Authentication` if it was made with another ring key, for another record or was altered; `Malformed` or
    /// `UnsupportedVersion` if it is not in the sealed format of this release.
    pub fn open(&self, label: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
        sealed::open(&self.sealing, Kind::Secret, label, sealed)
    }

    /// The ring key whose bytes a root key has just unwrapped.
    pub(crate) fn from_secret(bytes: Secret) -> Result<Self, CryptoError> {
        if bytes.len() == RING_KEY_LEN { Ok(Self::prepare(bytes)) } else { Err(CryptoError::WrongLength) }
    }

    /// The bytes, for a root key to wrap.
    pub(crate) fn secret(&self) -> &Secret {
        &self.bytes
    }

    fn prepare(bytes: Secret) -> Self {
        // Revealed to prepare the key of the KDF.
        let sealing = MacKey::sha256(bytes.reveal());
        Self { bytes, sealing }
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RingKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed() {
        let entropy = Entropy::system();
        let ring = RingKey::generate(&entropy);
        for len in [0, 1, 16, 32, 4096] {
            let secret = Secret::random(&entropy, len);
            let sealed = ring.seal(&entropy, b"label", secret.reveal());
            assert_eq!(sealed.len(), len + 62);
            assert_eq!(ring.open(b"label", &sealed), Ok(secret));
        }
    }

    #[test]
    fn another_label_or_ring_does_not_open() {
        let entropy = Entropy::seeded(1);
        let ring = RingKey::generate(&entropy);
        let sealed = ring.seal(&entropy, b"key/1", b"secret");
        for label in [b"".as_slice(), b"key/2", b"key/", b"key/11", b"Key/1"] {
            assert_eq!(ring.open(label, &sealed), Err(CryptoError::Authentication), "{label:?}");
        }
        let other = RingKey::generate(&entropy);
        assert_eq!(other.open(b"key/1", &sealed), Err(CryptoError::Authentication));
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let entropy = Entropy::system();
        let ring = RingKey::generate(&entropy);
        assert_ne!(ring.seal(&entropy, b"", b"secret"), ring.seal(&entropy, b"", b"secret"));
    }

    #[test]
    fn only_32_bytes_are_a_ring_key() {
        for len in [0, 16, 31, 33, 64] {
            let refused = RingKey::from_secret(Secret::zeroed(len)).err();
            assert_eq!(refused, Some(CryptoError::WrongLength), "{len}");
        }
        assert_eq!(format!("{:?}", RingKey::generate(&Entropy::seeded(1))), "RingKey");
    }
}
