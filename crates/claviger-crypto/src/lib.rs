//! The only user of the cryptographic libraries, and the only code that sees key bytes.
//!
//! # The hierarchy of keys
//!
//! A [`RootKey`] comes from outside the store: a file of mode 0600 or a passphrase. It wraps one [`RingKey`] per
//! account and region, so that rotating the root re-wraps ring keys and touches nothing else. A ring key seals
//! every secret of its ring that the store holds: the bytes of each version of each customer master key (CMK), each
//! access key's secret, each import key. Both use one self-describing *sealed* format, bound to a label that names
//! the record, so that a sealed record moved to another place does not open. A [`CipherKey`] is one opened CMK
//! version, ready for use; customers' ciphertexts are *blobs* made by it, which must open for ever.
//!
//! ```text
//! RootKey ──wraps──► RingKey ──seals──► CMK version ──► CipherKey ──► blob
//!                        ├──seals──► access-key secret ──► MacKey (request signatures)
//!                        └──seals──► ImportKey (RSA, for bringing one's own material)
//! ```
//!
//! No key of the hierarchy encrypts anything itself. Every message is encrypted with a key of its own, derived
//! from the long-lived key and a random salt ([SP 800-108r1], counter mode), so the limit of 2^32 messages that
//! random 96-bit nonces put on an AES-GCM key is never approached. Every stored byte is described in
//! `docs/format.md`.
//!
//! # Rules of this crate
//!
//! Secrets are types: no `Clone`, no serialization, `Debug` without contents, wiped on drop, compared in constant
//! time. Chance comes in as an [`Entropy`]; the exceptions are RSA key generation and blinding, which happen inside
//! AWS-LC. An error never says more than [`CryptoError`] does.
//!
//! [SP 800-108r1]: https://doi.org/10.6028/NIST.SP.800-108r1-upd1

#![expect(
    clippy::missing_panics_doc,
    reason = "an `expect` here states an invariant; what can panic says so"
)]

mod cipher;
mod derive;
mod entropy;
mod error;
mod gcm;
mod hash;
mod import;
mod mac;
mod password;
mod ring;
mod root;
mod sealed;
mod secret;

pub use cipher::{
    Algorithm, BLOB_HEADER_LEN, BLOB_NONCE_FIELD_LEN, BLOB_OVERHEAD, Blob, BlobHead, CipherKey,
};
pub use entropy::Entropy;
pub use error::CryptoError;
pub use hash::{Hex256, hex_lower, sha256, sha256_hex, sm3};
pub use import::{ImportKey, WrapAlgorithm};
pub use mac::{HKDF_MAX_LEN, MacKey, Tag, hkdf_sha256};
pub use password::{hash_password, verify_password};
pub use ring::RingKey;
pub use root::RootKey;
pub use secret::{Secret, equal};

#[cfg(test)]
mod golden;
#[cfg(test)]
mod vectors;
