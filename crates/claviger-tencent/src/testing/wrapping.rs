//! Wraps key material under an import key, as a customer does: RSAES-PKCS1-v1_5 (RFC 8017 §7.2). By hand, and slowly, because
//! the libraries of cryptography belong to `claviger-crypto` alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Bytes of an RSA-2048 modulus.
const BYTES: usize = 256;
/// Where the modulus lies in the DER of an RSA-2048 `SubjectPublicKeyInfo` whose exponent is 65537.
const MODULUS: std::ops::Range<usize> = 33..33 + BYTES;

/// The material under a public key, both as base64.
pub(super) fn wrap(public_key: &str, material: &[u8]) -> String {
    let der = BASE64.decode(public_key).expect("base64");
    assert!(der.ends_with(&[2, 3, 1, 0, 1]), "the exponent is 65537");
    let modulus = &der[MODULUS];
    // The padding ought to be random; a test needs no secrecy.
    let padding = vec![0xFF; BYTES - 3 - material.len()];
    let message = [[0, 2].as_slice(), &padding, &[0], material].concat();
    let squared = (0..16).fold(message.clone(), |power, _| product(&power, &power, modulus));
    BASE64.encode(product(&squared, &message, modulus))
}

/// `a * b` modulo `modulus`, big-endian numbers of the same length: doubles and adds, bit by bit.
fn product(a: &[u8], b: &[u8], modulus: &[u8]) -> Vec<u8> {
    let bits = b.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    bits.fold(vec![0; modulus.len()], |sum, bit| {
        let doubled = add(&sum, &sum, modulus);
        if bit { add(&doubled, a, modulus) } else { doubled }
    })
}

/// `a + b` modulo `modulus`; both are less than it.
fn add(a: &[u8], b: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; a.len()];
    let mut carry = 0;
    for (digit, (a, b)) in sum.iter_mut().zip(a.iter().zip(b)).rev() {
        [carry, *digit] = (u16::from(*a) + u16::from(*b) + u16::from(carry)).to_be_bytes();
    }
    if carry == 1 || sum.as_slice() >= modulus { subtract(&sum, modulus) } else { sum }
}

/// `a - b`, without a borrow that is left.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut rest = vec![0; a.len()];
    let mut borrow = false;
    for (digit, (a, b)) in rest.iter_mut().zip(a.iter().zip(b)).rev() {
        let (less, under) = a.overflowing_sub(*b);
        let (less, again) = less.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (less, under || again);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products() {
        for (a, b, modulus, expected) in [
            ([0, 7], [0, 6], [0, 50], [0, 42]),
            ([0, 7], [0, 8], [0, 50], [0, 6]),
            ([0xFF, 0xFE], [0xFF, 0xFE], [0xFF, 0xFF], [0, 1]),
            ([1, 0], [1, 0], [0xFF, 0xFB], [0, 5]),
        ] {
            assert_eq!(product(&a, &b, &modulus), expected);
        }
    }
}
