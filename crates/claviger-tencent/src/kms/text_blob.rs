//! `CiphertextBlob`: the core's ciphertext as this cloud writes it, three pieces of base64 joined by `-k-`: the header (which names
//! key and version), the nonce, the rest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use claviger_core::fault::{CipherFault, Fault};

const JOINT: &str = "-k-";
/// Bytes of the first piece, and of the second.
const PIECES: [usize; 2] = [64, 16];
/// Longest text that is looked at.
const CHARS: usize = 8192;

/// Writes a ciphertext.
pub(super) fn write(blob: &[u8]) -> String {
    let [first, second] = PIECES;
    let piece =
        |from: usize, to: usize| BASE64.encode(blob.get(from..to.min(blob.len())).unwrap_or_default());
    [piece(0, first), piece(first, first + second), piece(first + second, blob.len())].join(JOINT)
}

/// Reads a ciphertext.
pub(super) fn read(text: &str) -> Result<Vec<u8>, Fault> {
    let invalid = || Fault::Cipher(CipherFault::CiphertextInvalid);
    if text.len() > CHARS {
        return Err(invalid());
    }
    let mut blob = Vec::with_capacity(text.len());
    for (at, piece) in text.split(JOINT).enumerate() {
        let before = blob.len();
        BASE64.decode_vec(piece, &mut blob).map_err(|_| invalid())?;
        let fits = match PIECES.get(at) {
            Some(bytes) => blob.len() - before == *bytes,
            None => at == PIECES.len(),
        };
        if !fits {
            return Err(invalid());
        }
    }
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let blob: Vec<u8> = (0..=200).collect();
        let text = write(&blob);
        assert_eq!(text.split(JOINT).count(), 3);
        assert_eq!(read(&text), Ok(blob));
        for bad in [
            "",
            "AAAA",
            &text.replacen(JOINT, "", 1),
            &format!("{text}{JOINT}AAAA"),
            &text.replacen('A', "*", 1),
            &"A".repeat(CHARS + 1),
        ] {
            let whole = read(bad).is_ok_and(|blob| blob.len() > 80);
            assert!(!whole, "{bad}");
        }
    }
}
