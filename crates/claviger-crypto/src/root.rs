//! The root key.

use std::fmt;

use argon2::{Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::hash::{hex_lower, sha256};
use crate::mac::hkdf_sha256;
use crate::sealed::{self, Kind};
use crate::secret::equal;
use crate::{CryptoError, Entropy, MacKey, RingKey, Secret};

/// Argon2id memory for a passphrase, in KiB: 64 MiB, as RFC 9106 §4 recommends where memory is scarce.
const PASSPHRASE_MEMORY_KIB: u32 = 64 * 1024;

/// Argon2id passes over that memory.
const PASSPHRASE_PASSES: u32 = 3;

/// Argon2id lanes; one, because the derivation runs on one thread.
const PASSPHRASE_LANES: u32 = 1;

/// The key above all others. It wraps ring keys and is never in the store.
pub struct RootKey {
    bytes: Secret,
    wrapping: MacKey,
    id: [u8; 8],
}

impl RootKey {
    /// A new random root key.
    pub fn generate(entropy: &Entropy) -> Self {
        Self::prepare(Secret::random(entropy, ROOT_KEY_LEN))
    }

    /// The root key that `passphrase` and `salt` stand for, by argon2id. Takes about 0.2 s and 64 MiB.
    ///
    /// # Errors
    /// `WrongLength` if the passphrase is empty; `Generation` if there is not enough memory.
    pub fn from_passphrase(passphrase: &Secret, salt: &[u8; 16]) -> Result<Self, CryptoError> {
        if passphrase.is_empty() {
            return Err(CryptoError::WrongLength);
        }
        let params =
            Params::new(PASSPHRASE_MEMORY_KIB, PASSPHRASE_PASSES, PASSPHRASE_LANES, Some(ROOT_KEY_LEN))
                .expect("the constants are within the bounds of argon2");
        // Our own memory, so that it is wiped.
        let mut memory = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(params.block_count()).map_err(|_| CryptoError::Generation)?;
        memory.resize(params.block_count(), Block::new());
        let mut bytes = Secret::zeroed(ROOT_KEY_LEN);
        // Revealed to argon2id, which turns the passphrase into the key.
        Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.reveal(),
                salt,
                bytes.bytes_mut(),
                memory.as_mut_slice(),
            )
            .map_err(|_| CryptoError::Generation)?;
        Ok(Self::prepare(bytes))
    }

    /// Reads the line that [`Self::to_text`] writes. One line ending after it is tolerated.
    ///
    /// # Errors
    /// `Malformed` if it is anything else, `UnsupportedVersion` if it is a root key of another format version.
    pub fn parse(text: &[u8]) -> Result<Self, CryptoError> {
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(rest) = line.strip_prefix(TEXT_PREFIX) else {
            let other = line.starts_with(TEXT_ANY_VERSION);
            return Err(if other { CryptoError::UnsupportedVersion } else { CryptoError::Malformed });
        };
        let (key_text, checksum) =
            rest.split_last_chunk::<CHECKSUM_DIGITS>().ok_or(CryptoError::Malformed)?;
        let key_text = key_text.strip_suffix(b" ").ok_or(CryptoError::Malformed)?;
        if !equal(checksum, &checksum_of(key_text)) {
            return Err(CryptoError::Malformed);
        }
        let bytes = Secret::new(URL_SAFE_NO_PAD.decode(key_text).map_err(|_| CryptoError::Malformed)?);
        if bytes.len() != ROOT_KEY_LEN {
            return Err(CryptoError::Malformed);
        }
        Ok(Self::prepare(bytes))
    }

    /// The root key as one line of text with a line ending, for a file of mode 0600:
    /// `claviger-root-key-1 <43 characters of base64url> <8 hexadecimal digits of checksum>`.
    pub fn to_text(&self) -> Secret {
        let mut key_text = Zeroizing::new([0; KEY_TEXT_LEN]);
        // Revealed to write the file that an operator keeps.
        URL_SAFE_NO_PAD
            .encode_slice(self.bytes.reveal(), key_text.as_mut_slice())
            .expect("32 bytes are 43 characters of base64url");
        let mut text = Vec::with_capacity(TEXT_PREFIX.len() + KEY_TEXT_LEN + 1 + CHECKSUM_DIGITS + 1);
        text.extend(TEXT_PREFIX);
        text.extend(key_text.iter());
        text.push(b' ');
        text.extend(checksum_of(key_text.as_slice()));
        text.push(b'\n');
        Secret::new(text)
    }

    /// A public fingerprint, by which a store tells which root key its ring keys are wrapped with. [`hex_lower`] is
    /// its written form.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// Wraps `ring` for the record that `label` names; [`Self::unwrap_ring`] demands the same label.
    pub fn wrap_ring(&self, entropy: &Entropy, ring: &RingKey, label: &[u8]) -> Vec<u8> {
        // Revealed to be encrypted.
        sealed::seal(&self.wrapping, entropy, Kind::Ring, label, ring.secret().reveal())
    }

    /// Unwraps what [`Self::wrap_ring`] made for the record that `label` names.
    ///
    /// # Errors
    /// `Authentication` if it was made with another root key, for another record or was altered; `Malformed` or
    /// `UnsupportedVersion` if it is not in the sealed format of this release.
    pub fn unwrap_ring(&self, wrapped: &[u8], label: &[u8]) -> Result<RingKey, CryptoError> {
        RingKey::from_secret(sealed::open(&self.wrapping, Kind::Ring, label, wrapped)?)
    }

    fn prepare(bytes: Secret) -> Self {
        // Revealed to prepare the key of the KDF, and to derive the fingerprint.
        let wrapping = MacKey::sha256(bytes.reveal());
        let fingerprint = hkdf_sha256(bytes.reveal(), &[], ID_INFO, ID_LEN);
        let mut id = [0; ID_LEN];
        id.copy_from_slice(fingerprint.reveal());
        Self { bytes, wrapping, id }
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey(id {})", hex_lower(&self.id))
    }
}

