//! What can go wrong, told without secrets.

use thiserror::Error;

/// Why a cryptographic operation did not succeed. Carries no data, so it may be logged anywhere.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CryptoError {
    /// The bytes were altered, belong to another record or context, or were made with another key.
    #[error("authentication failed: wrong key, wrong context or altered bytes")]
    Authentication,
    /// Making a key failed inside the library.
    #[error("key generation failed")]
    Generation,
    /// The bytes do not have the expected form.
    #[error("malformed input")]
    Malformed,
    /// The bytes have the expected form in a version or algorithm that this release does not know.
    #[error("unsupported format version or algorithm")]
    UnsupportedVersion,
    /// A key or secret does not have the length its algorithm requires.
    #[error("wrong length")]
    WrongLength,
}
