//! Bringing one's own key material: the RSA key it is wrapped with on its way in.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};

use crate::{CryptoError, Secret};

/// The size of an import key.
const IMPORT_KEY_BITS: usize = 2048;

/// How a customer wraps material for an [`ImportKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapAlgorithm {
    /// RSAES-OAEP ([RFC 8017 §7.1](https://www.rfc-editor.org/rfc/rfc8017#section-7.1)) with SHA-1 and MGF1-SHA-1.
    RsaOaepSha1,
    /// RSAES-OAEP with SHA-256 and MGF1-SHA-256.
    RsaOaepSha256,
    /// RSAES-PKCS1-v1\_5 ([RFC 8017 §7.2](https://www.rfc-editor.org/rfc/rfc8017#section-7.2)).
    RsaPkcs1v15,
}

/// An RSA-2048 private key under which a customer sends key material.
pub struct ImportKey(PrivateDecryptingKey);

impl ImportKey {
    /// A new key, drawn by AWS-LC's own generator. Slow, around 80 ms: call it on a worker thread.
    ///
    /// # Errors
    /// `Generation` if the library fails.
    pub fn generate() -> Result<Self, CryptoError> {
        PrivateDecryptingKey::generate(KeySize::Rsa2048).map(Self).map_err(|_| CryptoError::Generation)
    }

    /// The public key, as the DER of an X.509 `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der =
            self.0.public_key().as_der().expect("AWS-LC can encode every RSA key that it accepted");
        der.as_ref().to_vec()
    }

    /// The private key as PKCS#8, for a ring key to seal.
    pub fn to_secret(&self) -> Secret {
        let der: Pkcs8V1Der = self.0.as_der().expect("AWS-LC can encode every RSA key that it accepted");
        Secret::new(der.as_ref().to_vec())
    }

    /// The key that [`Self::to_secret`] wrote.
    ///
    /// # Errors
    /// `Malformed` if it is not an RSA private key in PKCS#8, `WrongLength` if it is one of another size.
    pub fn from_secret(pkcs8: &Secret) -> Result<Self, CryptoError> {
        // Revealed to the library that uses it.
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.reveal()).map_err(|_| CryptoError::Malformed)?;
        if key.key_size_bits() == IMPORT_KEY_BITS { Ok(Self(key)) } else { Err(CryptoError::WrongLength) }
    }

    /// The material that was wrapped with this key's public half. Takes about 1 ms.
    ///
    /// The caller must answer material of a wrong length exactly as it answers this function's error: with PKCS#1
    /// v1.5 the difference would be an oracle (Bleichenbacher 1998).
    ///
    /// # Errors
    /// `Authentication`, whatever the reason.
    pub fn unwrap(&self, algorithm: WrapAlgorithm, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        match algorithm {
            WrapAlgorithm::RsaOaepSha1 => self.unwrap_oaep(&OAEP_SHA1_MGF1SHA1, wrapped),
            WrapAlgorithm::RsaOaepSha256 => self.unwrap_oaep(&OAEP_SHA256_MGF1SHA256, wrapped),
            WrapAlgorithm::RsaPkcs1v15 => self.unwrap_pkcs1(wrapped),
        }
    }

    fn unwrap_oaep(&self, algorithm: &'static OaepAlgorithm, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        let mut out = Secret::zeroed(self.0.key_size_bytes());
        let len = OaepPrivateDecryptingKey::new(self.0.clone())
            .and_then(|key| key.decrypt(algorithm, wrapped, out.bytes_mut(), None).map(|text| text.len()))
            .map_err(|_| CryptoError::Authentication)?;
        out.truncate(len);
        Ok(out)
    }

    fn unwrap_pkcs1(&self, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        let mut out = Secret::zeroed(self.0.key_size_bytes());
        let len = Pkcs1PrivateDecryptingKey::new(self.0.clone())
            .and_then(|key| key.decrypt(wrapped, out.bytes_mut()).map(|text| text.len()))
            .map_err(|_| CryptoError::Authentication)?;
        out.truncate(len);
        Ok(out)
    }
}

