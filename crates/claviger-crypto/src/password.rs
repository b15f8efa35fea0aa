//! Passwords of people, stored as argon2id hashes.

use argon2::password_hash::phc::PasswordHash;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::{CryptoError, Entropy, Secret};

/// Argon2id memory for a new password hash, in KiB: 19 MiB, as the OWASP password storage cheat sheet asks.
const PASSWORD_MEMORY_KIB: u32 = 19 * 1024;

/// Argon2id passes over that memory.
const PASSWORD_PASSES: u32 = 2;

/// Argon2id lanes.
const PASSWORD_LANES: u32 = 1;

/// The most memory a stored hash may ask for, in KiB: 64 MiB. A hash beyond it verifies nothing.
const PASSWORD_MAX_MEMORY_KIB: u32 = 64 * 1024;

/// The most passes a stored hash may ask for.
const PASSWORD_MAX_PASSES: u32 = 10;

/// The argon2id hash of `password` with a new 16-byte salt, as a PHC string of about 97 characters. Takes about
/// 30 ms and 19 MiB: call it on a worker thread.
///
/// # Errors
/// `WrongLength` if the password is empty, `Generation` if there is not enough memory.
pub fn hash_password(entropy: &Entropy, password: &Secret) -> Result<String, CryptoError> {
    if password.is_empty() {
        return Err(CryptoError::WrongLength);
    }
    let params = Params::new(PASSWORD_MEMORY_KIB, PASSWORD_PASSES, PASSWORD_LANES, None)
        .expect("the constants are within the bounds of argon2");
    let salt: [u8; 16] = entropy.bytes();
    // Revealed to be hashed.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.reveal(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| CryptoError::Generation)
}

/// Whether `password` is the one that `phc` was made from, at the cost that `phc` states. False if `phc` is not the
/// PHC string of an argon2id hash or asks for more work than this module's limits. Takes as long as
/// [`hash_password`].
pub fn verify_password(phc: &str, password: &Secret) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    let affordable = params.m_cost() <= PASSWORD_MAX_MEMORY_KIB
        && params.t_cost() <= PASSWORD_MAX_PASSES
        && params.p_cost() == PASSWORD_LANES;
    // Revealed to be hashed and compared.
    hash.algorithm == ARGON2ID_IDENT
        && affordable
        && Argon2::default().verify_password(password.reveal(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of the reference implementation of argon2.
    const REFERENCE: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn verifies_the_reference_hash() {
        assert!(verify_password(REFERENCE, &secret("password")));
        assert!(!verify_password(REFERENCE, &secret("passwore")));
    }

    #[test]
    fn verifies_what_it_hashed() {
        let entropy = Entropy::seeded(1);
        let phc = hash_password(&entropy, &secret("hunter2")).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify_password(&phc, &secret("hunter2")));
        for wrong in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!verify_password(&phc, &secret(wrong)), "{wrong}");
        }
        assert_ne!(phc, hash_password(&entropy, &secret("hunter2")).unwrap());
        assert_eq!(hash_password(&entropy, &secret("")), Err(CryptoError::WrongLength));
    }

    #[test]
    fn refuses_hashes_that_are_broken_foreign_or_too_costly() {
        let (_, salt_and_hash) = REFERENCE.split_once("p=1$").unwrap();
        let with = |start: &str| format!("{start}${salt_and_hash}");
        let refused = [
            String::new(),
            "password".to_owned(),
            "$argon2id$".to_owned(),
            REFERENCE[..REFERENCE.len() - 1].to_owned(),
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ".to_owned(),
            with("$argon2i$v=19$m=65536,t=2,p=1"),
            with("$argon2id$v=19$m=65537,t=2,p=1"),
            with("$argon2id$v=19$m=4294967295,t=2,p=1"),
            with("$argon2id$v=19$m=65536,t=11,p=1"),
            with("$argon2id$v=19$m=65536,t=2,p=2"),
            with("$argon2id$v=19$m=65536,t=2,p=0"),
            with("$argon2id$v=99$m=65536,t=2,p=1"),
            with("$scrypt$ln=16,r=8,p=1"),
        ];
        for phc in refused {
            assert!(!verify_password(&phc, &secret("password")), "{phc}");
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }
}
