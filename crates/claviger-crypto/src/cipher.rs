//! Customers' ciphertexts: one opened version of a customer master key, and the blobs it makes.
//!
//! ```text
//! "CLVG" 4 | format 1 | algorithm 1 | context kind 1 | 0 | key id 16 | key version 4 | 0000 4 | salt 32
//! └──────────────────────────────────── header (64) ──────────────────────────────────────┘
//! nonce 12 | 0000 4 | ciphertext n | tag 16
//! ```
//! The message key is derived from the key version's bytes and the header; header and encryption context are
//! authenticated. Blobs must open for ever: see `docs/format.md` and the golden blobs in `golden/`.

use std::borrow::Cow;
use std::fmt;

use crate::derive::{MessageKeyLen, message_key};
use crate::gcm::{NONCE_LEN, TAG_LEN, aes_open, aes_seal, sm4_open, sm4_seal};
use crate::mac::Tag;
use crate::{CryptoError, Entropy, MacKey, Secret};

/// Bytes in the header of a blob.
pub const BLOB_HEADER_LEN: usize = 64;

/// Bytes in a blob's nonce field: the nonce and zeros up to the next multiple of 16.
pub const BLOB_NONCE_FIELD_LEN: usize = 16;

/// How many bytes longer a blob is than its plaintext.
pub const BLOB_OVERHEAD: usize = BLOB_HEADER_LEN + BLOB_NONCE_FIELD_LEN + TAG_LEN;

/// The symmetric algorithm of a customer master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// AES-256-GCM, with message keys by HMAC-SHA256.
    Aes256Gcm,
    /// SM4-GCM (RFC 8998), with message keys by HMAC-SM3.
    Sm4Gcm,
}

impl Algorithm {
    /// Bytes in a key.
    pub fn key_len(self) -> usize {
        self.message_key_len() as usize / 8
    }

    /// The byte that stands for the algorithm in a blob.
    pub fn wire(self) -> u8 {
        match self {
            Self::Aes256Gcm => 1,
            Self::Sm4Gcm => 2,
        }
    }

    /// The algorithm that `byte` stands for in a blob.
    pub fn from_wire(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Aes256Gcm),
            2 => Some(Self::Sm4Gcm),
            _ => None,
        }
    }

    fn message_key_len(self) -> MessageKeyLen {
        match self {
            Self::Aes256Gcm => MessageKeyLen::Bits256,
            Self::Sm4Gcm => MessageKeyLen::Bits128,
        }
    }
}

/// Which key made a blob, and how its encryption context is to be read. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobHead {
    /// The customer master key.
    pub key_id: [u8; 16],
    /// The version of its material, counted by the caller.
    pub key_version: u32,
    /// The caller's code for what the encryption context is.
    pub context_kind: u8,
}

/// One version of a customer master key, opened and prepared for use. Immutable: share it between threads.
pub struct CipherKey {
    algorithm: Algorithm,
    deriving: MacKey,
}

impl CipherKey {
    /// Prepares the key whose bytes are `key`.
    ///
    /// # Errors
    /// `WrongLength` unless there are [`Algorithm::key_len`] bytes.
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, CryptoError> {
        if key.len() != algorithm.key_len() {
            return Err(CryptoError::WrongLength);
        }
        let deriving = match algorithm {
            Algorithm::Aes256Gcm => MacKey::sha256(key),
            Algorithm::Sm4Gcm => MacKey::sm3(key),
        };
        Ok(Self { algorithm, deriving })
    }

    /// The algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Encrypts `plaintext` into a blob, [`BLOB_OVERHEAD`] bytes longer, that opens only with the same `context`.
    pub fn encrypt(&self, entropy: &Entropy, head: &BlobHead, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let header = write_header(self.algorithm, head, &entropy.bytes());
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut nonce_field = [0; BLOB_NONCE_FIELD_LEN];
        nonce_field[..NONCE_LEN].copy_from_slice(&nonce);

        let mut blob = Vec::with_capacity(BLOB_OVERHEAD + plaintext.len());
        blob.extend_from_slice(&header);
        blob.extend_from_slice(&nonce_field);
        blob.extend_from_slice(plaintext);
        let text = &mut blob[BLOB_HEADER_LEN + BLOB_NONCE_FIELD_LEN..];
        let key = self.message_key(&header);
        let aad = aad(&header, context);
        let tag = match self.algorithm {
            Algorithm::Aes256Gcm => aes_seal(&key, nonce, &aad, text),
            Algorithm::Sm4Gcm => sm4_seal(&key, nonce, &aad, text),
        };
        blob.extend_from_slice(&tag);
        blob
    }

