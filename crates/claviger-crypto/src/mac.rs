//! HMAC and HKDF.

use std::fmt;
use std::ops::Deref;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use sm3::Sm3;
use zeroize::Zeroize;

use crate::Secret;
use crate::secret::equal;

/// The longest output of [`hkdf_sha256`], in bytes.
pub const HKDF_MAX_LEN: usize = 255 * 32;

/// An HMAC key ([FIPS 198-1](https://doi.org/10.6028/NIST.FIPS.198-1)) with both padded key blocks already hashed,
/// so that each use copies a small state instead of preparing the key again. Any key length is accepted.
pub struct MacKey(Prepared);

enum Prepared {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sm3(Hmac<Sm3>),
}

impl MacKey {
    /// A key for HMAC-SHA1, whose tags are 20 bytes. Only for old request signatures.
    pub fn sha1(key: &[u8]) -> Self {
        Self(Prepared::Sha1(prepare(key)))
    }

    /// A key for HMAC-SHA256, whose tags are 32 bytes.
    pub fn sha256(key: &[u8]) -> Self {
        Self(Prepared::Sha256(prepare(key)))
    }

    /// A key for HMAC-SM3, whose tags are 32 bytes.
    pub fn sm3(key: &[u8]) -> Self {
        Self(Prepared::Sm3(prepare(key)))
    }

    /// The tag of the concatenated `parts`.
    pub fn sign(&self, parts: &[&[u8]]) -> Tag {
        match &self.0 {
            Prepared::Sha1(mac) => sign(mac.clone(), parts),
            Prepared::Sha256(mac) => sign(mac.clone(), parts),
            Prepared::Sm3(mac) => sign(mac.clone(), parts),
        }
    }

    /// Whether `presented` is the whole tag of the concatenated `parts`, compared in constant time.
    pub fn verify(&self, parts: &[&[u8]], presented: &[u8]) -> bool {
        equal(&self.sign(parts), presented)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Prepared::Sha1(_) => "MacKey(HMAC-SHA1)",
            Prepared::Sha256(_) => "MacKey(HMAC-SHA256)",
            Prepared::Sm3(_) => "MacKey(HMAC-SM3)",
        })
    }
}

/// The output of HMAC, held in place: 20 or 32 bytes. Often a key itself (signing keys are chains of HMACs), so it
/// is wiped on drop and does not print its bytes; compare it through [`MacKey::verify`] or [`equal`].
pub struct Tag {
    bytes: [u8; 32],
    len: usize,
}

impl Tag {
    /// The first `len` bytes.
    pub(crate) fn truncated(mut self, len: usize) -> Self {
        self.len = self.len.min(len);
        self
    }
}

impl Deref for Tag {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({} bytes)", self.len)
    }
}

/// HKDF-SHA256 ([RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)): `len` bytes derived from `ikm`.
///
/// # Panics
/// If `len` is more than [`HKDF_MAX_LEN`]; callers pass a constant.
pub fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], len: usize) -> Secret {
    assert!(len <= HKDF_MAX_LEN, "HKDF-SHA256 yields at most {HKDF_MAX_LEN} bytes");
    let mut out = Secret::zeroed(len);
    Salt::new(HKDF_SHA256, salt)
        .extract(ikm)
        .expand(&[info], OutputLen(len))
        .and_then(|okm| okm.fill(out.bytes_mut()))
        .expect("the length was checked above, and HKDF has no other way to fail");
    out
}

struct OutputLen(usize);

impl KeyType for OutputLen {
    fn len(&self) -> usize {
        self.0
    }
}

fn prepare<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn sign<M: Mac>(mut mac: M, parts: &[&[u8]]) -> Tag {
    for part in parts {
        mac.update(part);
    }
    let output = mac.finalize().into_bytes();
    let mut tag = Tag { bytes: [0; 32], len: output.len() };
    tag.bytes[..output.len()].copy_from_slice(&output);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex_lower;
    use crate::vectors::{bytes, rows};

    #[test]
    fn hmac_vectors() {
        // RFC 2202 §3 and RFC 4231 §4; for SM3 the example that GM/T 0042 gives.
        let large = [0xaa; 131];
        let large_text = b"Test Using Larger Than Block-Size Key - Hash Key First".as_slice();
        let counted: Vec<u8> = (1..=32).collect();
        let sm3_text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2);
        let cases = [
            (MacKey::sha1(&[0x0b; 20]), b"Hi There".as_slice(), "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                MacKey::sha1(b"Jefe"),
                b"what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (MacKey::sha1(&large[..80]), large_text, "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
            (
                MacKey::sha256(&[0x0b; 20]),
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                MacKey::sha256(b"Jefe"),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                MacKey::sha256(&large),
                large_text,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                MacKey::sm3(&counted),
                &sm3_text,
                "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
            ),
        ];
        for (key, text, expected) in cases {
            let (head, tail) = text.split_at(text.len() / 3);
            let tag = key.sign(&[head, b"", tail]);
            assert_eq!(hex_lower(&tag), expected, "{key:?}");
            assert!(key.verify(&[text], &tag), "{key:?}");
        }
    }

    #[test]
    fn hmac_sm3_wycheproof() {
        for row in rows("vectors/hmac-sm3.txt") {
            let [id, result, key, message, tag] = row.as_slice() else { panic!("{row:?}") };
            let verified = MacKey::sm3(&bytes(key)).verify(&[&bytes(message)], &bytes(tag));
            assert_eq!(verified, result == "valid", "{id}");
        }
    }

    #[test]
    fn only_the_whole_right_tag_verifies() {
        let key = MacKey::sha256(b"key");
        let tag = key.sign(&[b"message"]);
        assert!(key.verify(&[b"mess", b"age"], &tag));
        for bit in 0..256 {
            let mut wrong = tag.to_vec();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&[b"message"], &wrong), "{bit}");
        }
        let longer = [tag.as_ref(), &[0]].concat();
        for presented in [&[], &tag[..31], &tag[..16], &longer] {
            assert!(!key.verify(&[b"message"], presented), "{}", presented.len());
        }
        assert!(!MacKey::sha256(b"yek").verify(&[b"message"], &tag));
        assert!(!MacKey::sm3(b"key").verify(&[b"message"], &tag));
    }

    #[test]
    fn hkdf_wycheproof() {
        // The first ones are the cases of RFC 5869 appendix A.
        for row in rows("vectors/hkdf-sha256.txt") {
            let [id, ikm, salt, info, okm] = row.as_slice() else { panic!("{row:?}") };
            let okm = bytes(okm);
            let derived = hkdf_sha256(&bytes(ikm), &bytes(salt), &bytes(info), okm.len());
            assert_eq!(derived.reveal(), okm, "{id}");
        }
    }

    #[test]
    fn hkdf_yields_up_to_its_limit() {
        assert_eq!(hkdf_sha256(b"ikm", b"", b"", HKDF_MAX_LEN).len(), HKDF_MAX_LEN);
        assert!(std::panic::catch_unwind(|| hkdf_sha256(b"ikm", b"", b"", HKDF_MAX_LEN + 1)).is_err());
    }

    #[test]
    fn debug_shows_no_bytes() {
        let key = MacKey::sha1(b"\x07\x07\x07\x07");
        assert_eq!(format!("{key:?} {:?}", key.sign(&[])), "MacKey(HMAC-SHA1) Tag(20 bytes)");
        assert_eq!(format!("{:?}", MacKey::sha256(b"")), "MacKey(HMAC-SHA256)");
        assert_eq!(format!("{:?}", MacKey::sm3(b"")), "MacKey(HMAC-SM3)");
    }
}