impl fmt::Debug for ImportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportKey(RSA-2048)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey};

    use super::*;
    use crate::vectors::{bytes, rows};

    #[test]
    fn unwrapping_wycheproof() {
        let mut key = None;
        for row in rows("vectors/rsa.txt") {
            match row.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["key", _, pkcs8] => {
                    key = Some(ImportKey::from_secret(&Secret::new(bytes(pkcs8))).expect("an RSA-2048 key"));
                }
                ["case", algorithm, id, result, message, wrapped] => {
                    let key = key.as_ref().expect("a key comes before its cases");
                    let unwrapped = key.unwrap(spelled(algorithm), &bytes(wrapped));
                    let expected = if *result == "valid" {
                        Ok(bytes(message))
                    } else {
                        Err(CryptoError::Authentication)
                    };
                    assert_eq!(unwrapped, expected.map(Secret::new), "{algorithm} {id}");
                }
                _ => panic!("{row:?}"),
            }
        }
    }

    #[test]
    fn a_new_key_unwraps_what_its_public_half_wrapped() {
        let key = ImportKey::generate().unwrap();
        let stored = ImportKey::from_secret(&key.to_secret()).unwrap();
        assert_eq!(stored.public_der(), key.public_der());
        let all = [WrapAlgorithm::RsaOaepSha1, WrapAlgorithm::RsaOaepSha256, WrapAlgorithm::RsaPkcs1v15];
        for algorithm in all {
            let wrapped = wrap(&key.public_der(), algorithm, b"sixteen byte key");
            assert_eq!(wrapped.len(), 256);
            assert_eq!(stored.unwrap(algorithm, &wrapped).unwrap().reveal(), b"sixteen byte key");
            let altered = [&wrapped[..255], &[wrapped[255] ^ 1]].concat();
            let others =
                all.into_iter().filter(|other| *other != algorithm).map(|other| (other, &wrapped[..]));
            let broken: [(WrapAlgorithm, &[u8]); 5] = [
                (algorithm, &altered),
                (algorithm, &wrapped[..255]),
                (algorithm, &[]),
                (algorithm, &[0; 256]),
                (algorithm, &[0xff; 256]),
            ];
            for (algorithm, wrapped) in broken.into_iter().chain(others) {
                assert_eq!(key.unwrap(algorithm, wrapped), Err(CryptoError::Authentication), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn only_rsa_2048_is_an_import_key() {
        let larger = PrivateDecryptingKey::generate(KeySize::Rsa3072).unwrap();
        let larger: Pkcs8V1Der = larger.as_der().unwrap();
        let refused = ImportKey::from_secret(&Secret::new(larger.as_ref().to_vec()));
        assert_eq!(refused.err(), Some(CryptoError::WrongLength));
        for other in [b"".as_slice(), b"not DER", &[0x30, 0x82, 0xff, 0xff]] {
            let refused = ImportKey::from_secret(&Secret::new(other.to_vec()));
            assert_eq!(refused.err(), Some(CryptoError::Malformed));
        }
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert_eq!(format!("{:?}", ImportKey::generate().unwrap()), "ImportKey(RSA-2048)");
    }

    fn wrap(public_der: &[u8], algorithm: WrapAlgorithm, material: &[u8]) -> Vec<u8> {
        let public = PublicEncryptingKey::from_der(public_der).unwrap();
        let mut out = vec![0; public.key_size_bytes()];
        let oaep = |digests, out: &mut [u8]| {
            let key = OaepPublicEncryptingKey::new(public.clone()).unwrap();
            key.encrypt(digests, material, out, None).unwrap().len()
        };
        let len = match algorithm {
            WrapAlgorithm::RsaOaepSha1 => oaep(&OAEP_SHA1_MGF1SHA1, &mut out),
            WrapAlgorithm::RsaOaepSha256 => oaep(&OAEP_SHA256_MGF1SHA256, &mut out),
            WrapAlgorithm::RsaPkcs1v15 => {
                let key = Pkcs1PublicEncryptingKey::new(public.clone()).unwrap();
                key.encrypt(material, &mut out).unwrap().len()
            }
        };
        out.truncate(len);
        out
    }

    fn spelled(algorithm: &str) -> WrapAlgorithm {
        match algorithm {
            "oaep-sha1" => WrapAlgorithm::RsaOaepSha1,
            "oaep-sha256" => WrapAlgorithm::RsaOaepSha256,
            "pkcs1" => WrapAlgorithm::RsaPkcs1v15,
            other => panic!("{other}"),
        }
    }
}