    /// Decrypts `blob`, which must have been made by this key version with the same `context`.
    ///
    /// # Errors
    /// `Authentication`, whatever the reason.
    pub fn decrypt(&self, blob: &Blob<'_>, context: &[u8]) -> Result<Secret, CryptoError> {
        if blob.algorithm != self.algorithm {
            return Err(CryptoError::Authentication);
        }
        let key = self.message_key(blob.header);
        let aad = aad(blob.header, context);
        match self.algorithm {
            Algorithm::Aes256Gcm => aes_open(&key, *blob.nonce, &aad, blob.text, blob.tag),
            Algorithm::Sm4Gcm => sm4_open(&key, *blob.nonce, &aad, blob.text, blob.tag),
        }
    }

    fn message_key(&self, header: &[u8; BLOB_HEADER_LEN]) -> Tag {
        message_key(&self.deriving, KDF_LABEL, header, self.algorithm.message_key_len())
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({:?})", self.algorithm)
    }
}

/// A blob taken apart, not yet authenticated: only [`CipherKey::decrypt`] tells whether its header is true.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    head: BlobHead,
    algorithm: Algorithm,
    header: &'a [u8; BLOB_HEADER_LEN],
    nonce: &'a [u8; NONCE_LEN],
    text: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Blob<'a> {
    /// Takes `bytes` apart without copying them.
    ///
    /// # Errors
    /// `Malformed` if they are not a blob; `UnsupportedVersion` if they are one of an unknown format or algorithm.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let (header, rest) = bytes.split_first_chunk::<BLOB_HEADER_LEN>().ok_or(CryptoError::Malformed)?;
        let (field, rest) = rest.split_first_chunk::<BLOB_NONCE_FIELD_LEN>().ok_or(CryptoError::Malformed)?;
        let (text, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(CryptoError::Malformed)?;
        let (algorithm, head) = read_header(header)?;
        let (nonce, reserved) = field.split_first_chunk::<NONCE_LEN>().ok_or(CryptoError::Malformed)?;
        if reserved != [0; BLOB_NONCE_FIELD_LEN - NONCE_LEN] {
            return Err(CryptoError::Malformed);
        }
        Ok(Self { head, algorithm, header, nonce, text, tag })
    }

    /// The customer master key that is said to have made the blob.
    pub fn key_id(&self) -> [u8; 16] {
        self.head.key_id
    }

    /// The version of that key's material.
    pub fn key_version(&self) -> u32 {
        self.head.key_version
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The maker's code for what the encryption context is.
    pub fn context_kind(&self) -> u8 {
        self.head.context_kind
    }
}

const MAGIC: [u8; 4] = *b"CLVG";
const VERSION: u8 = 1;
const SALT_LEN: usize = 32;
const KDF_LABEL: &[u8] = b"claviger blob 1";

fn write_header(algorithm: Algorithm, head: &BlobHead, salt: &[u8; SALT_LEN]) -> [u8; BLOB_HEADER_LEN] {
    let mut header = [0; BLOB_HEADER_LEN];
    header[..4].copy_from_slice(&MAGIC);
    header[4] = VERSION;
    header[5] = algorithm.wire();
    header[6] = head.context_kind;
    header[8..24].copy_from_slice(&head.key_id);
    header[24..28].copy_from_slice(&head.key_version.to_be_bytes());
    header[BLOB_HEADER_LEN - SALT_LEN..].copy_from_slice(salt);
    header
}