const ROOT_KEY_LEN: usize = 32;
const KEY_TEXT_LEN: usize = 43;
const CHECKSUM_DIGITS: usize = 8;
const TEXT_ANY_VERSION: &[u8] = b"claviger-root-key-";
const TEXT_PREFIX: &[u8] = b"claviger-root-key-1 ";
const ID_LEN: usize = 8;
const ID_INFO: &[u8] = b"claviger root key id 1";

/// The start of SHA-256 over the line up to the checksum's space. It finds typing and copying errors, nothing more.
fn checksum_of(key_text: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let [a, b, c, d, ..] = sha256(&[TEXT_PREFIX, key_text]);
    let mut digits = [0; CHECKSUM_DIGITS];
    digits.copy_from_slice(hex_lower(&[a, b, c, d]).as_bytes());
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let entropy = Entropy::seeded(1);
        for _ in 0..20 {
            let root = RootKey::generate(&entropy);
            let text = root.to_text();
            let line = text.reveal().strip_suffix(b"\n").unwrap();
            assert_eq!(line.len(), 20 + 43 + 1 + 8);
            for form in [line.to_vec(), [line, b"\n"].concat(), [line, b"\r\n"].concat()] {
                let read = RootKey::parse(&form).unwrap();
                assert_eq!((read.id(), &read.bytes), (root.id(), &root.bytes));
            }
        }
    }

    #[test]
    fn other_text_is_refused() {
        let text = RootKey::generate(&Entropy::seeded(1)).to_text();
        let text = text.reveal();
        let line = &text[..text.len() - 1];
        let future = [b"claviger-root-key-2 ", &line[20..]].concat();
        assert_eq!(RootKey::parse(&future).err(), Some(CryptoError::UnsupportedVersion));
        let short_key = with_checksum(b"AAAA");
        let odd_key = with_checksum(&[b"A".repeat(42).as_slice(), b"="].concat());
        let refused: Vec<Vec<u8>> = vec![
            Vec::new(),
            b"\n".to_vec(),
            b"claviger-root-key".to_vec(),
            TEXT_PREFIX.to_vec(),
            b"claviger-root-key-1 deadbeef".to_vec(),
            [line, b"\n\n"].concat(),
            [line, b" "].concat(),
            [b" ", line].concat(),
            line[..line.len() - 1].to_vec(),
            line.to_ascii_uppercase(),
            short_key,
            odd_key,
        ];
        for text in refused {
            let error = RootKey::parse(&text).err();
            assert_eq!(error, Some(CryptoError::Malformed), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let text = RootKey::generate(&Entropy::seeded(1)).to_text();
        for index in 0..text.len() - 1 {
            let mut altered = text.reveal().to_vec();
            altered[index] ^= 1;
            assert!(RootKey::parse(&altered).is_err(), "character {index}");
        }
    }

    #[test]
    fn wraps_rings_for_one_record() {
        let entropy = Entropy::system();
        let (root, other_root) = (RootKey::generate(&entropy), RootKey::generate(&entropy));
        let ring = RingKey::generate(&entropy);
        let wrapped = root.wrap_ring(&entropy, &ring, b"ring/1");
        assert_eq!(wrapped.len(), 32 + 62);
        let unwrapped = root.unwrap_ring(&wrapped, b"ring/1").unwrap();
        assert_eq!(unwrapped.secret(), ring.secret());
        let refused = [
            root.unwrap_ring(&wrapped, b"ring/2"),
            root.unwrap_ring(&wrapped, b""),
            other_root.unwrap_ring(&wrapped, b"ring/1"),
        ];
        for result in refused {
            assert_eq!(result.err(), Some(CryptoError::Authentication));
        }
        assert_eq!(root.unwrap_ring(&[], b"ring/1").err(), Some(CryptoError::Malformed));
    }

    #[test]
    fn a_passphrase_always_gives_the_same_key() {
        let root =
            |passphrase: &str, salt| RootKey::from_passphrase(&Secret::from(passphrase.to_owned()), &salt);
        // Argon2id of RFC 9106 with the constants above; stores depend on it.
        let first = root("correct horse battery staple", *b"0123456789abcdef").unwrap();
        assert_eq!(hex_lower(first.bytes.reveal()), PASSPHRASE_KEY);
        assert_ne!(first.id(), root("correct horse battery staple", [0; 16]).unwrap().id());
        assert_ne!(first.id(), root("correct horse battery stapler", *b"0123456789abcdef").unwrap().id());
        assert_eq!(root("", [0; 16]).err(), Some(CryptoError::WrongLength));
    }

    const PASSPHRASE_KEY: &str = "94c86f541abdb3d9aabfea59aa03963549483e9c0b1a79336e76b54cee6c917e";

    #[test]
    fn the_fingerprint_is_stable_and_all_that_debug_shows() {
        let root = RootKey::prepare(Secret::new((0..32).collect()));
        assert_eq!(format!("{root:?}"), "RootKey(id 82d36bc29bfe5459)");
    }

    fn with_checksum(key_text: &[u8]) -> Vec<u8> {
        [TEXT_PREFIX, key_text, b" ", &checksum_of(key_text)].concat()
    }
}
