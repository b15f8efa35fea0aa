//! AES-256-GCM and SM4-GCM ([SP 800-38D](https://doi.org/10.6028/NIST.SP.800-38D),
//! [RFC 8998](https://www.rfc-editor.org/rfc/rfc8998)) on buffers the caller lays out.
//!
//! Keys come from [`message_key`](crate::derive::message_key) and are used for one message, so they always have the
//! right length.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sm4::Sm4;

use crate::{CryptoError, Secret};

/// Bytes in a nonce.
pub(crate) const NONCE_LEN: usize = 12;

/// Bytes in an authentication tag.
pub(crate) const TAG_LEN: usize = 16;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// Encrypts `text` in place under a 32-byte key and returns the authentication tag.
pub(crate) fn aes_seal(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
    let tag = aes(key)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text)
        .expect("GCM takes every text that fits in memory beside its copy");
    tag.as_ref().try_into().expect("a GCM tag is 16 bytes")
}

/// Decrypts `text` under a 32-byte key; nothing is returned unless the tag is right.
pub(crate) fn aes_open(
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    text: &[u8],
    tag: &[u8; TAG_LEN],
) -> Result<Secret, CryptoError> {
    let mut out = Secret::zeroed(text.len());
    aes(key)
        .open_separate_gather(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text, tag, out.bytes_mut())
        .map_err(|_| CryptoError::Authentication)?;
    Ok(out)
}

/// Encrypts `text` in place under a 16-byte key and returns the authentication tag.
pub(crate) fn sm4_seal(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
    sm4(key)
        .encrypt_inout_detached(&nonce.into(), aad, InOutBuf::from(text))
        .expect("GCM takes every text that fits in memory beside its copy")
        .into()
}

/// Decrypts `text` under a 16-byte key; nothing is returned unless the tag is right.
pub(crate) fn sm4_open(
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    text: &[u8],
    tag: &[u8; TAG_LEN],
) -> Result<Secret, CryptoError> {
    let mut out = Secret::zeroed(text.len());
    let buffers = InOutBuf::new(text, out.bytes_mut()).expect("the output was made as long as the input");
    sm4(key)
        .decrypt_inout_detached(&nonce.into(), aad, buffers, &(*tag).into())
        .map_err(|_| CryptoError::Authentication)?;
    Ok(out)
}

fn aes(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("message keys for AES are 32 bytes"))
}

fn sm4(key: &[u8]) -> Sm4Gcm {
    Sm4Gcm::new_from_slice(key).expect("message keys for SM4 are 16 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{array, bytes, rows};

    type Seal = fn(&[u8], [u8; NONCE_LEN], &[u8], &mut [u8]) -> [u8; TAG_LEN];
    type Open = fn(&[u8], [u8; NONCE_LEN], &[u8], &[u8], &[u8; TAG_LEN]) -> Result<Secret, CryptoError>;

    #[test]
    fn aes_256_gcm_wycheproof() {
        wycheproof("vectors/aes-256-gcm.txt", aes_seal, aes_open);
    }

    #[test]
    fn sm4_gcm_wycheproof() {
        wycheproof("vectors/sm4-gcm.txt", sm4_seal, sm4_open);
    }

    #[test]
    fn sm4_gcm_rfc_8998() {
        // RFC 8998 appendix A.1.
        let case = concat!(
            "1 valid 0123456789abcdeffedcba9876543210 00001234567800000000abcd ",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2 ",
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd",
            "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa ",
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735",
            "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d ",
            "83de3541e4c2b58177e065a9bf7b62ec",
        );
        let row: Vec<String> = case.split(' ').map(str::to_owned).collect();
        check(&row, sm4_seal, sm4_open);
    }

    fn wycheproof(path: &str, seal: Seal, open: Open) {
        for row in rows(path) {
            check(&row, seal, open);
        }
    }

    fn check(row: &[String], seal: Seal, open: Open) {
        let [id, result, key, nonce, aad, plaintext, ciphertext, tag] = row else { panic!("{row:?}") };
        let (key, nonce, aad, tag) = (bytes(key), array(nonce), bytes(aad), array(tag));
        let (plaintext, ciphertext) = (bytes(plaintext), bytes(ciphertext));
        let opened = open(&key, nonce, &aad, &ciphertext, &tag);
        if result == "valid" {
            assert_eq!(opened.expect(id).reveal(), plaintext, "{id}");
            let mut text = plaintext;
            assert_eq!((seal(&key, nonce, &aad, &mut text), text), (tag, ciphertext), "{id}");
        } else {
            assert_eq!(opened.err(), Some(CryptoError::Authentication), "{id}");
        }
    }
}