fn read_header(header: &[u8; BLOB_HEADER_LEN]) -> Result<(Algorithm, BlobHead), CryptoError> {
    let (fixed, _salt) = header.split_at(BLOB_HEADER_LEN - SALT_LEN);
    let (magic, fixed) = fixed.split_first_chunk().ok_or(CryptoError::Malformed)?;
    let (codes, fixed) = fixed.split_first_chunk().ok_or(CryptoError::Malformed)?;
    let (key_id, fixed) = fixed.split_first_chunk().ok_or(CryptoError::Malformed)?;
    let (key_version, reserved) = fixed.split_first_chunk().ok_or(CryptoError::Malformed)?;
    let [version, algorithm, context_kind, zero] = *codes;
    if *magic != MAGIC {
        return Err(CryptoError::Malformed);
    }
    if version != VERSION {
        return Err(CryptoError::UnsupportedVersion);
    }
    let algorithm = Algorithm::from_wire(algorithm).ok_or(CryptoError::UnsupportedVersion)?;
    if zero != 0 || reserved != [0; 4] {
        return Err(CryptoError::Malformed);
    }
    let key_version = u32::from_be_bytes(*key_version);
    Ok((algorithm, BlobHead { key_id: *key_id, key_version, context_kind }))
}

/// Header and context: the header has a fixed length, so no two pairs give the same bytes.
fn aad<'a>(header: &'a [u8; BLOB_HEADER_LEN], context: &[u8]) -> Cow<'a, [u8]> {
    if context.is_empty() {
        return Cow::Borrowed(header);
    }
    Cow::Owned([header.as_slice(), context].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const HEAD: BlobHead =
        BlobHead { key_id: *b"0123456789abcdef", key_version: 0x0102_0304, context_kind: 9 };

    #[test]
    fn a_blob_is_laid_out_as_documented() {
        for algorithm in [Algorithm::Aes256Gcm, Algorithm::Sm4Gcm] {
            let blob = key(algorithm, 1).encrypt(&Entropy::seeded(1), &HEAD, b"context", b"text");
            assert_eq!(blob.len(), BLOB_OVERHEAD + 4);
            assert_eq!(blob.capacity(), blob.len());
            let fixed = [b"CLVG\x01", [algorithm.wire()].as_slice(), b"\x09\0", &HEAD.key_id].concat();
            assert_eq!(&blob[..24], &fixed);
            assert_eq!(&blob[24..32], [1, 2, 3, 4, 0, 0, 0, 0]);
            assert_eq!(&blob[76..80], [0; 4]);
            let parsed = Blob::parse(&blob).unwrap();
            assert_eq!((parsed.head, parsed.algorithm()), (HEAD, algorithm));
        }
    }

    #[test]
    fn every_bit_matters() {
        for algorithm in [Algorithm::Aes256Gcm, Algorithm::Sm4Gcm] {
            let key = key(algorithm, 1);
            let blob = key.encrypt(&Entropy::seeded(1), &HEAD, b"context", b"plaintext");
            for bit in 0..blob.len() * 8 {
                let mut altered = blob.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                let expected = match bit / 8 {
                    0..4 | 7 | 28..32 | 76..80 => CryptoError::Malformed,
                    // No single flip turns one algorithm's byte into the other's.
                    4 | 5 => CryptoError::UnsupportedVersion,
                    _ => CryptoError::Authentication,
                };
                assert_eq!(open(&key, b"context", &altered), Err(expected), "{algorithm:?} bit {bit}");
            }
        }
    }

    #[test]
    fn every_length_matters() {
        let key = key(Algorithm::Aes256Gcm, 1);
        let blob = key.encrypt(&Entropy::seeded(1), &HEAD, b"", b"plaintext");
        for len in 0..blob.len() {
            let expected =
                if len < BLOB_OVERHEAD { CryptoError::Malformed } else { CryptoError::Authentication };
            assert_eq!(open(&key, b"", &blob[..len]), Err(expected), "{len} bytes");
        }
        let longer = [blob.as_slice(), &[0]].concat();
        assert_eq!(open(&key, b"", &longer), Err(CryptoError::Authentication));
    }

    #[test]
    fn another_key_context_or_algorithm_does_not_open() {
        let entropy = Entropy::seeded(1);
        for algorithm in [Algorithm::Aes256Gcm, Algorithm::Sm4Gcm] {
            let blob = key(algorithm, 1).encrypt(&entropy, &HEAD, b"context", b"plaintext");
            for context in [b"".as_slice(), b"contex", b"context\0", b"Context"] {
                let result = open(&key(algorithm, 1), context, &blob);
                assert_eq!(result, Err(CryptoError::Authentication), "{context:?}");
            }
            let other = open(&key(algorithm, 2), b"context", &blob);
            assert_eq!(other, Err(CryptoError::Authentication));
        }
        let blob = key(Algorithm::Aes256Gcm, 1).encrypt(&entropy, &HEAD, b"", b"plaintext");
        assert_eq!(open(&key(Algorithm::Sm4Gcm, 1), b"", &blob), Err(CryptoError::Authentication));
    }

    #[test]
    fn a_swapped_algorithm_byte_does_not_open() {
        let (aes, sm4) = (key(Algorithm::Aes256Gcm, 1), key(Algorithm::Sm4Gcm, 1));
        let mut blob = aes.encrypt(&Entropy::seeded(1), &HEAD, b"", b"plaintext");
        blob[5] = Algorithm::Sm4Gcm.wire();
        assert_eq!(open(&sm4, b"", &blob), Err(CryptoError::Authentication));
        assert_eq!(open(&aes, b"", &blob), Err(CryptoError::Authentication));
    }

    #[test]
    fn no_two_blobs_are_alike() {
        let (entropy, key) = (Entropy::system(), key(Algorithm::Aes256Gcm, 1));
        let (a, b) = (key.encrypt(&entropy, &HEAD, b"", b"x"), key.encrypt(&entropy, &HEAD, b"", b"x"));
        assert_ne!(a[32..64], b[32..64], "salt");
        assert_ne!(a[64..76], b[64..76], "nonce");
    }

    #[test]
    fn keys_have_one_length() {
        for (algorithm, len) in [(Algorithm::Aes256Gcm, 32), (Algorithm::Sm4Gcm, 16)] {
            assert_eq!(algorithm.key_len(), len);
            assert_eq!(Algorithm::from_wire(algorithm.wire()), Some(algorithm));
            for wrong in [0, 15, 16, 17, 24, 31, 32, 33].into_iter().filter(|wrong| *wrong != len) {
                let refused = CipherKey::new(algorithm, &vec![7; wrong]).err();
                assert_eq!(refused, Some(CryptoError::WrongLength), "{algorithm:?} {wrong}");
            }
        }
        assert_eq!(format!("{:?}", key(Algorithm::Sm4Gcm, 1)), "CipherKey(Sm4Gcm)");
    }

    proptest! {
        #[test]
        fn opens_what_it_encrypted(
            text in any::<Vec<u8>>(), context in any::<Vec<u8>>(), seed in any::<u64>(), sm4 in any::<bool>(),
        ) {
            let key = key(if sm4 { Algorithm::Sm4Gcm } else { Algorithm::Aes256Gcm }, 1);
            let blob = key.encrypt(&Entropy::seeded(seed), &HEAD, &context, &text);
            prop_assert_eq!(open(&key, &context, &blob), Ok(Secret::new(text)));
        }

        #[test]
        fn arbitrary_bytes_never_open(mut bytes in any::<Vec<u8>>(), real_start in any::<bool>()) {
            if real_start {
                bytes.splice(0..0, *b"CLVG\x01\x01\0\0");
            }
            prop_assert!(open(&key(Algorithm::Aes256Gcm, 1), b"", &bytes).is_err());
        }
    }

    fn key(algorithm: Algorithm, fill: u8) -> CipherKey {
        CipherKey::new(algorithm, &vec![fill; algorithm.key_len()]).expect("the length is right")
    }

    fn open(key: &CipherKey, context: &[u8], blob: &[u8]) -> Result<Secret, CryptoError> {
        key.decrypt(&Blob::parse(blob)?, context)
    }
}
