//! Owned secret bytes.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Entropy;

/// Bytes that nobody else may see: wiped on drop, compared in constant time, not printable and not cloneable.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of `bytes` without copying them. The caller must not have left other copies behind.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `len` random bytes.
    pub fn random(entropy: &Entropy, len: usize) -> Self {
        let mut secret = Self::zeroed(len);
        entropy.fill(secret.bytes_mut());
        secret
    }

    /// The bytes themselves. Each call says in a comment why it must see them.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// The length in bytes, which is not secret.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `len` zero bytes, to be filled in place through [`Self::bytes_mut`].
    pub(crate) fn zeroed(len: usize) -> Self {
        Self::new(vec![0; len])
    }

    /// The bytes, for this crate to fill in place.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Keeps the first `len` bytes. The others are wiped on drop, which covers the whole capacity.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

/// Whether `a` equals `b`, in time that depends on the lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(7 bytes) Secret(7 bytes)");
    }

    #[test]
    fn equality_needs_every_byte_and_the_length() {
        let cases: [(&[u8], &[u8], bool); 6] = [
            (b"", b"", true),
            (b"abc", b"abc", true),
            (b"abc", b"abd", false),
            (b"abc", b"bbc", false),
            (b"abc", b"ab", false),
            (b"", b"a", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(equal(a, b), expected, "{a:?} {b:?}");
            assert_eq!(Secret::new(a.to_vec()) == Secret::new(b.to_vec()), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn random_secrets_differ_and_have_the_length_asked_for() {
        let entropy = Entropy::seeded(1);
        for len in [0, 1, 32, 5000] {
            assert_eq!(Secret::random(&entropy, len).len(), len);
        }
        assert_ne!(Secret::random(&entropy, 32), Secret::random(&entropy, 32));
        assert!(Secret::random(&entropy, 0).is_empty());
    }

    #[test]
    fn truncating_keeps_the_front() {
        let mut secret = Secret::new(b"abcdef".to_vec());
        secret.truncate(9);
        assert_eq!(secret.reveal(), b"abcdef");
        secret.truncate(2);
        assert_eq!(secret.reveal(), b"ab");
    }
}
